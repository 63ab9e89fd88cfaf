import { resolve } from 'node:path';
import { fileEntry } from '../../archive/entry.js';
import type { Sidecar } from '../../archive/sidecar.js';
import { ArchiveTree } from '../../archive/tree.js';
import { rootMachine } from '../../elf/root-architecture.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type Kernel, openKernel } from '../../kmod/kernel.js';
import {
  alwaysLoadedModules,
  initrdSettingsPath,
  renderInitrdSettings,
} from '../../netboot/initrd-settings.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { withSignal } from '../../ports/process-runner.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { collectBusybox } from '../../stages/initrd/collect-busybox.js';
import { collectCapabilities } from '../../stages/initrd/collect-capabilities.js';
import { collectFiles } from '../../stages/initrd/collect-files.js';
import { collectMergedDirectories } from '../../stages/initrd/collect-merged-directories.js';
import { type CollectedModules, collectModules } from '../../stages/initrd/collect-modules.js';
import { collectPrograms } from '../../stages/initrd/collect-programs.js';
import { collectSkeleton } from '../../stages/initrd/collect-skeleton.js';
import { checkOutput, writeInitrd } from '../../stages/initrd/write-initrd.js';
import type { InitrdPlan } from './plan-initrd.js';

/** A plan and what the installation of mkroot adds to it. */
export interface InitrdRequest extends InitrdPlan {
  /** Directory of initramfs-skel. */
  readonly skeleton: BytePath;
  /** Version of mkroot. */
  readonly version: string;
  /** Ends the work; nothing is written then. */
  readonly signal?: AbortSignal;
}

/** What was made; the sidecar without its list of entries. */
export interface InitrdResult extends Omit<Sidecar, 'entries'> {
  /** The initramfs; its sidecar is `<path>.json`. */
  readonly path: BytePath;
  readonly entries: number;
}

/**
 * Makes an initramfs: skeleton, busybox, kernel modules, programs and files become one tree, the tree becomes an archive.
 * Nothing of the root is run, nothing is written but the result and its sidecar.
 */
export async function makeInitrd(host: Ports, request: InitrdRequest): Promise<InitrdResult> {
  const { signal } = request;
  const ports = signal === undefined ? host : { ...host, runner: withSignal(host.runner, signal) };
  const { fs, progress } = ports;
  const root = openRoot(ports, request.root);
  const kernel = openKernel(root, request.kernel);
  const { architecture } = rootMachine(root);
  const path = request.output ?? toBytePath(resolve(`initrd-${kernel.release}.img`));
  checkOutput(fs, path);
  const task = progress.task(`initrd for kernel ${kernel.release}`);
  try {
    const tree = new ArchiveTree();
    const collect = async () => {
      collectMergedDirectories(tree, root);
      collectSkeleton(tree, fs, request.skeleton);
      collectBusybox(tree, root, new Sysroot(fs, ''), architecture);
      task.update('kernel modules');
      const collected = await collectModules(tree, ports, kernel, request);
      task.update('programs and files');
      const programWarnings = collectPrograms(tree, root, request.programs);
      collectFiles(tree, fs, request.files);
      return { collected, programWarnings };
    };
    // The first one's program looks at every file of the root while the others work.
    const [capabilityWarnings, { collected, programWarnings }] = await Promise.all([
      collectCapabilities(tree, ports, root),
      collect(),
    ]);
    tree.add(
      fileEntry(initrdSettingsPath, settingsFor(request, kernel, collected), {
        kind: 'base',
        what: 'settings of /init',
      }),
    );
    task.update(`compressing with ${request.compression}`);
    const { closure, nics } = collected;
    if (nics.length === 0) throw noNetworkDriver(kernel);
    const warnings = [...closure.warnings, ...programWarnings, ...capabilityWarnings];
    const sidecar = await writeInitrd(
      ports,
      tree,
      { path, compression: request.compression, signal },
      {
        mkroot: request.version,
        ...(request.image === undefined ? {} : { image: request.image }),
        kernel: kernel.release,
        architecture,
        modules: closure.modules.filter(({ load }) => load).map(({ name }) => name),
        builtins: closure.builtins.map(({ name }) => name),
        nics,
        warnings,
      },
    );
    task.done();
    for (const warning of warnings) progress.warn(warning);
    return { ...sidecar, path, entries: sidecar.entries.length };
  } catch (error) {
    task.fail();
    throw signal?.aborted ? interrupted(error) : error;
  }
}

function noNetworkDriver({ release }: Kernel): MkrootError {
  return new MkrootError(
    `Cannot make an initramfs for kernel "${release}": it has none of the network drivers that were asked for`,
    {
      exitCode: ExitCode.NotFound,
      hint: `Name one that it has: mkroot initrd IMAGE --kernel ${release} --nic DRIVER`,
    },
  );
}

function interrupted(cause: unknown): MkrootError {
  return new MkrootError('Cannot finish the initrd: interrupted', {
    exitCode: ExitCode.Interrupted,
    hint: 'Nothing was written; an older initrd of that name is as it was.',
    cause,
  });
}

function openRoot({ fs }: Ports, root: BytePath): Sysroot {
  const sysroot = new Sysroot(fs, root);
  const looksLikeRoot = ['/etc', '/usr'].every((path) => sysroot.resolve(path)?.stat.kind === 'directory');
  if (looksLikeRoot) return sysroot;
  const found = fs.lstat(root)?.kind;
  throw new MkrootError(
    `Cannot use "${displayPath(root)}" as a root: ${found === undefined ? 'there is nothing' : found === 'directory' ? 'it has no /etc and /usr' : `it is a ${found}`}`,
    {
      exitCode: ExitCode.NotFound,
      hint: 'Give the directory that becomes / on the nodes, such as one made by mmdebstrap or debootstrap.',
    },
  );
}

function settingsFor(
  request: InitrdRequest,
  kernel: Kernel,
  { closure, nics, drivers }: CollectedModules,
): string {
  const present = new Set([...closure.modules, ...closure.builtins].map(({ name }) => name));
  return renderInitrdSettings({
    version: request.version,
    image: request.image?.name ?? '',
    generation: request.image?.generation ?? '',
    kernel: kernel.release,
    modules: [...alwaysLoadedModules, ...drivers].filter((name) => present.has(name)),
    nicModules: nics,
    built: request.builtAt ?? kernelTime(kernel),
    defaults: [],
  });
}

/** When the kernel's package was made: the same on every machine that has it installed. */
function kernelTime({ sysroot, directory }: Kernel): number {
  return sysroot.resolve(`${directory}/modules.builtin`)?.stat.mtime ?? 0;
}
