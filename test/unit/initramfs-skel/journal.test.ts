import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

describe.each(shells)('the journal under $name', (shell) => {
  const configured = (top: string, tree: TargetTree = {}) =>
    runOnTarget(shell, `top_wanted='${top}'; write_journal_configuration`, tree).read(
      'run/systemd/journald.conf.d/00-mkroot.conf',
    );

  it('is in /run only where the top is memory, and is a fiftieth of the memory, at most 64 MiB', () => {
    expect(configured('')).toBe('[Journal]\nRuntimeMaxUse=20000K\nStorage=volatile\n');
    expect(configured('tmpfs:size=1g', { 'proc/meminfo': 'MemTotal:       16384000 kB\n' })).toBe(
      '[Journal]\nRuntimeMaxUse=65536K\nStorage=volatile\n',
    );
  });

  it('is kept where the root wants it, if that lasts: on a disk, in an image, on a persistent path', () => {
    const left = '[Journal]\nRuntimeMaxUse=20000K\n';
    expect(configured('disk:scratch')).toBe(left);
    expect(configured('image:/tops/n1.ext4')).toBe(left);
    for (const path of ['/var', '/var/log', '/var/log/journal']) {
      expect(configured('', { 'proc/mounts': `s:/kept /sysroot${path} nfs rw 0 0\n` })).toBe(left);
    }
  });

  it('is in /run where other paths last, or the one for logs is absent', () => {
    const mounts =
      's:/home /sysroot/home nfs rw 0 0\ns:/x /sysroot/var/log/x nfs rw 0 0\nmkroot-absent /sysroot/var/log tmpfs ro 0 0\n';
    expect(configured('', { 'proc/mounts': mounts })).toContain('Storage=volatile\n');
  });
});
