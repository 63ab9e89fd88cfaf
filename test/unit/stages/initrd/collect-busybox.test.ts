import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { MkrootError } from '../../../../src/errors.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import { collectBusybox } from '../../../../src/stages/initrd/collect-busybox.js';
import { buildElf } from '../../../support/elf-fixture.js';
import { type MemoryTree, memoryFileSystem } from '../../../support/memory-file-system.js';

const APPLETS = Buffer.from('\0ash\0udhcpc\0zcat\0');
const busybox = (architecture: string, trailer = APPLETS) =>
  buildElf({ architecture, type: 2, static: true, trailer });
const dynamic = buildElf({ architecture: 'arm64', type: 2, interpreter: '/lib/ld.so', trailer: APPLETS });

function collect(files: MemoryTree) {
  const fs = memoryFileSystem({ '/host/etc': null, '/root/etc': null, ...files });
  const tree = new ArchiveTree();
  collectBusybox(tree, new Sysroot(fs, '/root'), new Sysroot(fs, '/host'), 'arm64');
  return tree.get('bin/busybox');
}

describe('collectBusybox', () => {
  it("prefers the root's own, through a link", () => {
    const entry = collect({
      '/root/usr/bin/busybox': busybox('arm64'),
      '/root/bin': { link: 'usr/bin' },
      '/host/bin/busybox': busybox('arm64'),
    });
    expect(entry).toMatchObject({ mode: 0o755, content: { hostPath: '/root/usr/bin/busybox' } });
  });

  it("takes the host's where the root has only a dynamic one", () => {
    const entry = collect({ '/root/bin/busybox': dynamic, '/host/bin/busybox': busybox('arm64') });
    expect(entry).toMatchObject({ content: { hostPath: '/host/bin/busybox' } });
  });

  it('refuses one for another machine, one that is dynamic and one without udhcpc, and says which is which', () => {
    try {
      collect({
        '/root/bin/busybox': dynamic,
        '/root/sbin/busybox': busybox('arm64', Buffer.from('\0ash\0')),
        '/host/bin/busybox': busybox('amd64'),
      });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(MkrootError);
      expect((error as MkrootError).details).toEqual([
        '  /bin/busybox of the root: it is linked dynamically',
        '  /sbin/busybox of the root: it has no udhcpc',
        '  /bin/busybox of the host: it is for amd64',
      ]);
      expect((error as MkrootError).hint).toContain('busybox-static');
    }
  });
});
