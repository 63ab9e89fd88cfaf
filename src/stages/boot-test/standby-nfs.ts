import { renderGanesha } from '../../netboot/ganesha.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { LabExport } from '../../vm/lab-config.js';
import {
  MOVING_ADDRESS_ARRIVES,
  MOVING_ADDRESS_LEAVES,
  STANDBY_JOINS,
  STANDBY_RISES,
  STANDBY_SERVER,
} from '../../vm/lab-network.js';
import type { Service } from '../serve/start-service.js';

/** Runs a program inside the lab, with this as its input. */
export type RunInside = (argv: readonly string[], input?: string) => Promise<unknown>;

const STANDBY_IP = ['ip', '-netns', STANDBY_SERVER.namespace, '-batch', '-'];

/** The usual exports of a lab as nfs-ganesha is configured. Export ids, which are part of the file handles, follow from their order. */
export function labGanesha(
  exports: readonly LabExport[],
  bindAddress: string,
  recoveryRoot: BytePath,
): string {
  return renderGanesha({
    exports: exports.map(({ name, directory, writable }) => ({
      path: directory,
      mountedAs: name,
      ...(writable ? { access: 'RW' as const } : {}),
    })),
    bindAddress,
    recoveryRoot,
  });
}

/**
 * Makes the machine of a second NFS server, a network namespace on the lab's bridge, and says how to start the server there: with the
 * same exports, hence the same file handles. It runs, but has no address until {@link moveAddress}.
 */
export async function prepareStandbyNfs(inside: RunInside, configuration: BytePath): Promise<Service> {
  await inside(['mkdir', '-p', '/run/netns']);
  await inside(['ip', '-batch', '-'], STANDBY_JOINS);
  await inside(STANDBY_IP, STANDBY_RISES);
  // The device tells the others which addresses are at its own when that changes.
  await inside(inStandby(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_notify']));
  return {
    name: 'standby-nfs',
    argv: inStandby([
      ...['ganesha.nfsd', '-F', '-f', configuration],
      ...['-L', 'STDOUT', '-p', '/run/standby-ganesha.pid'],
    ]),
    readyLine: /NFS SERVER INITIALIZED/,
  };
}

/** Takes the address that nodes mount from to the second server. */
export async function moveAddress(inside: RunInside): Promise<void> {
  await inside(['ip', '-batch', '-'], MOVING_ADDRESS_LEAVES);
  await inside(STANDBY_IP, MOVING_ADDRESS_ARRIVES);
}

function inStandby(argv: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', STANDBY_SERVER.namespace, ...argv];
}
