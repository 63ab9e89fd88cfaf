import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import {
  contentsOf,
  expectNoInitrd,
  expectRefusal,
  makeWorkspace,
  type Refusal,
  type Workspace,
} from '../support/refused-run.js';
import { mkrootJson, startMkroot } from '../support/run-mkroot.js';
import { smallModule } from '../support/small-root.js';

let space: Workspace;
let work: string;
let root: string;
let out: string;
let image: string;

beforeEach(() => {
  space = makeWorkspace();
  ({ work, root, out, image } = space);
});

afterEach(() => rmSync(work, { recursive: true, force: true }));

const { InvalidInput, Io, MissingTool, NotFound, ToolFailed, Usage, Interrupted } = ExitCode;

const refuses = (args: readonly string[], refusal: Refusal, wrapper: readonly string[] = []) =>
  expectNoInitrd(space, args, refusal, wrapper);

/**
 * Runs mkroot as somebody whom permission bits bind: root without the two capabilities that pass them over. Another user could
 * not even reach a clone below /root.
 */
const BOUND_BY_PERMISSIONS = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--'];

/** Runs mkroot where a program of this name comes first in PATH and does what the script says. */
function withFake(program: string, script: string): string[] {
  const bin = join(work, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, program), 0o755);
  return ['env', `PATH=${bin}:${process.env['PATH']}`];
}

/** Runs mkroot with a file system of its own, made by mount(8)'s arguments, over the directory of outputs. */
function withMount(...options: string[]): string[] {
  const script = `mount ${options.join(' ')} none "$1" && cd "$1" && shift && exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', out];
}

/** A file of the same name but packed, as Debian packs modules. */
async function packModule(): Promise<string> {
  const file = smallModule(root, 'tg3');
  const { execFileSync } = await import('node:child_process');
  execFileSync('xz', ['--check=crc32', file]);
  return file.slice(root.length);
}

describe('files that may not be read', () => {
  it('a program, a module and a host file, by an ordinary user', async () => {
    for (const directory of [work, out]) chmodSync(directory, 0o777);
    const hint = 'Run as root, or choose a place that you may use.';
    const denied = (path: string) => ({
      exitCode: Io,
      says: `Cannot open "${path}": permission denied (EACCES)`,
      hint,
    });
    const hello = join(root, 'usr/bin/hello');
    chmodSync(hello, 0);
    await refuses(['--program', '/usr/bin/hello'], denied(hello), BOUND_BY_PERMISSIONS);
    const secret = join(work, 'secret');
    writeFileSync(secret, 'x', { mode: 0 });
    await refuses(['--file', `${secret}:/etc/secret`], denied(secret), BOUND_BY_PERMISSIONS);
    const module = smallModule(root, 'tg3');
    chmodSync(module, 0);
    await refuses([], denied(module), BOUND_BY_PERMISSIONS);
  });
});

describe('missing tools', () => {
  const withoutTools = () => {
    mkdirSync(join(work, 'empty'), { recursive: true });
    return ['/usr/bin/env', `PATH=${join(work, 'empty')}`];
  };

  it.each(['zstd', 'xz', 'lz4'])('--compress %s names the package and what works without', async (name) => {
    const refusal = {
      exitCode: MissingTool,
      says: `Cannot compress the initrd with ${name}: the program is not installed`,
      hint: new RegExp(
        `^hint: Install the package ${name === 'xz' ? 'xz-utils' : name}, or use --compress gzip`,
      ),
    };
    await refuses(['--compress', name], refusal, withoutTools());
  });

  it('xz for the modules of the root, and for an initramfs to inspect', async () => {
    const packed = join(work, 'packed.img');
    await mkrootJson('initrd', '--root', root, '--nic', 'tg3', '--compress', 'xz', '--output', packed);
    const says = `Cannot inspect "${packed}": Cannot unpack xz data: the program "xz" is not installed`;
    const refusal = { exitCode: MissingTool, says, hint: 'Install the package xz-utils.' };
    await expectRefusal(['inspect', packed], refusal, { watched: out, wrapper: withoutTools() });
    await packModule();
    const noXz = {
      exitCode: MissingTool,
      says: 'Cannot run "xz": it is not installed',
      hint: /mkroot doctor/,
    };
    await refuses(['--compress', 'gzip'], noXz, withoutTools());
  });
});

describe('children that fail', () => {
  const version = 'test "$1" = --version && echo v1.5.5 && exit';

  it('a compressor that is killed is named with its signal and how to repeat it', async () => {
    const wrapper = withFake('zstd', `${version}\nhead -c 100 >/dev/null; kill -9 $$`);
    const says = 'Cannot run "zstd": it was ended by SIGKILL';
    const { stderr } = await refuses([], { exitCode: ToolFailed, says }, wrapper);
    expect(stderr).toContain('To repeat it by hand: zstd -q -T0 -B4MiB -6 -c');
  });

  it('a compressor that writes garbage and fails is quoted', async () => {
    const wrapper = withFake('zstd', `${version}\necho garbage; echo "zstd: no memory" >&2; exit 1`);
    const says = 'Cannot run "zstd": it failed with exit code 1';
    const { stderr } = await refuses([], { exitCode: ToolFailed, says }, wrapper);
    expect(stderr).toContain('  | zstd: no memory');
  });

  it.each(['zstd', 'xz', 'lz4'])(
    'a %s that writes garbage, or half, and ends well makes no initrd',
    async (name) => {
      const says = `Cannot write the initrd: ${name} ended well, but what it wrote is no ${name} data`;
      const refusal = { exitCode: ToolFailed, says, hint: /first in PATH/ };
      for (const script of [
        'cat >/dev/null; echo garbage',
        `$(PATH=/usr/bin command -v ${name}) "$@" | head -c 2000`,
      ]) {
        await refuses(['--compress', name], refusal, withFake(name, `${version}\n${script}`));
      }
    },
  );

  it('xz that is killed is no damaged module and no damaged initramfs', async () => {
    const packed = join(work, 'packed.img');
    await mkrootJson('initrd', '--root', root, '--nic', 'tg3', '--compress', 'xz', '--output', packed);
    await packModule();
    const wrapper = withFake('xz', 'kill -9 $$');
    const killed = { exitCode: ToolFailed, says: /Cannot run "xz": it was ended by SIGKILL$/ };
    await refuses([], killed, wrapper);
    await expectRefusal(['inspect', packed], killed, { watched: out, wrapper });
  });

  it('xz that refuses a module is: the module is damaged', async () => {
    const path = await packModule();
    const refusal = {
      exitCode: InvalidInput,
      says: `Cannot unpack "${path}.xz": xz cannot unpack it`,
      hint: /reinstall/,
    };
    await refuses([], refusal, withFake('xz', 'cat >/dev/null; exit 1'));
  });
});

describe('places that cannot be written', () => {
  it('a full disk: said with the path, nothing stays there', async () => {
    const script = 'mount -t tmpfs -o size=16k none "$0" && cd "$0" && "$@"; code=$?; ls -A "$0"; exit $code';
    const wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, out];
    // The sidecar goes first: an image is never there without its reasons.
    const says = `Cannot write "${image}.json": no space left on device (ENOSPC)`;
    await refuses([], { exitCode: Io, says, hint: /Free some space/ }, wrapper);
    // What ls prints would be standard output, which has to be empty.
    const good = join(work, 'good.img');
    await mkrootJson('initrd', '--root', root, '--nic', 'tg3', '--output', good);
    await expectRefusal(
      ['inspect', good, '--extract', join(out, 'tree')],
      { exitCode: Io, says: /no space left on device/, hint: /Free some space/ },
      { watched: out, wrapper },
    );
  });

  it('a read-only file system, a directory, a device, a file in place of a directory, and /proc', async () => {
    const readOnly = withMount('-t', 'tmpfs', '-o', 'ro');
    const says = `Cannot create "${image}.json": read-only file system (EROFS)`;
    await refuses([], { exitCode: Io, says, hint: /choose another place/ }, readOnly);
    mkdirSync(join(out, 'd'));
    mkdirSync(join(out, 'e.json'));
    writeFileSync(join(out, 'f'), '');
    for (const [output, at, what] of [
      ['d', 'd', 'a directory is there'],
      ['e', 'e.json', 'a directory is there'],
    ] as const) {
      const text = `Cannot write the initrd to "${join(out, at)}": ${what}`;
      await refuses(['--output', join(out, output)], { exitCode: Usage, says: text, hint: /Name a file/ });
    }
    await refuses(['--output', '/dev/null'], {
      exitCode: Usage,
      says: 'Cannot write the initrd to "/dev/null": a character device is there',
    });
    await refuses(['--output', join(out, 'f/initrd')], {
      exitCode: Io,
      says: /file already exists|not a directory/,
      hint: /choose/,
    });
    await refuses(['--output', '/proc/x/y'], {
      exitCode: NotFound,
      says: 'Cannot write the initrd to "/proc/x/y": there is no directory "/proc/x"',
    });
  });
});

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s while it compresses ends the compressor too and leaves all as it was',
    async (signal) => {
      const pidFile = join(work, 'pid');
      const wrapper = withFake(
        'zstd',
        `test "$1" = --version && exit\necho $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 60`,
      );
      const before = contentsOf(out);
      const started = startMkroot(['initrd', '--root', root, '--nic', 'tg3', '--output', image], wrapper);
      for (let waited = 0; !existsSync(pidFile) && waited < 20_000; waited += 20) await setTimeout(20);
      const pid = readFileSync(pidFile, 'utf8').trim();
      started.process.kill(signal);
      const { exitCode, stderr, stdout, ms } = await started.ended;
      expect(stderr).toContain('mkroot: Cannot finish the initrd: interrupted\nhint: Nothing was written');
      expect(ms, 'it did not wait for the compressor').toBeLessThan(40_000);
      expect(exitCode).toBe(Interrupted);
      expect(stdout).toBe('');
      expect(contentsOf(out)).toEqual(before);
      expect(existsSync(`/proc/${pid}`)).toBe(false);
    },
  );
});
