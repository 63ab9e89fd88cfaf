import { sidecarPath } from '../archive/sidecar.js';
import type { NetbootNode, NetbootSite } from '../netboot/netboot-site.js';
import { nodeTexts, tftpDirectory } from '../netboot/netboot-tree.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { Ports } from '../ports/ports.js';
import { joinSegments } from '../stages/join-segments.js';
import type { EmulatedNic } from '../vm/emulated-nic.js';
import { readSidecar } from './ask-why.js';
import { makeDriverSegment } from './make-driver-segment.js';
import type { PublishedBoot } from './published-boot.js';
import { publishedTree } from './published-record.js';
import { hostDirectory } from './state-directories.js';

/** A directory of the lab that is mounted over one of the state directory, inside the lab only. */
export interface StandInMount {
  readonly from: BytePath;
  readonly onto: BytePath;
}

/**
 * What stands in for parts of the published state while a lab runs: copies with the self-check, a driver, a serial
 * console. They lie in a directory of their own on the same file system, whose file handles NFS servers can make; the lab's mount
 * namespace shows them in place of what is published. On disk nothing of the state changes.
 */
export class StandIns {
  readonly #mounts = new Map<BytePath, StandInMount>();
  readonly #replaced = new Set<string>();
  readonly #initrds = new Set<BytePath>();
  readonly #made: BytePath[] = [];

  constructor(
    private readonly ports: Ports,
    /** The lab's directory, on the file system of `state`. */
    readonly directory: BytePath,
    readonly state: BytePath,
  ) {}

  /** To be made in the lab before its servers start; what comes later goes into the same directories. */
  get mounts(): readonly StandInMount[] {
    return [...this.#mounts.values()];
  }

  /** What is replaced, in words. */
  get replaced(): readonly string[] {
    return [...this.#replaced];
  }

  /** Shows an empty directory in place of one of the state, which is made if there is none until {@link end}. */
  blank(name: string): BytePath {
    const { fs } = this.ports;
    const [own, published] = [`${this.directory}/${name}`, `${this.state}/${name}`];
    if (fs.lstat(published) === undefined) {
      fs.mkdir(published, 0o755);
      this.#made.push(published);
    }
    fs.mkdir(own, 0o755);
    this.#stand(own, published);
    return own;
  }

  /** Where a copy of a directory that outlives reboots goes; nodes write to it in place of their own. */
  persistent(published: BytePath): BytePath {
    const found = this.#mounts.get(published);
    if (found !== undefined) return found.from;
    const own = `${this.directory}/persistent/${this.#mounts.size}`;
    this.ports.fs.mkdir(`${this.directory}/persistent`, 0o755);
    this.#stand(own, published);
    this.#replaced.add('directories that outlive reboots: as they are at a first boot');
    return own;
  }

  /** Removes the directories that had to be made, once the lab is gone. */
  end(): void {
    for (const path of this.#made) {
      if (this.ports.fs.readdir(path).length === 0) this.ports.fs.remove(path);
    }
  }

  /** Where the copy of a node's published host layer goes: the directory that has `layer` in it. */
  hostVersion(node: string, layer: BytePath): BytePath {
    const [version = ''] = layer.split('/').slice(-2);
    const versions = `${hostDirectory(this.directory, node)}/versions`;
    this.#stand(versions, `${hostDirectory(this.state, node)}/versions`);
    this.#replaced.add('host layers: copies of them, with the self-check');
    this.ports.fs.mkdir(versions, 0o755);
    return `${versions}/${version}`;
  }

  /** Adds the drivers of emulated NICs to an image's initramfs, if it lacks them. */
  async drivers({ image, initrd, layers }: PublishedBoot, nics: readonly EmulatedNic[]): Promise<void> {
    const { fs } = this.ports;
    // Of an initramfs from elsewhere nothing is known: it has to have the drivers.
    if (this.#initrds.has(initrd) || fs.lstat(sidecarPath(initrd)) === undefined) return;
    const { modules, builtins } = readSidecar(fs, initrd);
    const missing = nics.filter((nic) => ![...modules, ...builtins].includes(nic));
    if (missing.length === 0) return;
    this.#initrds.add(initrd);
    const published = `${this.state}/images/${image}/initrds`;
    const copies = `${this.directory}/initrds/${image}`;
    linkTree(fs, published, copies);
    this.#stand(copies, published);
    this.#replaced.add(
      `initramfs of ${image}: ${missing.join(', ')} added, the driver of the virtual machine`,
    );
    const segment = `${this.directory}/drivers-${this.#initrds.size}.img`;
    fs.writeFile(
      segment,
      await makeDriverSegment(this.ports, {
        root: layers.base,
        initrd,
        nics: missing.map((value) => ({
          value,
          reason: { kind: 'option', option: `--emulated-nic ${value}` },
        })),
      }),
    );
    joinSegments(
      fs,
      `${copies}${initrd.slice(published.length)}`,
      [initrd, segment].map((path) => ({ path, size: fs.lstat(path)?.size ?? 0 })),
    );
  }

  /** Gives a node other boot files than the published ones, which are as they would be for `node`. */
  async bootFiles(node: NetbootNode, site: NetbootSite, why: string): Promise<void> {
    const { fs, runner } = this.ports;
    const published = `${publishedTree(this.state)}/${tftpDirectory}`;
    const copies = `${this.directory}/${tftpDirectory}`;
    if (!this.#mounts.has(published)) await runner.run({ argv: copy(published, copies, ['-a']) });
    this.#stand(copies, published);
    this.#replaced.add(`boot files: ${why}`);
    for (const { paths, render } of nodeTexts(node, site)) {
      for (const path of paths) fs.writeFile(`${this.directory}/${path}`, render(), 0o644);
    }
  }

  /** Brings the copies of boot files up to date with a publish; the nodes' own have to be given again. */
  async refresh(): Promise<void> {
    const published = `${publishedTree(this.state)}/${tftpDirectory}`;
    if (!this.#mounts.has(published)) return;
    await this.ports.runner.run({
      argv: copy(`${published}/.`, `${this.directory}/${tftpDirectory}`, ['-a', '--remove-destination']),
    });
  }

  #stand(from: BytePath, onto: BytePath): void {
    this.#mounts.set(onto, { from, onto });
  }
}

/** Directories, and hard links to the files in them; what is there already stays. */
function linkTree(fs: FileSystem, from: BytePath, to: BytePath): void {
  fs.mkdir(to, 0o755);
  for (const name of fs.readdir(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const kind = fs.lstat(source)?.kind;
    if (kind === 'directory') linkTree(fs, source, target);
    else if (kind !== undefined && fs.lstat(target) === undefined) fs.link(source, target);
  }
}

function copy(from: BytePath, to: BytePath, options: readonly string[]): [string, ...string[]] {
  return ['cp', ...options, displayPath(from), displayPath(to)];
}
