import { dirname } from 'node:path/posix';
import { COMPRESSIONS, compress } from '../../archive/compression.js';
import { fileEntry } from '../../archive/entry.js';
import { newcBytes } from '../../archive/newc-writer.js';
import { allRecords, readSegments } from '../../archive/segments.js';
import { type Sidecar, sidecarEntry, sidecarPath } from '../../archive/sidecar.js';
import { suggestion } from '../../decode/nearest-name.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import { type Kernel, openKernel } from '../../kmod/kernel.js';
import { normalizeName } from '../../kmod/module-name.js';
import { initrdSettingsPath, withFurtherModules } from '../../netboot/initrd-settings.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { sha256 } from '../../ports/sha256.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { isWildcard, matchesWildcard } from '../../rootfs/wildcard.js';
import { writeInitrdFiles } from '../../stages/initrd/write-initrd.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';
import { readSidecar } from './ask-why.js';
import { collectMissingModules } from './make-driver-segment.js';

/** Changed whenever the same initrd and drivers would give another file. */
const FORMAT = 1;

/** An initrd with the drivers that nodes.yaml wants for some nodes beside those of the image's own initrd. */
export interface DriverInitrd {
  /** The image, with the path of this initrd for its own. */
  readonly image: PublishedImage;
  /** The image's own initrd, which this one begins with. */
  readonly base: BytePath;
  /** Those that it lacks, as nodes.yaml names them. */
  readonly drivers: readonly string[];
  /** False if it has to be made. */
  readonly there: boolean;
}

/** Kernel module for networks whose packets are tagged. */
const VLAN_DRIVER = '8021q';

/** The modules that a node needs beside those of its recipe: those that nodes.yaml names, and what its network takes. */
export function driversOf({ drivers, vlan }: Pick<Node, 'drivers' | 'vlan'>): readonly string[] {
  return [...new Set([...drivers, ...(vlan === undefined ? [] : [VLAN_DRIVER])])].sort();
}

/**
 * What a node's drivers come to: undefined if the image's initrd or its kernel has them all. The file is named after what it is
 * made of, the initrd and the drivers, so that it never changes: nodes whose drivers are the same share it.
 * @throws MkrootError NotFound for a driver that the kernel does not have.
 */
export function planDriverInitrd(
  fs: ReadFileSystem,
  image: PublishedImage,
  node: Pick<Node, 'name' | 'drivers' | 'vlan'>,
): DriverInitrd | undefined {
  const wanted = driversOf(node);
  if (wanted.length === 0) return undefined;
  const published = readSidecar(fs, image.initrd);
  const kernel = openKernel(new Sysroot(fs, image.root), published.kernel);
  const present = new Set(published.modules);
  const drivers = wanted.filter((driver) =>
    modulesOf(kernel, driver, image.name, node.name).some((name) => !present.has(name)),
  );
  if (drivers.length === 0) return undefined;
  const key = sha256(JSON.stringify([FORMAT, published.sha256, drivers]));
  const initrd = `${dirname(image.initrd)}/initrd-${key.slice(0, 16)}.img`;
  const there = [initrd, sidecarPath(initrd)].every((path) => fs.lstat(path) !== undefined);
  return { image: { ...image, initrd, ownInitrd: image.initrd }, base: image.initrd, drivers, there };
}

/** Module files that a name or glob means; none if all that it means is built in, undefined if the kernel knows no such thing. */
export function driverModules(kernel: Kernel, driver: string): string[] | undefined {
  const wanted = normalizeName(driver);
  const matches = isWildcard(driver)
    ? (name: string) => matchesWildcard(wanted, name)
    : (name: string) => name === wanted;
  const found = [...kernel.modules.names()].filter(matches);
  return found.length > 0 || kernel.builtins.names().some(matches) ? found : undefined;
}

function modulesOf(kernel: Kernel, driver: string, image: string, node: string): string[] {
  const found = driverModules(kernel, driver);
  if (found !== undefined) return found;
  const near = isWildcard(driver) ? '' : suggestion(normalizeName(driver), [...kernel.modules.names()]);
  throw new MkrootError(
    `Cannot put driver "${driver}" into the initrd of ${node}: kernel ${kernel.release} of image "${image}" has no such module${near}`,
    { exitCode: ExitCode.NotFound, hint: `Where it is asked for: mkroot nodes show ${node}` },
  );
}

/** Whether a run that was killed left a file of this name, of an initrd with further drivers or of its explanation. */
export function isUnfinishedDriverInitrd(name: BytePath): boolean {
  return /^initrd-[0-9a-f]{16}\.img(\.json)?\.tmp-\d+-\d+$/.test(name);
}

/**
 * Makes the initrd: the image's own, byte for byte, and behind it an archive with what it lacks, which the kernel unpacks over it.
 * @returns warnings, such as missing firmware.
 */
export async function writeDriverInitrd(
  ports: Ports,
  { image, base, drivers }: DriverInitrd,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { fs, runner } = ports;
  const published = readSidecar(fs, base);
  const first = fs.readFile(base);
  const wanted = drivers.map((value) => ({
    value,
    reason: { kind: 'option', option: `drivers of nodes.yaml: ${value}` } as const,
  }));
  const missing = await collectMissingModules(ports, image.root, published, { nics: [], drivers: wanted });
  const kernel = openKernel(new Sysroot(fs, image.root), published.kernel);
  const loaded = drivers.flatMap((driver) => modulesOf(kernel, driver, image.name, image.name));
  missing.tree.add(
    fileEntry(initrdSettingsPath, withFurtherModules(await settingsOf(first, ports), loaded), {
      kind: 'index',
      of: 'drivers of nodes.yaml',
    }),
  );
  const settings = missing.tree.entries().filter(({ path }) => path === initrdSettingsPath);
  const entries = [...missing.entries, ...settings];
  const archive = newcBytes(entries, fs);
  const format = COMPRESSIONS.find((name) => name === published.compression.format) ?? 'none';
  const packed = await compress(archive, format, runner);
  signal?.throwIfAborted();
  // The kernel wants each archive at a multiple of four.
  const bytes = Buffer.concat([first, new Uint8Array((4 - (first.length % 4)) % 4), packed]);
  const { closure } = missing.collected;
  const added = entries.map((entry) => sidecarEntry(entry, missing.tree.reasons(entry.path)));
  const replaced = new Set(added.map(({ path }) => path));
  const warnings = closure.warnings.filter((warning) => !published.warnings.includes(warning));
  const sidecar: Sidecar = {
    ...published,
    sizes: { packed: bytes.length, unpacked: published.sizes.unpacked + archive.length },
    sha256: sha256(bytes),
    modules: closure.modules.filter(({ load }) => load).map(({ name }) => name),
    builtins: closure.builtins.map(({ name }) => name),
    warnings: [...published.warnings, ...warnings],
    entries: [...published.entries.filter(({ path }) => !replaced.has(path)), ...added],
  };
  writeInitrdFiles(fs, image.initrd, bytes, sidecar);
  return warnings;
}

/** The settings of /init in an initramfs of mkroot. */
async function settingsOf(initrd: Uint8Array, { runner }: Ports): Promise<string> {
  const record = allRecords(await readSegments(initrd, runner)).findLast(
    ({ name }) => name === initrdSettingsPath,
  );
  return record === undefined ? '' : Buffer.from(record.data).toString('latin1');
}
