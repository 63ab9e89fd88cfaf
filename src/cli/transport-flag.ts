import { Flags } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';
import type { BootParameters } from '../netboot/kernel-command-line.js';
import { IMAGE_TRANSPORTS, type ImageTransport } from '../vm/image-transport.js';
import { STORM_TRANSPORTS, type StormTransport } from '../vm/storm-report.js';

const NFS_TRANSPORTS = ['nfs-3', 'nfs-4.1', 'nfs-4.2'] as const;
const TRANSPORTS = [...NFS_TRANSPORTS, ...IMAGE_TRANSPORTS] as const;

/** By its name on the command line, how a node gets its root. */
export type TransportName = (typeof TRANSPORTS)[number];

/** The options of `mkroot qemu-test` that say how nodes get their root. */
export const TRANSPORT_FLAGS = {
  nfsvers: Flags.option({
    options: ['3', '4.1', '4.2'] as const,
    description: 'NFS version of the base and the layers; 3 by default',
    exclusive: ['storm'],
  })(),
  transport: Flags.option({
    options: TRANSPORTS,
    description:
      'how the node gets its root; nfs-3 by default; of storms: may be repeated, all that the initrd can by default',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    exclusive: ['nodes'],
  })(),
} as const;

type NfsVersion = NonNullable<BootParameters['nfsVersion']>;

/**
 * What the options come to for one boot.
 * @throws MkrootError Usage for several transports, or two versions of NFS.
 */
export function bootTransport(
  names: readonly TransportName[],
  nfsvers: NfsVersion | undefined,
): { readonly nfsVersion: NfsVersion; readonly transport?: ImageTransport } {
  const [name, ...others] = names;
  if (name === undefined) return { nfsVersion: nfsvers ?? '3' };
  if (others.length > 0) {
    throw new MkrootError(`Cannot boot by ${names.join(' and ')}: a node has one transport`, {
      exitCode: ExitCode.Usage,
      hint: 'Boot it once for each; --storm takes several.',
    });
  }
  const image = IMAGE_TRANSPORTS.find((transport) => transport === name);
  if (image !== undefined) return { nfsVersion: nfsvers ?? '3', transport: image };
  const version = (['3', '4.1', '4.2'] as const).find((one) => name === `nfs-${one}`) ?? '3';
  if (nfsvers === undefined || nfsvers === version) return { nfsVersion: version };
  throw new MkrootError(`Cannot boot by ${name} with --nfsvers ${nfsvers}: these are two versions`, {
    exitCode: ExitCode.Usage,
    hint: 'Leave --nfsvers out.',
  });
}

/**
 * The transports of storms.
 * @throws MkrootError Usage for one that storms do not have.
 */
export function stormTransports(names: readonly TransportName[]): readonly StormTransport[] {
  return names.map((name) => {
    const found = STORM_TRANSPORTS.find((transport) => transport === name);
    if (found !== undefined) return found;
    throw new MkrootError(`Cannot boot a storm by ${name}: storms have no such transport`, {
      exitCode: ExitCode.Usage,
      hint: `They have ${STORM_TRANSPORTS.join(', ')}.`,
    });
  });
}
