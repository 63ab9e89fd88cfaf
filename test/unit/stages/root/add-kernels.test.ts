import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { imageRelease } from '../../../../src/kmod/kernel-image.js';
import { modulesOf } from '../../../../src/stages/root/add-kernels.js';
import { bzImage } from '../../../support/kernel-fixture.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

describe('imageRelease', () => {
  it('is what the header of a bzImage says', () => {
    const fs = memoryFileSystem({ '/bzImage': bzImage('6.12.0-own+', 'builder@host') });
    expect(imageRelease(fs, '/bzImage')).toBe('6.12.0-own+');
  });

  it.each([
    ['an ELF file', Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(2000)])],
    ['a short file', Buffer.from('kernel')],
    ['nothing', Buffer.alloc(0)],
  ])('of %s is none', (_, bytes) => {
    expect(imageRelease(memoryFileSystem({ '/k': bytes }), '/k')).toBeUndefined();
  });

  it('is empty where the header points nowhere', () => {
    const image = bzImage('6.12.0', 'x');
    image.writeUInt16LE(0xfff0, 0x20e);
    expect(imageRelease(memoryFileSystem({ '/k': image }), '/k')).toBe('');
  });
});

describe('modulesOf', () => {
  const order = { '/d/lib/modules/6.12.0-own/modules.order': '' };

  it.each([
    ['the directory that modules_install was given', '/d', order],
    ['the directory of the one kernel', '/d/lib/modules/6.12.0-own', order],
    ['a directory laid out as a merged /usr', '/d', { '/d/usr/lib/modules/6.12.0-own/kernel/a.ko': '' }],
  ])('takes %s', (_, given, tree) => {
    expect(modulesOf(memoryFileSystem(tree), given)).toMatchObject({ release: '6.12.0-own' });
  });

  it.each([
    [{ '/d/lib/modules/a/kernel/x': '', '/d/lib/modules/b/kernel/x': '' }, 'it has 2 kernels: a, b'],
    [{ '/d/arch/x86/boot/bzImage': '' }, 'it has neither lib/modules nor'],
    [{ '/d/lib/modules/README': '' }, 'there is no kernel in /d/lib/modules'],
  ])('refuses %j', (tree, message) => {
    expect(() => modulesOf(memoryFileSystem(tree), '/d')).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.InvalidInput,
        message: expect.stringContaining(message),
      }),
    );
  });
});
