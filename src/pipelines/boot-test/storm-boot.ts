import { sidecarPath } from '../../archive/sidecar.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { RootImage } from '../../images/root-image.js';
import { renderKernelCommandLine } from '../../netboot/kernel-command-line.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { BootSubject } from '../../stages/boot-test/prepare-lab-files.js';
import { LAB, LAB_HTTP_PORT } from '../../vm/lab-network.js';
import { STORM_TRANSPORTS, type StormTransport } from '../../vm/storm-report.js';
import { readSidecar } from '../initrd/ask-why.js';
import type { StormBoot } from './run-storm.js';

const NFS_VERSIONS = {
  'nfs-3': '3',
  'nfs-4.1': '4.1',
  'nfs-4.2': '4.2',
  // Of the layers, and of the file.
  'squashfs-nfs': '3',
  'squashfs-http': '3',
} as const satisfies Readonly<Record<StormTransport, '3' | '4.1' | '4.2'>>;

/** Whether the root comes as one file. */
export function isImage(transport: StormTransport): boolean {
  return transport === 'squashfs-nfs' || transport === 'squashfs-http';
}

/**
 * The transports of a storm: those that are wanted, or all that an initrd can. One that another program made is trusted to
 * be able to.
 * @throws MkrootError InvalidInput for a transport that the initrd was not made for.
 */
export function chooseTransports(
  fs: ReadFileSystem,
  initrd: BytePath,
  wanted: readonly StormTransport[] | undefined,
): readonly StormTransport[] {
  const able = canMountImages(fs, initrd);
  if (wanted === undefined) return STORM_TRANSPORTS.filter((transport) => able || !isImage(transport));
  const [impossible] = able ? [] : wanted.filter(isImage);
  if (impossible === undefined) return STORM_TRANSPORTS.filter((transport) => wanted.includes(transport));
  throw new MkrootError(
    `Cannot boot by ${impossible}: the initrd "${displayPath(initrd)}" cannot mount a squashfs`,
    { exitCode: ExitCode.InvalidInput, hint: `Make it anew: mkroot initrd --transport ${impossible}` },
  );
}

function canMountImages(fs: ReadFileSystem, initrd: BytePath): boolean {
  if (fs.lstat(sidecarPath(initrd)) === undefined) return true;
  const { modules, builtins } = readSidecar(fs, initrd);
  const present = new Set([...modules, ...builtins]);
  return present.has('squashfs') && present.has('loop');
}

/** What the nodes of a storm boot that get their root by a transport. */
export function stormBoot(
  transport: StormTransport,
  subject: BootSubject,
  image: RootImage | undefined,
  { console, kernelArguments }: { readonly console: string; readonly kernelArguments: readonly string[] },
): StormBoot {
  const layer = (path: string) => ({ server: LAB.server, path });
  const file = isImage(transport) ? image : undefined;
  const directory = file?.path.slice(0, file.path.lastIndexOf('/'));
  return {
    transport,
    subject: directory === undefined ? subject : { ...subject, image: directory },
    commandLine: renderKernelCommandLine({
      consoles: [console],
      base: file === undefined ? layer('/base') : imageLocation(transport, file),
      cluster: [layer('/cluster')],
      host: layer('/host'),
      nfsVersion: NFS_VERSIONS[transport],
      hostname: LAB.hostname,
      // A node that gives up resets at once, which -no-reboot turns into the end of QEMU.
      panic: 1,
      extra: [...kernelArguments],
    }),
    ...(transport === 'squashfs-http' && directory !== undefined ? { httpDirectory: directory } : {}),
  };
}

function imageLocation(transport: StormTransport, { path, sha256, size }: RootImage) {
  const name = path.slice(path.lastIndexOf('/'));
  const image = { sha256, size };
  return transport === 'squashfs-http'
    ? { server: LAB.server, httpPort: LAB_HTTP_PORT, path: name, image }
    : { server: LAB.server, path: `/image${name}`, image };
}
