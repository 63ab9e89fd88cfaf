import { describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { chrootArgv } from '../../../src/sandbox/chroot.js';
import { NamespaceSession } from '../../../src/sandbox/namespace-session.js';
import { RootTree } from '../../../src/sandbox/root-tree.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { type ScriptedAnswer, ScriptedRunner } from '../../support/scripted-runner.js';

const fs = () => memoryFileSystem({ '/proc/1/task/1/children': '4242 ' });

/** A runner whose unshare gets its namespaces, and whose programs in them answer as told. */
const runnerWith = (inside: ScriptedAnswer) =>
  new ScriptedRunner({ unshare: { stdout: 'ready\n' }, nsenter: inside });

async function failure(inside: ScriptedAnswer, options = {}): Promise<MkrootError> {
  const session = await NamespaceSession.open(runnerWith(inside), fs());
  const error = await session.run(['apt-get', 'install'], options).catch((thrown: unknown) => thrown);
  if (!(error instanceof MkrootError)) throw new Error('it did not fail');
  return error;
}

describe('NamespaceSession', () => {
  it("runs programs in the namespaces of the session's init, and reads mounts through it", async () => {
    const runner = runnerWith({});
    const session = await NamespaceSession.open(runner, fs());
    await session.run(['mount', '-t', 'proc'], { net: true });
    expect(runner.commands[1]!.argv).toEqual(
      'nsenter --target=4242 --mount --pid -- unshare --net -- mount -t proc'.split(' '),
    );
    expect(session.hostPath('/state/root')).toBe('/proc/4242/root/state/root');
  });

  it('reports a failure with exit code, tail, log and how to repeat it, without noise', async () => {
    const error = await failure(
      { exitCode: 100, stderr: 'pmstatus:x:1:y\nE: Unable to locate package nopkg\n' },
      { name: 'apt-get install', logFile: '/log', isNoise: (line: string) => line.startsWith('pmstatus') },
    );
    expect(error.message).toBe('Cannot run "apt-get install": it failed with exit code 100');
    expect(error.exitCode).toBe(ExitCode.ToolFailed);
    expect(error.details).toEqual([
      '  | E: Unable to locate package nopkg',
      'Whole log: /log',
      'To repeat it by hand: apt-get install',
    ]);
  });

  it.each([
    'dpkg: error: failed to write (No space left on device)',
    "E: You don't have enough free space in /var/cache/apt/archives/.",
  ])('knows a full disk by %j, however much output follows', async (line) => {
    const error = await failure({ exitCode: 1, stderr: `${line}\n${'more\n'.repeat(50)}` });
    expect(error.exitCode).toBe(ExitCode.Io);
    expect(error.message).toContain('the disk is full');
    expect(error.hint).toContain('--state');
  });

  it('says that a program is not installed, and nothing of nsenter, which is what does not find it', async () => {
    const stderr = 'nsenter: failed to execute apt-get: No such file or directory\n';
    expect(
      await failure({ exitCode: 127, stderr }, { name: 'apt-get install', logFile: '/log' }),
    ).toMatchObject({
      exitCode: ExitCode.MissingTool,
      message: 'Cannot run "apt-get": it is not installed',
      hint: 'Run `mkroot doctor`: it names the package that brings it.',
      details: [],
    });
    // What a program that is there does not find is that program's business.
    const runner = new ScriptedRunner({
      unshare: { stdout: 'ready\n' },
      nsenter: { exitCode: 127, stderr: 'foo: not found\n' },
      'apt-get': {},
    });
    const session = await NamespaceSession.open(runner, fs());
    await expect(session.run(['apt-get', 'install'])).rejects.toMatchObject({
      exitCode: ExitCode.ToolFailed,
    });
  });

  it('names /tmp too where a program could not write its temporary files', async () => {
    const line = "gpg: error writing to '/tmp/mmdebstrap.gpghome.x/.#lk0': No space left on device";
    const { hint } = await failure({ exitCode: 1, stderr: `${line}\nE: gpg failed\n` });
    expect(hint).toBe(
      'Free some space in /tmp and in the state directory, or choose others with TMPDIR=DIR and --state.',
    );
    const inState = await failure({ exitCode: 1, stderr: 'dpkg: /var/lib/x: No space left on device\n' });
    expect(inState.hint).not.toContain('tmp');
  });

  it('ends its holder when it cannot be entered, so that mkroot can end too', async () => {
    const runner = runnerWith({});
    let inputClosed = false;
    const start = runner.start.bind(runner);
    runner.start = async (command) => ({
      ...(await start(command)),
      closeInput: () => {
        inputClosed = true;
      },
    });
    await expect(NamespaceSession.open(runner, memoryFileSystem({}))).rejects.toBeInstanceOf(MkrootError);
    expect(inputClosed).toBe(true);
  });

  it('says so when the kernel refuses the namespaces', async () => {
    const runner = new ScriptedRunner({
      unshare: { exitCode: 1, stderr: 'unshare: Operation not permitted' },
    });
    await expect(NamespaceSession.open(runner, fs())).rejects.toThrow(
      expect.objectContaining({
        message: expect.stringContaining('Operation not permitted'),
        hint: expect.stringContaining('root'),
      }),
    );
  });
});

describe('RootTree', () => {
  it('mounts layers with the topmost first, by names relative to the store, and plain options', async () => {
    const runner = runnerWith({});
    const store = '/state/a, b:c';
    const memory = fs();
    for (const key of ['k1', 'k2', 'k3']) memory.mkdir(`${store}/${key}/result/layer`);
    await RootTree.open(
      { fs: memory, runner },
      {
        strategy: 'overlay',
        below: [`${store}/k1/result/layer`, `${store}/k2/result/layer`],
        layer: `${store}/k3/result/layer`,
        scratch: `${store}/k3/scratch`,
      },
    );
    const mount = runner.commands.at(-1)!.argv;
    expect(mount.slice(-3)).toEqual([
      store,
      'lowerdir=k2/result/layer:k1/result/layer,upperdir=k3/result/layer,workdir=k3/scratch/work,' +
        'redirect_dir=off,metacopy=off,index=off,xino=off,volatile',
      `${store}/k3/scratch/root`,
    ]);
  });

  it('copies instead where overlays do not work', async () => {
    const runner = runnerWith({});
    const tree = await RootTree.open(
      { fs: fs(), runner },
      { strategy: 'copy', below: ['/s/k1/tree'], layer: '/s/k2/tree', scratch: '/s/k2/scratch' },
    );
    expect(runner.commands.at(-1)!.argv.join(' ')).toContain(
      'cp --archive --reflink=auto -- /s/k1/tree/. /s/k2/tree',
    );
    expect(tree.path).toBe('/s/k2/tree');
  });
});

describe('chrootArgv', () => {
  it('gives the program nothing of the environment of the host but its proxies', () => {
    const argv = chrootArgv('/r', ['true'], { INITRD: 'No' });
    expect(argv[2]).toContain('exec env -i');
    expect(argv[2]).toContain(`\${http_proxy:+"http_proxy=$http_proxy"}`);
    expect(argv).toContain('INITRD=No');
    expect(argv.slice(-3)).toEqual(['chroot', '/r', 'true']);
  });
});
