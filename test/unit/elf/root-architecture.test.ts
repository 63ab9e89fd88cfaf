import { describe, expect, it } from 'vitest';
import { elfMachine, rootMachine } from '../../../src/elf/root-architecture.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { buildElf } from '../../support/elf-fixture.js';
import { type MemoryTree, memoryFileSystem } from '../../support/memory-file-system.js';

const root = (tree: MemoryTree) => new Sysroot(memoryFileSystem(tree), '/root');
const ARCHITECTURES = [
  'amd64',
  'x32',
  'i386',
  'arm64',
  'armhf',
  'armel',
  'riscv64',
  'ppc64el',
  's390x',
  'mips64el',
];

describe('the machine of a root', () => {
  it.each(ARCHITECTURES)('%s is told by its programs', (architecture) => {
    const tree = { '/root/bin/sh': { link: 'dash' }, '/root/bin/dash': buildElf({ architecture }) };
    expect(elfMachine(root(tree), '/bin/sh')?.architecture).toBe(architecture);
    expect(rootMachine(root(tree)).architecture).toBe(architecture);
  });

  it('is told by any program if none of the usual ones is there, past scripts', () => {
    const tree = { '/root/usr/bin/aa': '#!/bin/sh', '/root/usr/bin/zz': buildElf({ architecture: 'arm64' }) };
    expect(rootMachine(root(tree)).architecture).toBe('arm64');
  });

  it('is an error where there is no program, and undefined for a file that is no ELF file', () => {
    expect(() => rootMachine(root({ '/root/etc/x': '' }))).toThrow('Cannot tell the architecture of "/root"');
    expect(() => elfMachine(root({}), '/bin/sh')).toThrow('there is no such file');
    expect(elfMachine(root({ '/root/a': 'text' }), '/a')).toBeUndefined();
  });
});
