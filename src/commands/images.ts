import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { openSite } from '../cli/site.js';
import { toBytePath } from '../ports/byte-path.js';

/** `mkroot images`: what was built, and who boots it. */
export default class Images extends BaseCommand {
  static override summary = 'List images and their generations, and which nodes boot them';

  static override description =
    'The IDs are those that `mkroot rollback --to` and `mkroot node set --generation` take. Nodes are those whose boot files name a generation, and those that nodes.yaml pins to it.';

  static override examples = [
    '<%= config.bin %> images',
    '<%= config.bin %> images compute',
    '<%= config.bin %> images --json',
  ];

  static override args = { image: Args.string({ description: 'name of an image; all by default' }) };

  static override flags = { site: BaseCommand.siteFlag, state: BaseCommand.stateFlag };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Images);
    const { fs } = this.ports({ verbose: flags.verbose });
    const { imagesText, listImages } = await import('../pipelines/publish/list-images.js');
    const generations = listImages(fs, {
      state: toBytePath(resolve(flags.state)),
      site: openSite(fs, flags.site),
      ...(args.image === undefined ? {} : { image: args.image }),
    });
    for (const line of imagesText(generations)) this.log(line);
    return {
      generations: generations.map(({ made, kernels, pinned, ...rest }) => ({
        ...rest,
        made: made ?? null,
        kernels: kernels ?? null,
        pinned: pinned ?? null,
      })),
    };
  }
}
