import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { ProcessRunner } from '../../ports/process-runner.js';

/** A network image of GRUB. */
interface GrubImage {
  /** Its name in the directory of images. */
  readonly file: string;
  /** As `grub-mkimage --format` calls it. */
  readonly format: string;
  /** Where the modules are that it is made of. */
  readonly source: BytePath;
  /** What it talks to the network by. */
  readonly driver: string;
  readonly packages: string;
}

const IMAGES: readonly GrubImage[] = [
  {
    file: 'core.0',
    format: 'i386-pc-pxe',
    source: '/usr/lib/grub/i386-pc',
    driver: 'pxe',
    packages: 'grub-pc-bin (Debian) or grub2-pc-modules (EL)',
  },
  {
    file: 'core.efi',
    format: 'x86_64-efi',
    source: '/usr/lib/grub/x86_64-efi',
    driver: 'efinet',
    packages: 'grub-efi-amd64-bin (Debian) or grub2-efi-x64-modules (EL)',
  },
];

/** Everything that a grub.cfg of mkroot uses: an image fetches no modules. */
const MODULES = [
  ...['tftp', 'normal', 'configfile', 'linux', 'minicmd', 'regexp', 'test', 'echo', 'sleep'],
  ...['serial', 'terminal', 'reboot', 'halt', 'ls', 'cat'],
];

/** Where nodes' GRUB looks for its configuration, below the TFTP root. */
const PREFIX = '/grub';

/** Where the images of a state directory are kept; nothing has to exist. */
export function grubImageDirectory(state: BytePath): BytePath {
  return `${state}/grub`;
}

/**
 * Makes GRUB's network images for BIOS and UEFI out of the modules that are installed here, unless they are there and not
 * older than these.
 * @returns what is missing on this machine, in words.
 */
export async function makeGrubImages(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  directory: BytePath,
): Promise<string[]> {
  const missing: string[] = [];
  for (const { file, format, source, driver, packages } of IMAGES) {
    const kernel = fs.lstat(`${source}/kernel.img`);
    if (kernel === undefined) {
      missing.push(`Missing boot loader grub/${file}: install ${packages}`);
      continue;
    }
    const path = `${directory}/${file}`;
    const made = fs.lstat(path);
    if (made !== undefined && made.mtime >= kernel.mtime) continue;
    fs.mkdir(directory, 0o755);
    const beside = `${path}.new`;
    await runner.run({
      argv: [
        'grub-mkimage',
        ...['--format', format, '--prefix', PREFIX, '--directory', displayPath(source)],
        ...['--output', displayPath(beside), driver, ...MODULES],
      ],
    });
    fs.chmod(beside, 0o644);
    fs.rename(beside, path);
  }
  return missing;
}
