import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOOT_KEYS } from '../../../src/netboot/boot-keys.js';
import { bootStages, parseStageLine } from '../../../src/netboot/boot-stages.js';
import { initrdSettingNames, renderInitrdSettings } from '../../../src/netboot/initrd-settings.js';
import { runOnTarget, shells } from '../initramfs-skel/target-shell.js';

const settings = {
  version: '0.1.0',
  image: "it's",
  generation: '1',
  kernel: '6.1.0-1-amd64',
  modules: ['overlay', 'nfs'],
  nicModules: ['tg3'],
  built: 1795000000,
  defaults: ['mkroot.rw=tmpfs:size=50%'],
};

describe('initrd.conf', () => {
  it('is one quoted assignment per line', () => {
    expect(renderInitrdSettings(settings)).toBe(
      "MKROOT_VERSION='0.1.0'\nMKROOT_IMAGE='it'\\''s'\nMKROOT_GENERATION='1'\nMKROOT_KERNEL='6.1.0-1-amd64'\n" +
        "MKROOT_MODULES='overlay nfs'\nMKROOT_NIC_MODULES='tg3'\nMKROOT_BUILT='1795000000'\nMKROOT_DEFAULTS='mkroot.rw=tmpfs:size=50%'\n",
    );
    expect(() => renderInitrdSettings({ ...settings, image: 'a\nreboot' })).toThrow(
      'Cannot write the initrd setting "MKROOT_IMAGE"',
    );
  });

  it.each(shells)('is what /init knows and reads back under $name, hostile values included', (shell) => {
    const hostile = { ...settings, image: `$(touch owned) \`x\` '; reboot #"\\` };
    const { stdout, calls } = runOnTarget(
      shell,
      `${initrdSettingNames.map((name) => `unset ${name}`).join('\n')}\nload_settings
printf '%s|' ${initrdSettingNames.map((name) => `"$${name}"`).join(' ')}`,
      { 'etc/mkroot/initrd.conf': renderInitrdSettings(hostile) },
    );
    expect(stdout).toBe(
      `0.1.0|${hostile.image}|1|6.1.0-1-amd64|overlay nfs|tg3|1795000000|mkroot.rw=tmpfs:size=50%|`,
    );
    expect(calls).toEqual([]);
    // Each name has a default, so that an initrd without the file still boots.
    const defaults = runOnTarget(
      shell,
      `printf '%s|' ${initrdSettingNames.map((name) => `"$${name}"`).join(' ')}`,
    );
    expect(defaults.stderr).toBe('');
  });
});

describe('keys of the command line', () => {
  it('that mkroot lint knows are those that parameters.sh reads', () => {
    const text = readFileSync(
      new URL('../../../initramfs-skel/lib/mkroot/parameters.sh', import.meta.url),
      'utf8',
    );
    const read = [...text.matchAll(/mkroot\.([a-z]+)=\*/g)].map(([, key]) => key!);
    expect([...new Set(read)].sort()).toEqual([...BOOT_KEYS].sort());
  });
});

describe('stage lines', () => {
  it("are found behind the kernel's time stamp, carriage returns and terminal codes, and nowhere else", () => {
    expect(parseStageLine('[    2.780414] mkroot: [10] start: mkroot 0.1.0\r')).toEqual({
      kind: 'reached',
      number: 10,
      name: 'start',
      detail: 'mkroot 0.1.0',
    });
    expect(
      parseStageLine('\u001b[!p]104\u001b[?7h[   41.3] mkroot: [90] switch-root: /sbin/init')?.number,
    ).toBe(90);
    expect(parseStageLine('mkroot: FAILED [50] base: 10.0.0.1:/r refused; next: reboot in 3 s')).toEqual({
      kind: 'failed',
      number: 50,
      name: 'base',
      reason: '10.0.0.1:/r refused',
      next: 'reboot in 3 s',
    });
    for (const line of ['', 'mkroot: shutdown: poweroff', 'xmkroot: [10] start: a', 'mkroot: [1] start: a'])
      expect(parseStageLine(line)).toBeUndefined();
  });

  it('never make the parser fail, whatever a node prints', () => {
    fc.assert(fc.property(fc.string(), (line) => void parseStageLine(line)));
    fc.assert(
      fc.property(
        fc.constantFrom(...bootStages),
        fc.stringMatching(/^[ -~]*$/),
        ({ number, name }, detail) => {
          expect(parseStageLine(`mkroot: [${number}] ${name}: ${detail}`)).toMatchObject({
            kind: 'reached',
            number,
            name,
          });
        },
      ),
    );
  });
});
