import { sidecarPath } from '../../archive/sidecar.js';
import type { NetbootNode, NetbootSite } from '../../netboot/netboot-site.js';
import { nodeTexts, tftpDirectory } from '../../netboot/netboot-tree.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { joinSegments } from '../../stages/boot-test/join-segments.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';
import { readSidecar } from '../initrd/ask-why.js';
import { makeDriverSegment } from '../initrd/make-driver-segment.js';
import { hostDirectory } from '../layers/state-directories.js';
import { publishedTree } from '../publish/published-record.js';
import type { PublishedBoot } from './published-boot.js';

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
  readonly #marked = new Set<BytePath>();

  /** The lab's own directory, on the file system of the state directory. */
  readonly directory: BytePath;
  readonly state: BytePath;
  readonly #writeState: boolean;

  /** @param place.writeState what nodes report and keep goes to the state directory itself */
  constructor(
    private readonly ports: Ports,
    place: { readonly directory: BytePath; readonly state: BytePath; readonly writeState: boolean },
  ) {
    this.directory = place.directory;
    this.state = place.state;
    this.#writeState = place.writeState;
  }

  /** To be made in the lab before its servers start; what comes later goes into the same directories. */
  get mounts(): readonly StandInMount[] {
    return [...this.#mounts.values()];
  }

  /** What is replaced, in words. */
  get replaced(): readonly string[] {
    return [...this.#replaced];
  }

  /** Shows an empty directory in place of one of the state, which is made if there is none until {@link end}. */
  blank(name: string): void {
    if (this.#writeState) return;
    const { fs } = this.ports;
    const [own, published] = [`${this.directory}/${name}`, `${this.state}/${name}`];
    if (fs.lstat(published) === undefined) {
      fs.mkdir(published, 0o755);
      this.#made.push(published);
    }
    fs.mkdir(own, 0o755);
    this.#stand(own, published);
  }

  /** Where on disk a directory is that servers know as one of the state. */
  place(name: string): BytePath {
    const published = `${this.state}/${name}`;
    return this.#mounts.get(published)?.from ?? published;
  }

  /** The directory that nodes write to in place of one that outlives reboots; it may have to be made. */
  persistent(published: BytePath): BytePath {
    if (this.#writeState) return published;
    const found = this.#mounts.get(published);
    if (found !== undefined) return found.from;
    const own = `${this.directory}/persistent/${this.#mounts.size}`;
    this.ports.fs.mkdir(`${this.directory}/persistent`, 0o755);
    this.#stand(own, published);
    this.#replaced.add('directories that outlive reboots: as they are at a first boot');
    return own;
  }

  /** Removes a directory of the state when the lab is gone. */
  removeInTheEnd(path: BytePath): void {
    if (this.#writeState) this.#marked.add(path);
  }

  /** Removes what had to be made, once the lab is gone. */
  end(): void {
    for (const path of this.#marked) this.ports.fs.remove(path);
    for (const path of this.#made) {
      if (this.ports.fs.readdir(path).length === 0) this.ports.fs.remove(path);
    }
  }

  /**
   * Where the copy of a node's published host layer goes, the directory that has `layer` in it, and where the node finds it.
   * A version is never replaced, here as elsewhere, since servers remember its file handles: at a further boot its copy has
   * another name.
   */
  hostVersion(node: string, layer: BytePath): { readonly target: BytePath; readonly layer: BytePath } {
    const { fs } = this.ports;
    const [version = ''] = layer.split('/').slice(-2);
    const copies = `${hostDirectory(this.directory, node)}/versions`;
    const published = `${hostDirectory(this.state, node)}/versions`;
    this.#stand(copies, published);
    this.#replaced.add('host layers: copies of them, with the self-check');
    fs.mkdir(copies, 0o755);
    let name = version;
    for (let count = 2; fs.lstat(`${copies}/${name}`) !== undefined; count += 1) {
      name = `${version}.boot-${count}`;
    }
    return { target: `${copies}/${name}`, layer: `${published}/${name}/layer` };
  }

  /** Adds the drivers of emulated NICs to an image's initramfs, if it lacks them. */
  async drivers({ image, initrd, layers }: PublishedBoot, nics: readonly EmulatedNic[]): Promise<void> {
    const { fs } = this.ports;
    // Of an initramfs from elsewhere nothing is known: it has to have the drivers.
    if (fs.lstat(sidecarPath(initrd)) === undefined) return;
    const { modules, builtins } = readSidecar(fs, initrd);
    const missing = nics.filter((nic) => ![...modules, ...builtins].includes(nic));
    const published = `${this.state}/images/${image}/initrds`;
    const copies = `${this.directory}/initrds/${image}`;
    if (missing.length > 0) this.#stand(copies, published);
    // Another generation may have come since.
    if (this.#mounts.has(published)) linkTree(fs, published, copies);
    if (missing.length === 0 || this.#initrds.has(initrd)) return;
    this.#initrds.add(initrd);
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

  /** Shows a copy of all boot files. */
  async copyBootFiles(): Promise<void> {
    const published = `${publishedTree(this.state)}/${tftpDirectory}`;
    const copies = `${this.directory}/${tftpDirectory}`;
    if (this.#mounts.has(published)) return;
    await this.ports.runner.run({ argv: copy(published, copies, ['-a']) });
    this.#stand(copies, published);
  }

  /** Gives a node other boot files than the published ones, which are as they would be for `node`. */
  async bootFiles(node: NetbootNode, site: NetbootSite, why: string): Promise<void> {
    await this.copyBootFiles();
    this.#replaced.add(`boot files: ${why}`);
    for (const { paths, render } of nodeTexts(node, site)) {
      for (const path of paths) this.ports.fs.writeFile(`${this.directory}/${path}`, render(), 0o644);
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
