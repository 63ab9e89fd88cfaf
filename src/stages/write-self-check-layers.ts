import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import { Sysroot } from '../rootfs/sysroot.js';
import type { LabExport } from '../vm/lab-config.js';

/** What the self-check holds the node against. */
export interface ExpectedNode {
  readonly hostname: string;
  /** Kernel modules that the root must have and that must load. */
  readonly modules: readonly string[];
  /** The serial port that gets the report, such as /dev/ttyS1. */
  readonly reportPort: string;
  /** Directory with self-check.sh and mkroot-self-check.service, shipped in qemu/self-check. */
  readonly shippedFiles: BytePath;
  /** /etc/mkroot/persistent, and the directory that it may name as /kept. */
  readonly persistent?: { readonly list: string; readonly directory: BytePath };
  /** Shell script of a scenario, which the self-check runs in the end. */
  readonly guestScript?: string;
}

/** The layers above the base, topmost first, as the node sees their names below /run/mkroot. */
const LAYERS = ['host', 'cluster'] as const;

const UNIT = 'mkroot-self-check.service';
const OWN_DIRECTORY = 'etc/mkroot-self-check';

/**
 * Writes the lab's own layers: a host layer with the self-check and its systemd unit, and a cluster layer below it. Both
 * have a file of the same name that tells them apart, so that the merged tree shows which one is on top.
 *
 * A merged directory has the owner and mode of the topmost layer, so directories that the base has too get the base's.
 */
export function writeSelfCheckLayers(
  fs: FileSystem,
  directory: BytePath,
  root: BytePath,
  { hostname, modules, reportPort, shippedFiles, guestScript, persistent }: ExpectedNode,
): LabExport[] {
  const base = new Sysroot(fs, root);
  const files: Readonly<Record<(typeof LAYERS)[number], Readonly<Record<string, string | Uint8Array>>>> = {
    host: {
      [`${OWN_DIRECTORY}/layer`]: 'host\n',
      [`${OWN_DIRECTORY}/expected.sh`]: expectation(hostname, modules, reportPort),
      [`${OWN_DIRECTORY}/self-check.sh`]: fs.readFile(`${shippedFiles}/self-check.sh`),
      ...(guestScript === undefined ? {} : { [`${OWN_DIRECTORY}/scenario.sh`]: guestScript }),
      ...(persistent === undefined ? {} : { 'etc/mkroot/persistent': persistent.list }),
      [`etc/systemd/system/${UNIT}`]: fs.readFile(`${shippedFiles}/${UNIT}`),
    },
    cluster: { [`${OWN_DIRECTORY}/layer`]: 'cluster\n' },
  };
  const layers = LAYERS.map((layer): LabExport => {
    const top = `${directory}/layers/${layer}`;
    fs.mkdir(top);
    takeOver(fs, base, '/', top);
    for (const [name, content] of Object.entries(files[layer])) {
      makeParents(fs, base, top, name);
      fs.writeFile(`${top}/${name}`, content);
      fs.chown(`${top}/${name}`, 0, 0);
    }
    if (layer === 'host') {
      const wanted = `etc/systemd/system/multi-user.target.wants/${UNIT}`;
      makeParents(fs, base, top, wanted);
      fs.symlink(`../${UNIT}`, `${top}/${wanted}`);
    }
    return { name: `/${layer}`, directory: top };
  });
  if (persistent === undefined) return layers;
  return [...layers, { name: '/kept', directory: persistent.directory, writable: true }];
}

/** expected.sh: what self-check.sh reads. Names are checked, not quoted: none of them has a reason to need it. */
function expectation(hostname: string, modules: readonly string[], reportPort: string): string {
  for (const word of [hostname, ...modules]) {
    if (!/^[\w.-]+$/.test(word)) {
      throw new MkrootError(`Cannot check "${word}" in the node: it is not a plain name`, {
        exitCode: ExitCode.Usage,
        hint: 'Give module names such as tg3; PCI ids and globs are for `mkroot initrd`.',
      });
    }
  }
  return [
    `REPORT='${reportPort}'`,
    `EXPECT_HOSTNAME='${hostname}'`,
    `EXPECT_LAYERS='${[...LAYERS, 'base'].join(' ')}'`,
    `EXPECT_MODULES='${modules.join(' ')}'`,
    '',
  ].join('\n');
}

function makeParents(fs: FileSystem, base: Sysroot, top: BytePath, name: string): void {
  const parts = name.split('/').slice(0, -1);
  for (const index of parts.keys()) {
    const inside = `/${parts.slice(0, index + 1).join('/')}`;
    if (fs.lstat(`${top}${inside}`) !== undefined) continue;
    fs.mkdir(`${top}${inside}`);
    takeOver(fs, base, inside, `${top}${inside}`);
  }
}

function takeOver(fs: FileSystem, base: Sysroot, inside: BytePath, path: BytePath): void {
  const found = base.resolveLink(inside);
  if (found !== undefined && found.stat.kind !== 'directory') {
    throw new MkrootError(
      `Cannot put a layer over "${displayPath(found.hostPath)}": it is a ${found.stat.kind}, not a directory`,
    );
  }
  fs.chmod(path, found?.stat.mode ?? 0o755);
  fs.chown(path, found?.stat.uid ?? 0, found?.stat.gid ?? 0);
}
