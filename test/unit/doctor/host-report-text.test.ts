import { describe, expect, test } from 'vitest';
import { checkHost } from '../../../src/doctor/check-host.js';
import { hostReportText } from '../../../src/doctor/host-report-text.js';
import type { Purpose } from '../../../src/doctor/requirement.js';
import { REQUIREMENTS } from '../../../src/doctor/requirements.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const DEFAULT: readonly Purpose[] = ['build', 'initrd', 'publish', 'qemu-test'];

/** A Debian that has nothing at all, or every program. */
function bareHost({ programs = false } = {}) {
  return {
    fs: memoryFileSystem({ '/etc/os-release': 'ID=debian\n', '/proc/filesystems': 'nodev\ttmpfs\n' }),
    runner: {
      which: (program: string) => (programs ? `/usr/bin/${program}` : undefined),
      run: async () => ({
        exitCode: 0,
        signal: undefined,
        stdout: Buffer.from('1.2.3'),
        stderr: '',
        durationMs: 1,
      }),
      start: () => Promise.reject(new Error('nothing is started')),
    },
  };
}

const ask = (purposes = DEFAULT, { uid = 0, programs = false } = {}) =>
  checkHost(REQUIREMENTS, { purposes, uid }, bareHost({ programs }));

describe('the report of mkroot doctor', () => {
  test('has what was asked about, and what would help there; the rest is counted', async () => {
    const text = hostReportText(await ask(['initrd']), { colour: false });
    const names = [...text.matchAll(/^[✔✘?] (\S+)/gm)].map(([, name]) => name);
    expect(names).toEqual(['zstd', 'xz', 'getcap', 'lz4', 'busybox']);
    expect(text).toContain(
      `${REQUIREMENTS.length - 5} more are for other work (--for build, publish, netboot, serve, enter, qemu-test, test, bench).`,
    );
    expect(text).not.toContain('Accelerators');
  });

  test('what only the tests of mkroot need is not to be installed by one who builds and publishes', async () => {
    const report = await ask();
    const all = [...report.missingPackages.required, ...report.missingPackages.useful];
    expect(all).toContain('lz4');
    const purposesOf = (name: string) =>
      REQUIREMENTS.filter(({ debian }) => debian.includes(name)).flatMap((one) => [
        ...one.requiredFor,
        ...one.usefulFor,
      ]);
    expect(all.filter((name) => !purposesOf(name).some((purpose) => DEFAULT.includes(purpose)))).toEqual([]);
    expect((await ask(['test'])).missingPackages.required).toContain('shellcheck');
  });

  test.each([80, 100, 120, 200])('no line of the table breaks on %i columns', async (columns) => {
    for (const report of [await ask(), await ask(['serve']), await ask(['test', 'bench', 'build'])]) {
      const [table = ''] = hostReportText(report, { colour: false, columns }).split('\n\n');
      expect(table.split('\n').filter((line) => line.length > columns)).toEqual([]);
      expect(table).not.toMatch(/ {2}…$/m);
    }
  });

  test('on 80 columns, what is missing says what it would be for below its line', async () => {
    const text = hostReportText(await ask(), { colour: false, columns: 80 });
    expect(text).toMatch(
      /\n✘ dnsmasq .*qemu-test *\n {4}DHCP and TFTP server, of the head node and of the lab\n {4}Debian: dnsmasq-base; EL: dnsmasq\n/,
    );
    expect(text.split('\n')[0]).not.toContain('for what');
  });

  test('an ordinary user is told what takes root, not that it is ready', async () => {
    const ready = async (purposes: readonly Purpose[], uid: number) => {
      const report = await ask(purposes, { uid, programs: true });
      return hostReportText({ ...report, ready: true }, { colour: false })
        .split('\n')
        .at(-1);
    };
    expect(await ready(['serve'], 1000)).toBe('This host is ready for serve (as root).');
    expect(await ready(['initrd', 'serve', 'enter'], 1000)).toBe(
      'This host is ready for initrd, serve (as root), enter (as root).',
    );
    expect(await ready(['initrd', 'serve'], 0)).toBe('This host is ready for initrd, serve.');
  });
});
