import { ExitCode, MkrootError } from '../../errors.js';
import type { Ports } from '../../ports/ports.js';
import type { MachineType } from '../../vm/machine-types.js';

/**
 * Looks for the programs of a boot test before anything is started.
 * @param lab with DHCP, TFTP and NFS servers in namespaces of their own; without, QEMU alone is enough
 * @throws MkrootError with exit code MissingTool that names every missing one and its package.
 */
export function requireLabTools(
  { runner }: Pick<Ports, 'runner'>,
  { program, package: brings }: MachineType,
  lab: boolean,
): void {
  const packages: Readonly<Record<string, string>> = {
    [program]: brings,
    ...(lab
      ? {
          unshare: 'util-linux',
          nsenter: 'util-linux',
          ip: 'iproute2',
          dnsmasq: 'dnsmasq-base',
          rpcbind: 'rpcbind',
          'ganesha.nfsd': 'nfs-ganesha and nfs-ganesha-vfs',
        }
      : {}),
  };
  requirePrograms({ runner }, packages);
}

/**
 * Looks for what storms need beside a boot test's programs: links of a limited width.
 * @throws MkrootError with exit code MissingTool.
 */
export function requireShapingTools(ports: Pick<Ports, 'runner'>): void {
  requirePrograms(ports, { tc: 'iproute2' });
}

function requirePrograms(
  { runner }: Pick<Ports, 'runner'>,
  packages: Readonly<Record<string, string>>,
): void {
  const missing = Object.entries(packages).filter(([program]) => runner.which(program) === undefined);
  if (missing.length === 0) return;
  throw new MkrootError(
    `Cannot make a boot test: ${missing.map(([program]) => program).join(', ')} not installed`,
    {
      exitCode: ExitCode.MissingTool,
      hint: `On Debian install ${missing.map(([, name]) => name).join('; ')}.`,
    },
  );
}
