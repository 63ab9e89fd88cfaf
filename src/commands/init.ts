import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { siteSources } from '../cli/site.js';
import { ExitCode, MkrootError } from '../errors.js';

/** `mkroot init`: the files of a new cluster, with comments. */
export default class Init extends BaseCommand {
  static override summary = 'Make the directory that describes a cluster: nodes.yaml, a recipe, an overlay';

  static override description = 'Nothing is ever overwritten.';

  static override examples = ['<%= config.bin %> init mycluster'];

  static override args = {
    directory: Args.string({ required: true, description: 'directory to make; it may exist' }),
  };

  async run(): Promise<{ directory: string; files: string[] }> {
    const { args } = await this.parse(Init);
    if (args.directory === '') {
      // An unset variable of a script: the current directory is not meant.
      throw new MkrootError('Cannot make a site in "": it is no name of a directory', {
        exitCode: ExitCode.Usage,
        hint: 'For the current directory: mkroot init .',
      });
    }
    const { createSite } = await import('../inventory/new-site.js');
    const { fs } = this.ports();
    const files = createSite(fs, resolve(args.directory), siteSources(fs));
    for (const file of files) this.log(`${args.directory.replace(/\/+$/, '')}/${file}`);
    return { directory: resolve(args.directory), files };
  }
}
