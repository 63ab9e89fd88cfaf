import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

const active = { 'proc/filesystems': 'nodev\tsysfs\nnodev\tselinuxfs\n\text4\n' };
const config = (mode: string) => ({
  'sysroot/etc/selinux/config': `# SELINUX=enforcing\nSELINUX=${mode}\nSELINUXTYPE=targeted\n`,
});

describe.each(shells)('SELinux under $name', (shell) => {
  const boot = (tree: TargetTree) =>
    runOnTarget(shell, 'enter_stage 90; refuse_enforcing_selinux; echo goes on', tree);
  const refused = (tree: TargetTree) => {
    const { status, stdout, kmsg } = boot(tree);
    if (status === 0) {
      expect(stdout).toBe('goes on\n');
      return undefined;
    }
    expect(kmsg).toHaveLength(1);
    return kmsg[0];
  };

  it('that is to be enforced ends the boot with one line that says what to do', () => {
    expect(refused({ ...active, ...config('enforcing') })).toMatch(
      /^<3>mkroot: FAILED \[90\] switch-root: - SELinux is to be enforced, but the files of this root have no labels: SELINUX=permissive in \/etc\/selinux\/config or enforcing=0 on the command line is needed; next: reboot in \d+ s$/,
    );
    expect(refused({ ...active, 'proc/cmdline': 'security=selinux enforcing=1\n' })).toContain('no labels');
    expect(refused({ ...active, ...config('permissive'), 'proc/cmdline': 'enforcing=1\n' })).toContain(
      'no labels',
    );
  });

  it('that is permissive, disabled, absent, or not of this kernel, is no reason', () => {
    expect(refused({ ...active, ...config('permissive') })).toBeUndefined();
    expect(refused({ ...active, ...config('disabled'), 'proc/cmdline': 'enforcing=1\n' })).toBeUndefined();
    expect(
      refused({ ...active, ...config('enforcing'), 'proc/cmdline': 'quiet enforcing=0\n' }),
    ).toBeUndefined();
    expect(refused(active)).toBeUndefined();
    expect(refused({ 'proc/filesystems': 'nodev\tsysfs\n', ...config('enforcing') })).toBeUndefined();
  });
});
