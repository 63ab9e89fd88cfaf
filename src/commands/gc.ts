import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { requireRoot } from '../cli/require-root.js';
import { openSite } from '../cli/site.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** `mkroot gc`: removes generations and versions of layers that nobody is known to need. */
export default class Gc extends BaseCommand {
  static override summary = 'Remove generations and layers that no node is known to need';

  static override description =
    'What boot files name, what nodes are pinned to, what nodes reported to have booted, and what is young stays. A node that is neither in the inventory nor published loses its layers and its keys, such a group its layers. What it cannot know is said in docs/publish.md.';

  static override examples = [
    '<%= config.bin %> gc --dry-run',
    '<%= config.bin %> gc --keep 3 --keep-days 30',
  ];

  static override flags = {
    'dry-run': Flags.boolean({ description: 'show what stays and why, and remove nothing' }),
    keep: Flags.integer({
      description: 'number of newest generations of each image that stay',
      default: 2,
      min: 1,
    }),
    'keep-days': Flags.integer({
      description: 'what was made, or named by a boot file, in the last so many days stays',
      default: 14,
      min: 0,
    }),
    site: BaseCommand.siteFlag,
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Gc);
    const ports = this.ports({ verbose: flags.verbose });
    const { collectGarbage, planGarbage } = await import('../pipelines/publish/collect-garbage.js');
    const request = {
      site: openSite(ports.fs, flags.site),
      state: toBytePath(resolve(flags.state)),
      keep: flags.keep,
      keepDays: flags['keep-days'],
    };
    const dry = flags['dry-run'];
    if (!dry) requireRoot('remove generations', 'they belong to root');
    const { things, pinsKnown } = dry
      ? planGarbage(ports.fs, ports.clock.now(), request)
      : await collectGarbage(ports, request, this.worker);
    if (!pinsKnown) {
      ports.progress.warn(
        'There is no nodes.yaml: generations that nodes are pinned to are not known',
        'Name the site by --site DIR.',
      );
    }
    const unused = things.filter(({ use }) => use === undefined);
    for (const { name, id, use } of things) {
      if (use === undefined) this.log(`- ${name} ${id}`);
      else if (dry || flags.verbose) this.log(`  ${name} ${id}: ${use}`);
    }
    this.log(`${unused.length} ${dry ? 'to remove' : 'removed'}, ${things.length - unused.length} in use`);
    return {
      removed: !dry,
      things: things.map(({ kind, name, id, directory, use }) => ({
        kind,
        name: displayPath(name),
        id: displayPath(id),
        directory: displayPath(directory),
        use: use ?? null,
      })),
    };
  }
}
