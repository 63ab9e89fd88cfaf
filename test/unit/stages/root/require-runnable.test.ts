import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { requireRunnable } from '../../../../src/stages/root/require-runnable.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const DIRECTORY = '/proc/sys/fs/binfmt_misc';

/** As Debian's qemu-user-static registers it. */
const REGISTERED = 'enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: PF\noffset 0\n';

const hostWith = (handler?: string) =>
  memoryFileSystem({
    [`${DIRECTORY}/register`]: '',
    ...(handler === undefined ? {} : { [`${DIRECTORY}/qemu-aarch64`]: handler }),
  });

describe('requireRunnable', () => {
  it('lets through what can run: the same, i386 on amd64, and what binfmt_misc knows', () => {
    requireRunnable(memoryFileSystem(), 'amd64', 'amd64');
    requireRunnable(memoryFileSystem(), 'i386', 'amd64');
    requireRunnable(hostWith(REGISTERED), 'arm64', 'amd64');
  });

  it.each([
    [
      'binfmt_misc is not mounted',
      memoryFileSystem(),
      /is not mounted/,
      /^As root: apt install qemu-user-static/,
    ],
    ['nothing is registered', hostWith(), /no qemu-aarch64 in binfmt_misc/, /apt install qemu-user-static/],
    [
      'the handler is switched off',
      hostWith(REGISTERED.replace('enabled', 'disabled')),
      /switched off/,
      /echo 1 >.*qemu-aarch64/,
    ],
    [
      'the handler does not work in a chroot',
      hostWith(REGISTERED.replace('PF', 'P')),
      /without the flag F/,
      /qemu-user-static/,
    ],
  ])('says what to do when maintainer scripts cannot run here because %s', (_, fs, message, hint) => {
    expect(() => requireRunnable(fs, 'arm64', 'amd64')).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.MissingTool,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });
});
