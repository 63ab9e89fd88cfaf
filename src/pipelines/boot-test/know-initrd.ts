import { sidecarPath } from '../../archive/sidecar.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { BootSubject } from '../../stages/boot-test/prepare-lab-files.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';
import type { SelfCheck } from '../../vm/self-check-report.js';
import { readSidecar } from '../initrd/ask-why.js';
import { makeDriverSegment } from '../initrd/make-driver-segment.js';

/** What a boot test wants to know about its initrd. */
export interface InitrdQuestion {
  readonly subject: BootSubject;
  /** The NIC of the virtual machine. */
  readonly nic: EmulatedNic;
  /** Modules that the initrd must have; those that it was made for by default. */
  readonly modules?: readonly string[];
}

/** What is known about the initrd from the sidecar that `mkroot initrd` writes beside it. */
export interface KnownInitrd {
  readonly modules: readonly string[];
  /** One per module: the published initrd has it. */
  readonly checks: readonly SelfCheck[];
  readonly segment: { readonly driverSegment?: BytePath };
}

/**
 * Reads the sidecar and makes the segment with the driver that only the virtual machine needs. Of an initrd from elsewhere
 * nothing is known: it must have the driver itself, or come with a segment.
 */
export async function knowInitrd(
  ports: Ports,
  { subject, nic, modules: wanted }: InitrdQuestion,
  segmentFile: BytePath,
): Promise<KnownInitrd> {
  const given = subject.driverSegment === undefined ? {} : { driverSegment: subject.driverSegment };
  if (ports.fs.lstat(sidecarPath(subject.initrd)) === undefined) {
    return { modules: wanted ?? [], checks: [], segment: given };
  }
  const { nics, modules, builtins } = readSidecar(ports.fs, subject.initrd);
  const checked = wanted ?? nics;
  const present = new Set([...modules, ...builtins]);
  const checks = checked.map((name) => ({
    name: `initrd-has-${name}`,
    passed: present.has(name),
    detail: present.has(name) ? 'in the published initrd' : 'neither a module of the initrd nor built in',
  }));
  if (subject.driverSegment !== undefined) return { modules: checked, checks, segment: given };
  ports.fs.writeFile(
    segmentFile,
    await makeDriverSegment(ports, {
      root: subject.root,
      initrd: subject.initrd,
      nics: [{ value: nic, reason: { kind: 'option', option: `--emulated-nic ${nic}` } }],
    }),
  );
  return { modules: checked, checks, segment: { driverSegment: segmentFile } };
}
