import { fileEntry, hostFileEntry } from '../../archive/entry.js';
import { describeReason, type Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import { busModulesOf } from '../../kmod/driver-bus.js';
import type { ModuleRequest } from '../../kmod/driver-request.js';
import type { Kernel } from '../../kmod/kernel.js';
import type { ModuleCause } from '../../kmod/module-cause.js';
import { type ModuleClosure, resolveModules } from '../../kmod/module-closure.js';
import { textIndexes } from '../../kmod/text-indexes.js';
import { type Transport, transportModules } from '../../kmod/transport-modules.js';
import { Unpacker } from '../../kmod/unpacker.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { Wanted } from './wanted.js';

/** What the kernel of the image has to be able to do. */
export interface WantedModules {
  readonly nics: readonly Wanted[];
  readonly drivers: readonly Wanted[];
  /** Ways of getting a root besides NFS. */
  readonly transports: readonly Wanted[];
  /** Writable tops besides memory: disk, image, partitions, unionfs. */
  readonly tops: readonly Wanted[];
  /** Missing firmware is an error. */
  readonly strict: boolean;
  /** What the kernel does not have is left out, with a warning; an error by default. */
  readonly lenient?: boolean;
}

/** What was collected. */
export interface CollectedModules {
  readonly closure: ModuleClosure;
  /** Modules, built-in ones too, that the wanted network drivers came to; dependencies left out. */
  readonly nics: readonly string[];
  /** The same for the further drivers. */
  readonly drivers: readonly string[];
}

/** The transports that every initramfs of mkroot speaks. */
const TRANSPORTS = ['dhcp', 'nfs', 'overlay'] as const;

/** A request to the closure, with the wish that it stands for. */
interface LabelledRequest extends ModuleRequest {
  readonly group: 'transport' | 'nic' | 'driver';
  readonly reason: Reason;
}

/**
 * Adds the modules for the network drivers, for DHCP, NFS and overlayfs, and for whatever else was asked, with dependencies
 * and firmware, unpacked, and indexes for just these.
 */
export async function collectModules(
  tree: ArchiveTree,
  { fs, runner }: Ports,
  kernel: Kernel,
  { nics, drivers, transports, tops, strict, lenient = false }: WantedModules,
): Promise<CollectedModules> {
  const requests: LabelledRequest[] = [
    ...TRANSPORTS.flatMap((transport) =>
      requestsFor(transport, { kind: 'base', what: `kernel modules for ${transport}` }),
    ),
    // Whether the file comes by NFS or HTTP makes no difference to the kernel.
    ...(['squashfs', 'erofs'] as const).flatMap((format) => {
      const first = transports.find(({ value }) => value.startsWith(`${format}-`));
      return first === undefined ? [] : requestsFor(format, first.reason);
    }),
    ...(['ext4', 'fuse'] as const).flatMap((kind) => {
      const first = tops.find(({ value }) => (value === 'unionfs' ? 'fuse' : 'ext4') === kind);
      return first === undefined ? [] : requestsFor(kind, first.reason);
    }),
    ...nics.map((wanted) => userRequest(wanted, 'nic', lenient)),
    ...drivers.map((wanted) => userRequest(wanted, 'driver', lenient)),
    // Last, so that a bus that was asked for by name is known as that.
    ...[...nics, ...drivers].flatMap((wanted) => busRequests(wanted, kernel)),
  ];
  const byLabel = new Map(requests.map((request) => [request.label, request]));
  const closure = await resolveModules(kernel, requests, { unpacker: new Unpacker(fs, runner), strict });
  addClosure(tree, kernel, closure, byLabel);
  const requestedBy = (group: LabelledRequest['group']) =>
    [...closure.modules, ...closure.builtins]
      .filter(({ cause }) => cause.kind === 'requested' && byLabel.get(cause.by)?.group === group)
      .map(({ name }) => name);
  return { closure, nics: requestedBy('nic'), drivers: requestedBy('driver') };
}

function requestsFor(transport: Transport, reason: Reason): LabelledRequest[] {
  return transportModules(transport).map(({ name, optional }) => ({
    what: name,
    kind: 'driver',
    label: `transport ${transport}: ${name}`,
    optional,
    group: 'transport',
    reason,
  }));
}

function busRequests({ value, reason }: Wanted, { modules }: Kernel): LabelledRequest[] {
  return busModulesOf(value, modules).map((bus) => ({
    what: bus,
    kind: 'driver',
    label: `bus of ${value}: ${bus}`,
    optional: true,
    group: 'transport',
    reason,
  }));
}

function userRequest(wanted: Wanted, kind: ModuleRequest['kind'], lenient: boolean): LabelledRequest {
  return {
    ...driverRequest(wanted, kind),
    group: kind,
    reason: wanted.reason,
    ...(lenient ? { optional: 'with a warning' } : {}),
  };
}

/** The request for a driver that the user wants, with the place where they said so. */
export function driverRequest({ value, reason }: Wanted, kind: ModuleRequest['kind']): ModuleRequest {
  const label = reason.kind === 'recipe' ? `${reason.file}:${reason.line}: ${value}` : describeReason(reason);
  return { what: value, kind, label };
}

function addClosure(
  tree: ArchiveTree,
  kernel: Kernel,
  closure: ModuleClosure,
  requests: ReadonlyMap<string, LabelledRequest>,
): void {
  for (const { target, data, cause } of closure.modules) {
    tree.add(fileEntry(relative(target), data, reasonOf(cause, requests)));
  }
  for (const { target, data, hostPath, cause } of closure.firmware) {
    const reason = reasonOf(cause, requests);
    const size = kernel.sysroot.fs.lstat(hostPath)?.size ?? 0;
    tree.add(
      data === undefined
        ? hostFileEntry(relative(target), { hostPath, size }, reason)
        : fileEntry(relative(target), data, reason),
    );
  }
  for (const { target, text } of textIndexes(kernel, closure)) {
    tree.add(
      fileEntry(relative(target), Buffer.from(text, 'latin1'), { kind: 'index', of: 'the modules above' }),
    );
  }
}

function reasonOf(cause: ModuleCause, requests: ReadonlyMap<string, LabelledRequest>): Reason {
  switch (cause.kind) {
    case 'requested':
      return requests.get(cause.by)?.reason ?? { kind: 'base', what: cause.by };
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

function relative(path: BytePath): BytePath {
  return path.replace(/^\/+/, '');
}
