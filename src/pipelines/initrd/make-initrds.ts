import { ExitCode, MkrootError } from '../../errors.js';
import { resolveRequest } from '../../kmod/driver-request.js';
import { openKernel } from '../../kmod/kernel.js';
import { ModuleLookup } from '../../kmod/module-lookup.js';
import { Unpacker } from '../../kmod/unpacker.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { driverRequest } from '../../stages/initrd/collect-modules.js';
import { type InitrdRequest, type InitrdResult, makeInitrd } from './make-initrd.js';

/**
 * Makes the initramfs of each kernel of an image, one after the other.
 * @throws MkrootError NotFound, before anything is written, for a driver that none of the kernels has.
 */
export async function makeInitrds(
  ports: Ports,
  requests: readonly [InitrdRequest, ...InitrdRequest[]],
): Promise<[InitrdResult, ...InitrdResult[]]> {
  if (requests.length > 1) await requireDrivers(ports, requests);
  const [first, ...further] = requests;
  const results: [InitrdResult, ...InitrdResult[]] = [await makeInitrd(ports, first)];
  for (const request of further) results.push(await makeInitrd(ports, request));
  return results;
}

async function requireDrivers(
  { fs, runner }: Ports,
  requests: readonly [InitrdRequest, ...InitrdRequest[]],
): Promise<void> {
  const kernels = requests.map(({ root, kernel }) => openKernel(new Sysroot(fs, root), kernel));
  const unpacker = new Unpacker(fs, runner);
  const lookups = kernels.map((kernel) => ({ kernel, lookup: new ModuleLookup(kernel, unpacker) }));
  const [{ nics, drivers }] = requests;
  for (const request of [
    ...nics.map((wanted) => driverRequest(wanted, 'nic')),
    ...drivers.map((wanted) => driverRequest(wanted, 'driver')),
  ]) {
    const errors: MkrootError[] = [];
    for (const { kernel, lookup } of lookups) {
      try {
        await resolveRequest(kernel, lookup, request);
        break;
      } catch (error) {
        if (!(error instanceof MkrootError) || error.exitCode !== ExitCode.NotFound) throw error;
        errors.push(error);
      }
    }
    const [first] = errors;
    if (first === undefined || errors.length < lookups.length) continue;
    const others = kernels.slice(1).map(({ release }) => release);
    throw new MkrootError(`${first.message}, nor have ${others.join(', ')}`, {
      exitCode: ExitCode.NotFound,
      ...(first.hint === undefined ? {} : { hint: first.hint }),
      cause: first,
    });
  }
}
