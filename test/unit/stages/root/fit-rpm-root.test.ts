import { describe, expect, it } from 'vitest';
import { RootWriter } from '../../../../src/rootfs/root-writer.js';
import { fitToDisklessNode } from '../../../../src/stages/root/fit-rpm-root.js';
import { type MemoryTree, memoryFileSystem } from '../../../support/memory-file-system.js';

function fitted(tree: MemoryTree, selinux: 'disabled' | 'permissive' = 'disabled') {
  const fs = memoryFileSystem(tree);
  fitToDisklessNode(new RootWriter(fs, '/r'), { selinux });
  return fs;
}

const CONFIG = '# SELINUX= can take one of these\nSELINUX=enforcing\nSELINUXTYPE=targeted\n';

describe('a root of rpm packages on a node without a disk', () => {
  it.each(['disabled', 'permissive'] as const)('has SELinux %s, and its policy stays named', (selinux) => {
    const fs = fitted({ '/r/etc/selinux/config': CONFIG }, selinux);
    expect(Buffer.from(fs.readFile('/r/etc/selinux/config')).toString()).toBe(
      CONFIG.replace('enforcing', selinux),
    );
  });

  it('gets no SELinux configuration where there was none', () => {
    expect(fitted({ '/r/etc/passwd': '' }).lstat('/r/etc/selinux')).toBeUndefined();
  });

  it('does not run the init scripts that take network and network file systems away', () => {
    const fs = fitted({
      '/r/etc/rc.d/init.d/netfs': '',
      '/r/etc/rc.d/init.d/network': '',
      '/r/etc/systemd/system': null,
    });
    for (const name of ['netfs', 'network']) {
      expect(fs.readlink(`/r/etc/systemd/system/${name}.service`)).toBe('/dev/null');
    }
    expect(fitted({ '/r/etc': null }).lstat('/r/etc/systemd')).toBeUndefined();
  });

  it('holds no logs and caches of the installation', () => {
    const fs = fitted({
      '/r/var/log/dnf.rpm.log': '',
      '/r/var/log/hawkey.log': '',
      '/r/var/log/lastlog': '',
      '/r/var/cache/dnf/x': '',
    });
    expect(fs.readdir('/r/var/log')).toEqual(['lastlog']);
    expect(fs.readdir('/r/var/cache')).toEqual([]);
  });
});
