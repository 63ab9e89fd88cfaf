import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { askWhy } from '../../../../src/pipelines/initrd/ask-why.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

it('an empty name, as an unset shell variable gives one, is a mistake of the command line', () => {
  expect(() => askWhy(memoryFileSystem(), '/initrd.img', '')).toThrow(
    expect.objectContaining({
      exitCode: ExitCode.Usage,
      message: 'Cannot explain "": it is no path, nor the last part of one',
    }),
  );
});

it('an initramfs that does not exist is not taken for one without its sidecar', () => {
  const fs = memoryFileSystem({ '/initrd.img': 'of another tool' });
  expect(() => askWhy(fs, '/compute', 'init')).toThrow(
    expect.objectContaining({
      exitCode: ExitCode.NotFound,
      message: 'Cannot explain "/compute": there is no such file',
      hint: 'Give the path of an initramfs: `mkroot initrd` prints it.',
    }),
  );
  expect(() => askWhy(fs, '/initrd.img', 'init')).toThrow('there is no /initrd.img.json beside it');
});

it('the nearest name to that of a module is its file, not a shorter word', () => {
  const entries = ['tmp', 'usr/lib/modules/6.1/tg3.ko.xz'].map((path) => ({
    path,
    kind: 'file',
    mode: '0644',
    size: 0,
    reasons: [],
  }));
  const sha256 = createHash('sha256').update('initrd').digest('hex');
  const sidecar = { format: 1, kernel: '6.1', sha256, modules: ['tg3'], builtins: [], nics: [], entries };
  const fs = memoryFileSystem({ '/initrd.img': 'initrd', '/initrd.img.json': JSON.stringify(sidecar) });
  expect(() => askWhy(fs, '/initrd.img', 'tg3')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('The nearest name is "tg3.ko.xz".') }),
  );
});
