import { Flags } from '@oclif/core';
import { BaseCommand } from './base-command.js';

/** The options of every command that publishes: `mkroot publish` and `mkroot rollback`. */
export const PUBLISH_FLAGS = {
  'dry-run': Flags.boolean({ description: 'show what would change, and change nothing' }),
  force: Flags.boolean({ description: 'overwrite files of the tree that somebody else made or changed' }),
  site: BaseCommand.siteFlag,
  state: BaseCommand.stateFlag,
} as const;
