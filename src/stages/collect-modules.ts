import { fileEntry, hostFileEntry } from '../archive/entry.js';
import type { Reason } from '../archive/reason.js';
import type { ArchiveTree } from '../archive/tree.js';
import type { ModuleRequest } from '../kmod/driver-request.js';
import type { Kernel } from '../kmod/kernel.js';
import type { ModuleCause } from '../kmod/module-cause.js';
import { type ModuleClosure, resolveModules } from '../kmod/module-closure.js';
import { textIndexes } from '../kmod/text-indexes.js';
import { transportModules } from '../kmod/transport-modules.js';
import { Unpacker } from '../kmod/unpacker.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import type { Wanted } from './wanted.js';

/** What the kernel of the image has to be able to do. */
export interface WantedModules {
  readonly nics: readonly Wanted[];
  readonly drivers: readonly Wanted[];
  /** Missing firmware is an error. */
  readonly strict: boolean;
}

/** The transports that every initramfs of mkroot speaks. */
const TRANSPORTS = ['dhcp', 'nfs', 'overlay'] as const;

/**
 * Adds the modules for the network drivers, for DHCP, NFS and overlayfs, and for whatever else was asked, with dependencies
 * and firmware, unpacked, and indexes for just these.
 */
export async function collectModules(
  tree: ArchiveTree,
  { fs, runner }: Ports,
  kernel: Kernel,
  { nics, drivers, strict }: WantedModules,
): Promise<ModuleClosure> {
  const reasons = new Map<string, Reason>();
  const request = (what: string, kind: ModuleRequest['kind'], reason: Reason, optional = false): ModuleRequest => {
    const label = labelOf(reason, what);
    reasons.set(label, reason);
    return { what, kind, label, optional };
  };
  const requests = [
    ...TRANSPORTS.flatMap((transport) =>
      transportModules(transport).map(({ name, optional }) =>
        request(name, 'driver', { kind: 'base', what: `kernel modules for ${transport}` }, optional),
      ),
    ),
    ...nics.map(({ value, reason }) => request(value, 'nic', reason)),
    ...drivers.map(({ value, reason }) => request(value, 'driver', reason)),
  ];
  const closure = await resolveModules(kernel, requests, { unpacker: new Unpacker(fs, runner), strict });
  addClosure(tree, kernel, closure, reasons);
  return closure;
}

function addClosure(
  tree: ArchiveTree,
  kernel: Kernel,
  closure: ModuleClosure,
  reasons: ReadonlyMap<string, Reason>,
): void {
  for (const { target, data, cause } of closure.modules) {
    tree.add(fileEntry(relative(target), data, reasonOf(cause, reasons)));
  }
  for (const { target, data, hostPath, cause } of closure.firmware) {
    const reason = reasonOf(cause, reasons);
    const size = kernel.sysroot.fs.lstat(hostPath)?.size ?? 0;
    tree.add(
      data === undefined
        ? hostFileEntry(relative(target), { hostPath, size }, reason)
        : fileEntry(relative(target), data, reason),
    );
  }
  for (const { target, text } of textIndexes(kernel, closure)) {
    tree.add(fileEntry(relative(target), Buffer.from(text, 'latin1'), { kind: 'index', of: 'the modules above' }));
  }
}

function reasonOf(cause: ModuleCause, reasons: ReadonlyMap<string, Reason>): Reason {
  switch (cause.kind) {
    case 'requested':
      return reasons.get(cause.by) ?? { kind: 'base', what: cause.by };
    case 'dependency':
      return { kind: 'module-dependency', of: cause.of };
    case 'softdep':
      return { kind: 'softdep', of: cause.of, when: 'pre' };
    case 'weakdep':
      return { kind: 'softdep', of: cause.of, when: 'weak' };
    case 'phy':
      return { kind: 'phy', of: cause.of };
    case 'firmware':
      return { kind: 'firmware', of: cause.of };
  }
}

/** How a request is called in messages; unique, so that the reason can be found again. */
function labelOf(reason: Reason, what: string): string {
  switch (reason.kind) {
    case 'option':
      return reason.option;
    case 'recipe':
      return `${reason.file}:${reason.line} ${what}`;
    case 'base':
      return `${reason.what} (${what})`;
    default:
      return what;
  }
}

function relative(path: BytePath): BytePath {
  return path.replace(/^\/+/, '');
}
