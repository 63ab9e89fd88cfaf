import { expect, it } from 'vitest';
import { isMuslItself, muslPathFile, parseMuslPath } from '../../../src/elf/musl-path.js';

it('takes the path file from the loader’s name', () => {
  expect(muslPathFile('/lib/ld-musl-aarch64.so.1')).toBe('/etc/ld-musl-aarch64.path');
  expect(muslPathFile('/lib64/ld-linux-x86-64.so.2')).toBeUndefined();
});

it('reads directories between colons or newlines (case 7)', () => {
  expect(parseMuslPath('/lib:/usr/local/lib\n/usr/lib\n::relative:/opt')).toEqual([
    '/lib',
    '/usr/local/lib',
    '/usr/lib',
    '/opt',
  ]);
});

it('knows the names under which musl’s libc stands for itself', () => {
  const itself = ['libc.so', 'libc.musl-x86_64.so.1', 'libpthread.so.0', 'libm.so.6', 'libdl.so'];
  expect(itself.filter(isMuslItself)).toEqual(itself);
  expect(['libcrypto.so.3', 'libz.so.1', 'libmount.so.1', 'c.so'].filter(isMuslItself)).toEqual([]);
});
