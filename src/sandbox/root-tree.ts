import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { Ports } from '../ports/ports.js';
import { type Completed, shellQuote } from '../ports/process-runner.js';
import { CHROOT_MOUNTS, chrootArgv } from './chroot.js';
import { NamespaceSession, type SessionCommand } from './namespace-session.js';

/**
 * How the trees of earlier stages become one that can be written to.
 * - `overlay`: overlayfs; what is written is the new layer, nothing is copied.
 * - `copy`: the tree below is copied (with reflinks where the file system has them); for state directories that cannot
 *   be the upper directory of an overlay, because they lie on one themselves or on NFS.
 */
export type TreeStrategy = 'overlay' | 'copy';

/** What a stage's tree is made of. All directories lie in the same file system. */
export interface TreePlan {
  readonly strategy: TreeStrategy;
  /** Layers of earlier stages, the lowest first; empty for the first stage. */
  readonly below: readonly BytePath[];
  /** The new layer; made if it is not there. */
  readonly layer: BytePath;
  /** Directory for what is only needed meanwhile (overlay work directory, mount point); made if it is not there. */
  readonly scratch: BytePath;
  /**
   * A tmpfs is mounted over {@link scratch}, which has to hold {@link layer}: the new layer lives in memory and ends with
   * the tree. For file systems that cannot hold the upper directory of an overlay.
   */
  readonly inMemory?: boolean;
}

/** Options that keep a layer readable for people, tar and NFS: no redirects, no metadata-only copies, no inode index. */
const LAYER_OPTIONS = 'redirect_dir=off,metacopy=off,index=off,xino=off';

/** A program to be run inside the root. */
export interface InRoot extends SessionCommand {
  /** Default: a network like the host's. */
  readonly network?: boolean;
}

/** The tree of a root that is being worked on, mounted in a private namespace where nobody else sees it. */
export class RootTree {
  #chrootReady = false;

  private constructor(
    private readonly fs: FileSystem,
    private readonly session: NamespaceSession,
    private readonly plan: TreePlan,
    private readonly inside: BytePath,
  ) {}

  /**
   * Mounts (or copies) what the plan says. Close it, whatever happens.
   * @param fill puts layers into the scratch directory before they are mounted; it is told where mkroot sees a path.
   */
  static async open(
    ports: Pick<Ports, 'fs' | 'runner'>,
    plan: TreePlan,
    fill?: (seen: (path: BytePath) => BytePath) => Promise<void>,
  ): Promise<RootTree> {
    const { fs, runner } = ports;
    fs.mkdir(plan.scratch);
    const session = await NamespaceSession.open(runner, fs);
    const inside = (path: BytePath) => (plan.inMemory ? session.hostPath(path) : path);
    try {
      if (plan.inMemory)
        await session.run(['mount', '-t', 'tmpfs', '-o', 'mode=0700', 'tmpfs', plan.scratch]);
      await fill?.(inside);
      fs.mkdir(inside(plan.layer));
      if (plan.strategy === 'copy' || plan.below.length === 0) {
        for (const below of plan.below) await session.run(copyTree(below, plan.layer));
        return new RootTree(fs, session, plan, plan.layer);
      }
      const mountPoint = `${plan.scratch}/root`;
      fs.mkdir(inside(mountPoint));
      fs.mkdir(inside(`${plan.scratch}/work`));
      copyTopDirectory(fs, plan.below.at(-1)!, inside(plan.layer));
      await session.run(overlayMount(plan, mountPoint));
      return new RootTree(fs, session, plan, mountPoint);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** The root directory for mkroot's own file operations. Resolve paths in it with a Sysroot. */
  get hostPath(): BytePath {
    return this.session.hostPath(this.inside);
  }

  /** A path below the scratch directory for mkroot's own file operations, as long as the tree is open. */
  scratchPath(path: BytePath): BytePath {
    return this.plan.inMemory ? this.session.hostPath(path) : path;
  }

  /** The root directory as programs of the host see it that are run by {@link runOnHost}. */
  get path(): BytePath {
    return this.inside;
  }

  /** Makes /proc, /sys, /dev, and empty /run and /tmp appear in the root, for programs that run inside it. */
  async mountForPrograms({ logFile }: Pick<SessionCommand, 'logFile'> = {}): Promise<void> {
    if (this.#chrootReady) return;
    await this.session.run(['sh', '-e', '-c', CHROOT_MOUNTS, 'sh', this.inside], {
      name: 'mount',
      ...(logFile === undefined ? {} : { logFile }),
    });
    this.#chrootReady = true;
  }

  /** Runs a program of the host where the tree is mounted. */
  async runOnHost(argv: readonly [string, ...string[]], options: SessionCommand = {}): Promise<Completed> {
    return this.session.run(argv, options);
  }

  /** Runs a program of the root inside it, with /proc, /sys, /dev, and empty /run and /tmp. */
  async run(argv: readonly [string, ...string[]], options: InRoot = {}): Promise<Completed> {
    await this.mountForPrograms(options);
    const { network = true, env = {}, ...rest } = options;
    return this.session.run(chrootArgv(this.inside, argv, env), {
      name: argv.join(' ').slice(0, 80),
      net: !network,
      byHand: () => this.#byHand(argv, options),
      ...rest,
    });
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  /** Writes a script that does the same over the earlier layers and a writable tmpfs; the host sees no mount of it. */
  #byHand(
    argv: readonly [string, ...string[]],
    { env = {}, network = true, logFile = `${this.plan.layer}.log` }: InRoot,
  ): string {
    const { below, layer } = this.plan;
    const at = '/mnt';
    const script = [
      '#!/bin/sh -e',
      '# Written by mkroot when a program failed inside a root: runs it again, on a copy in memory.',
      '[ "$1" = inside ] || exec unshare --mount --propagation private --pid --fork --kill-child "$0" inside',
      ...(below.length === 0
        ? [`mount --bind ${shellQuote([layer])} ${at}`]
        : [
            'mount -t tmpfs tmpfs /media',
            'mkdir /media/upper /media/work',
            `cd ${shellQuote([parentOf(below)])}`,
            `mount -t overlay overlay -o lowerdir=${lowerDirectories(below)},upperdir=/media/upper,workdir=/media/work ${at}`,
          ]),
      `set -- ${at}`,
      CHROOT_MOUNTS,
      `exec ${shellQuote([...(network ? [] : ['unshare', '--net', '--']), ...chrootArgv(at, argv, env)])}`,
      '',
    ].join('\n');
    const file = `${logFile.replace(/\.log$/, '')}.repeat.sh`;
    this.fs.writeFile(toBytePath(file), script, 0o755);
    return shellQuote([file]);
  }
}

/**
 * Mounts layers read-only, to be looked at as one tree.
 * @returns where: a single layer needs no mount.
 */
export async function mountLayers(
  session: NamespaceSession,
  fs: FileSystem,
  layers: readonly BytePath[],
  mountPoint: BytePath,
): Promise<BytePath> {
  if (layers.length === 1) return layers[0]!;
  fs.mkdir(mountPoint);
  await session.run(
    mountIn(parentOf(layers), `lowerdir=${lowerDirectories(layers)},${LAYER_OPTIONS}`, mountPoint),
  );
  return mountPoint;
}

/**
 * Finds out whether `directory` lies in a file system that can hold the upper directory of an overlay.
 * @returns the strategy that works there.
 */
export async function findTreeStrategy(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  directory: BytePath,
): Promise<TreeStrategy> {
  fs.mkdir(directory);
  const probe = fs.makeTemporaryDirectory(`${directory}/.new-probe-`);
  const session = await NamespaceSession.open(runner, fs);
  try {
    for (const name of ['lower', 'upper', 'work', 'root']) fs.mkdir(`${probe}/${name}`);
    fs.writeFile(`${probe}/lower/file`, '');
    const options = `lowerdir=lower,upperdir=upper,workdir=work,${LAYER_OPTIONS},volatile`;
    await session.run(mountIn(probe, options, `${probe}/root`));
    // A deletion is a device node in the upper directory: some file systems mount well and refuse that.
    fs.remove(`${session.hostPath(probe)}/root/file`);
    return 'overlay';
  } catch (error) {
    if (error instanceof MkrootError && error.exitCode === ExitCode.Interrupted) throw error;
    return 'copy';
  } finally {
    await session.close();
    fs.remove(probe);
  }
}

function mountIn(directory: BytePath, options: string, mountPoint: BytePath): [string, ...string[]] {
  const script = 'cd "$1" && exec mount -t overlay overlay -o "$2" "$3"';
  return ['sh', '-e', '-c', script, 'sh', directory, options, mountPoint];
}

/** Names relative to the layers' common parent keep the option below the kernel's limit of one page. */
function overlayMount(plan: TreePlan, mountPoint: BytePath): [string, ...string[]] {
  const parent = parentOf(plan.below);
  const options = [
    `lowerdir=${lowerDirectories(plan.below)}`,
    `upperdir=${relativeTo(parent, plan.layer)}`,
    `workdir=${relativeTo(parent, `${plan.scratch}/work`)}`,
    LAYER_OPTIONS,
    // A layer that was interrupted is thrown away, so nothing in it has to survive a crash: syncs cost and buy nothing.
    'volatile',
  ].join(',');
  return mountIn(parent, options, mountPoint);
}

/** `lowerdir=` lists the topmost layer first. */
function lowerDirectories(below: readonly BytePath[]): string {
  const parent = parentOf(below);
  return [...below]
    .reverse()
    .map((layer) => relativeTo(parent, layer))
    .join(':');
}

/** The longest common directory of the layers' parents. */
function parentOf(layers: readonly BytePath[]): BytePath {
  const [first = [], ...others] = layers.map((layer) => layer.split('/'));
  const parts = first.slice(0, -1);
  const differs = parts.findIndex((part, index) => others.some((other) => other[index] !== part));
  return (differs < 0 ? parts : parts.slice(0, differs)).join('/');
}

function relativeTo(parent: BytePath, path: BytePath): BytePath {
  return path.startsWith(`${parent}/`) ? path.slice(parent.length + 1) : path;
}

/** The upper directory of an overlay gives the merged root directory its owner and mode. */
function copyTopDirectory(fs: FileSystem, from: BytePath, to: BytePath): void {
  const stat = fs.lstat(from);
  if (stat === undefined) return;
  fs.chmod(to, stat.mode);
  fs.chown(to, stat.uid, stat.gid);
}

function copyTree(from: BytePath, to: BytePath): [string, ...string[]] {
  return ['cp', '--archive', '--reflink=auto', '--', `${from}/.`, to];
}
