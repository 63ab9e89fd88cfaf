import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkHost } from '../../../src/doctor/check-host.js';
import { hostReportText } from '../../../src/doctor/host-report-text.js';
import type { Purpose } from '../../../src/doctor/requirement.js';
import { REQUIREMENTS } from '../../../src/doctor/requirements.js';
import type { Command, Completed } from '../../../src/ports/process-runner.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const COMMANDS: readonly Purpose[] = ['build', 'initrd', 'publish', 'qemu-test'];

/** A host that has every file, and every program but the named ones. */
function host({
  without = [] as string[],
  noFiles = false,
  denied = [] as string[],
  os = 'ID=debian\n',
} = {}) {
  const files = REQUIREMENTS.flatMap(({ probe }) =>
    probe.kind === 'file' ? probe.anyOf.slice(0, 1) : probe.kind === 'device' ? [probe.path] : [],
  );
  const fs = memoryFileSystem({
    '/etc/os-release': os,
    '/proc/filesystems': 'nodev\toverlay\n\tsquashfs\n',
    ...(noFiles ? {} : Object.fromEntries(files.map((path) => [path, '']))),
  });
  const completed = (exitCode: number, stdout = '', stderr = ''): Completed => ({
    exitCode,
    signal: undefined,
    stdout: Buffer.from(stdout),
    stderr,
    durationMs: 1,
  });
  const runner = {
    which: (program: string) => (without.includes(program) ? undefined : `/usr/bin/${program}`),
    run: async ({ argv }: Command) => {
      if (argv[0] === 'sh') {
        const path = argv.at(-1)!;
        return denied.includes(path)
          ? completed(2, '', `sh: 1: cannot open ${path}: Permission denied\n`)
          : completed(0);
      }
      return completed(0, `${argv[0]} (GNU) version 1.2.3-4\n`);
    },
    start: () => Promise.reject(new Error('nothing is started')),
  };
  return { fs, runner };
}

const ask = (ports: ReturnType<typeof host>, purposes = COMMANDS, uid = 0) =>
  checkHost(REQUIREMENTS, { purposes, uid }, ports);

describe('mkroot doctor', () => {
  test('a host with everything is ready, tells versions and accelerators, and asks for no package', async () => {
    const report = await ask(host());
    expect(report).toMatchObject({
      ready: true,
      accelerators: ['kvm', 'tcg'],
      missingPackages: { required: [], useful: [] },
    });
    const zstd = report.findings.find(({ requirement }) => requirement.name === 'zstd');
    expect(zstd).toMatchObject({ presence: 'ok', detail: '1.2.3-4', required: true });
  });

  test('something required that is missing makes it not ready and names the package', async () => {
    const report = await ask(host({ without: ['dnsmasq', 'lz4'] }));
    expect(report.ready).toBe(false);
    expect(report.missingPackages).toEqual({ required: ['dnsmasq-base'], useful: ['lz4'] });
    const text = hostReportText(report, { colour: false });
    expect(text).toMatch(/✘ dnsmasq .*qemu-test .*\n {4}Debian: dnsmasq-base; EL: dnsmasq\n/);
    expect(text).toContain('apt-get install --no-install-recommends dnsmasq-base');
    expect(text).toContain('Missing: dnsmasq.');
  });

  test('either bootstrap tool is enough to build; with neither the better one is asked for', async () => {
    expect((await ask(host({ without: ['mmdebstrap'] }))).ready).toBe(true);
    expect((await ask(host({ without: ['debootstrap'] }))).ready).toBe(true);
    const neither = await ask(host({ without: ['mmdebstrap', 'debootstrap'] }));
    expect(neither).toMatchObject({ ready: false, missingPackages: { required: ['mmdebstrap'] } });
  });

  test('what only other purposes need does not make it fail', async () => {
    const ports = host({ without: ['shellcheck', 'qemu-system-x86_64'] });
    expect((await ask(ports, ['build', 'initrd'])).ready).toBe(true);
    expect((await ask(ports, ['test'])).ready).toBe(false);
  });

  test('a head node is asked about: keys and lock to publish, either NFS server to serve', async () => {
    const missing = async (without: string[], ...purposes: Purpose[]) => {
      const report = await ask(host({ without }), purposes);
      const names = report.findings.filter(({ presence, required }) => presence === 'missing' && required);
      expect(report.ready).toBe(names.length === 0);
      return names.map(({ requirement }) => requirement.name);
    };
    // Commands that the default names: `node create` needs what publish needs.
    expect(await missing(['ssh-keygen'], ...COMMANDS)).toEqual(['ssh-keygen']);
    expect(await missing(['ssh-keygen'], 'build', 'initrd', 'netboot', 'serve', 'enter')).toEqual([]);
    expect(await missing(['flock'], 'publish')).toEqual(['flock']);
    expect(await missing(['dnsmasq', 'rpcbind', 'ip'], 'serve')).toEqual(['dnsmasq', 'rpcbind', 'ip']);
    expect(await missing(['dnsmasq', 'ganesha.nfsd', 'rpc.nfsd'], 'publish', 'netboot', 'enter')).toEqual([]);
    expect(await missing(['nsenter'], 'enter')).toEqual(['nsenter']);
    // The kernel of this host has no nfsd.
    expect(await missing([], 'serve')).toEqual([]);
    expect(await missing(['ganesha.nfsd', 'modprobe'], 'serve')).toEqual(['ganesha.nfsd']);
    expect(await missing(['ganesha.nfsd'], 'serve')).toEqual([]);
    expect(await missing(['ganesha.nfsd', 'rpc.mountd'], 'serve')).toEqual(['ganesha.nfsd']);
    const ready = hostReportText(await ask(host(), ['serve']), { colour: false });
    expect(ready).toContain('This host is ready for serve.');
  });

  test('/dev/kvm that may not be opened is not an accelerator, and says why', async () => {
    const report = await ask(host({ denied: ['/dev/kvm'] }));
    expect(report).toMatchObject({ ready: true, accelerators: ['tcg'] });
    expect(hostReportText(report, { colour: false })).toMatch(/✘ \/dev\/kvm .*Permission denied/);
  });

  test('an ordinary user is told that namespaces were not checked, not that they are missing', async () => {
    const report = await ask(host(), COMMANDS, 1000);
    const namespaces = report.findings.find(({ requirement }) => requirement.name === 'namespaces');
    expect(namespaces?.presence).toBe('unchecked');
    expect(report.ready).toBe(true);
  });

  test('on Rocky Linux the packages have their names there', async () => {
    const report = await ask(
      host({ noFiles: true, os: 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', without: ['dnsmasq'] }),
    );
    expect(report.packageManager).toBe('dnf');
    expect(hostReportText(report, { colour: false })).toMatch(/dnf install .*\bdnsmasq\b/);
    expect(report.missingPackages.required).toContain('ipxe-roms-qemu');
  });
});

describe('scripts/debian-packages.json, which the set-up installs', () => {
  const lists = JSON.parse(
    readFileSync(new URL('../../../scripts/debian-packages.json', import.meta.url), 'utf8'),
  ) as Record<'demo' | 'test' | 'bench', string[]>;
  const required = (purposes: readonly Purpose[]) =>
    REQUIREMENTS.filter(({ requiredFor }) =>
      requiredFor.some((purpose) => purposes.includes(purpose)),
    ).flatMap(({ debian }) => debian);

  test('for the demo: what the table says its commands need, and the default bootstrap tool', () => {
    expect([...lists.demo].sort()).toEqual([...new Set([...required(COMMANDS), 'mmdebstrap'])].sort());
  });

  test('for the tests: the rest of what the table says', () => {
    expect([...lists.demo, ...lists.test].sort()).toEqual(
      [...new Set(required([...COMMANDS, 'test']))].sort(),
    );
  });

  test('for the benchmarks: the rest of what the table says, in a list of its own', () => {
    expect([...lists.demo, ...lists.bench].sort()).toEqual(
      [...new Set(required([...COMMANDS, 'bench']))].sort(),
    );
  });
});
