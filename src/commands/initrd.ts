import { Args, Flags } from '@oclif/core';
import { COMPRESSIONS } from '../archive/compression.js';
import { formatSize, renderExplanation } from '../archive/explain.js';
import { BaseCommand } from '../cli/base-command.js';
import { packageDirectories } from '../cli/package-directories.js';
import { explainInitrd } from '../pipelines/initrd/ask-why.js';
import { makeInitrds } from '../pipelines/initrd/make-initrds.js';
import { planInitrds } from '../pipelines/initrd/plan-initrd.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** `mkroot initrd`: the initramfs of an image or of any root directory. */
export default class Initrd extends BaseCommand {
  static override summary = 'Make the initramfs of an image that mkroot built, or of any root directory';

  static override description =
    `Of an image with several kernels, one initramfs is made for each. Nothing of the root is run, so its architecture does not matter. Beside the initramfs a file <initrd>.json says why each entry is in it.`;

  static override examples = [
    '<%= config.bin %> initrd --nic tg3',
    '<%= config.bin %> initrd --root /srv/root --kernel 6.12.117+deb13-amd64 --nic 14e4:1657 --output initrd.img',
    "<%= config.bin %> initrd compute --nic 'bnx2*' --program /usr/bin/strace --explain",
  ];

  static override args = {
    recipe: Args.string({
      description: 'image to make it for, by the name of its recipe; the one that was built last by default',
    }),
  };

  static override flags = {
    root: Flags.string({ description: 'root directory, instead of an image', helpValue: 'DIR' }),
    kernel: Flags.string({
      description:
        'only for this kernel; by default for each kernel of the image, or for the newest of a root',
      helpValue: 'VERSION',
    }),
    nic: Flags.string({
      description: 'network driver: module name, PCI id (14e4:1657) or glob; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'DRIVER',
    }),
    driver: Flags.string({
      description: 'further kernel module, by name or glob; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'MODULE',
    }),
    transport: Flags.option({
      description: 'way in which nodes get their root, besides nfs; may be repeated',
      options: ['nfs', 'squashfs-nfs', 'squashfs-http', 'erofs-nfs', 'erofs-http'] as const,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    top: Flags.option({
      description: 'writable top of nodes, besides memory; may be repeated',
      options: ['disk', 'image', 'partitions', 'unionfs'] as const,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    program: Flags.string({
      description: 'program of the root, with its libraries and data files; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
    }),
    file: Flags.string({
      description: 'file or directory of this machine; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'SRC:DST',
    }),
    compress: Flags.option({ description: 'zstd by default', options: COMPRESSIONS })(),
    output: Flags.string({
      char: 'o',
      description:
        "where to write it, in a directory that is there; default: beside the image's generations, or ./initrd-VERSION.img",
      helpValue: 'FILE',
    }),
    strict: Flags.boolean({ description: 'missing firmware is an error' }),
    explain: Flags.boolean({ description: 'print what brought each file, with sizes' }),
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Initrd);
    const ports = this.ports({ verbose: flags.verbose });
    const plans = planInitrds(ports.fs, { ...flags, recipe: args.recipe });
    const { image } = plans[0];
    if (args.recipe === undefined && image !== undefined)
      ports.progress.note(`Image ${image.name} (built last), ${image.generation}`);
    const shared = { ...packageDirectories(), version: this.config.version, signal: this.interrupted };
    const [plan, ...morePlans] = plans;
    const results = await makeInitrds(ports, [
      { ...plan, ...shared },
      ...morePlans.map((more) => ({ ...more, ...shared })),
    ]);
    for (const result of results) {
      if (flags.explain) this.log(renderExplanation(explainInitrd(ports.fs, toBytePath(result.path))));
      this.log(
        `${displayPath(toBytePath(result.path))}: ${formatSize(result.sizes.packed)} (${formatSize(result.sizes.unpacked)} unpacked), ` +
          `kernel ${result.kernel}, ${result.modules.length} modules, sha256 ${result.sha256.slice(0, 16)}…`,
      );
      if (result.builtins.length > 0) this.log(`  built into that kernel: ${result.builtins.join(', ')}`);
    }
    const [newest, ...further] = results;
    return further.length === 0 ? newest : { ...newest, further };
  }
}
