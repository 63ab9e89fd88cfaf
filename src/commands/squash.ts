import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { formatSize } from '../archive/explain.js';
import { BaseCommand } from '../cli/base-command.js';
import { requireRoot } from '../cli/require-root.js';
import { ROOT_IMAGE_FORMATS } from '../images/root-image.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** `mkroot squash [IMAGE]`: the root of a generation becomes one file. */
export default class Squash extends BaseCommand {
  static override summary = 'Make the root of an image into one file: a squashfs, or an erofs';

  static override description =
    'Writes root.squashfs (or root.erofs) and its sha256 beside the root of a generation, for nodes whose transport is squashfs-nfs or squashfs-http (erofs-nfs, erofs-http). The same root gives the same bytes; a file that is there is left alone. See docs/transports.md.';

  static override examples = [
    '<%= config.bin %> squash compute',
    '<%= config.bin %> squash compute --format erofs',
    '<%= config.bin %> squash compute --generation 20261120T041500Z-1a2b3c4d',
  ];

  static override args = {
    image: Args.string({ description: 'name of the image; the one that was built last by default' }),
  };

  static override flags = {
    generation: Flags.string({ description: 'generation; the current one by default', helpValue: 'ID' }),
    format: Flags.option({
      options: ROOT_IMAGE_FORMATS,
      description: 'file system of the file',
      default: 'squashfs' as const,
    })(),
    force: Flags.boolean({ description: 'make it anew' }),
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Squash);
    const ports = this.ports({ verbose: flags.verbose });
    requireRoot(`make root.${flags.format}`, 'it has files that only root can read', 'Run it with sudo.');
    const { packImage } = await import('../pipelines/initrd/pack-image.js');
    const result = await packImage(
      ports,
      {
        state: toBytePath(resolve(flags.state)),
        format: flags.format,
        force: flags.force,
        ...(args.image === undefined ? {} : { image: args.image }),
        ...(flags.generation === undefined ? {} : { generation: flags.generation }),
      },
      this.worker,
    );
    this.log(
      `${displayPath(result.path)}: ${formatSize(result.size)}, sha256 ${result.sha256.slice(0, 16)}…`,
    );
    return { ...result, path: displayPath(result.path) };
  }
}
