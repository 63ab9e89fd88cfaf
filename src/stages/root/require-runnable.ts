import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { DebianArchitecture } from '../../recipe/debian-architecture.js';

/** Where the kernel shows which programs run files of other machines (kernel documentation, binfmt-misc.rst). */
const BINFMT_MISC: BytePath = '/proc/sys/fs/binfmt_misc';

/** How QEMU calls the machines that Debian calls otherwise. */
const QEMU_NAMES: Readonly<Partial<Record<DebianArchitecture, string>>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  armhf: 'arm',
  ppc64el: 'ppc64le',
};

/** Whether the processor itself runs programs of that architecture. */
export function runsNatively(architecture: DebianArchitecture, host: DebianArchitecture): boolean {
  return architecture === host || (architecture === 'i386' && host === 'amd64');
}

/**
 * Maintainer scripts of the root have to run here, by the processor or by QEMU behind binfmt_misc.
 * @throws MkrootError MissingTool, with what to install or to type, if this machine cannot run that architecture.
 */
export function requireRunnable(
  fs: ReadFileSystem,
  architecture: DebianArchitecture,
  host: DebianArchitecture,
): void {
  if (runsNatively(architecture, host)) return;
  const handler = `qemu-${QEMU_NAMES[architecture] ?? architecture}`;
  const problem = whatIsWrong(fs, handler);
  if (problem === undefined) return;
  throw new MkrootError(`Cannot build for "${architecture}": this machine is ${host}, and ${problem.what}`, {
    exitCode: ExitCode.MissingTool,
    hint: problem.hint,
  });
}

function whatIsWrong(
  fs: ReadFileSystem,
  handler: string,
): { readonly what: string; readonly hint: string } | undefined {
  const install = 'apt install qemu-user-static binfmt-support';
  if (fs.lstat(`${BINFMT_MISC}/register`) === undefined) {
    return {
      what: `binfmt_misc, by which the kernel would run its programs through ${handler}, is not mounted`,
      hint: `As root: ${install} && mount -t binfmt_misc binfmt_misc ${BINFMT_MISC} && update-binfmts --enable ${handler}`,
    };
  }
  const file = `${BINFMT_MISC}/${handler}`;
  if (fs.lstat(file) === undefined) {
    return {
      what: `the kernel has no ${handler} in binfmt_misc`,
      hint: `Install it: ${install}. Where it is installed already: update-binfmts --enable ${handler}`,
    };
  }
  const registered = Buffer.from(fs.readFile(file)).toString('latin1');
  if (!/^enabled$/m.test(registered)) {
    return {
      what: `${handler} is switched off in binfmt_misc`,
      hint: `Switch it on: echo 1 >${file}`,
    };
  }
  // Without the flag the kernel looks for the interpreter inside the root, where it is not.
  if (!/^flags: \w*F/m.test(registered)) {
    return {
      what: `${handler} is registered in binfmt_misc without the flag F, so it does not work inside a root`,
      hint: `Install one that has it: ${install}`,
    };
  }
  return undefined;
}
