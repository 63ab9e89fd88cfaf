import { execFileSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildState, buildState } from '../support/build-state.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

const EXAMPLES = fileURLToPath(new URL('../../docs/examples', import.meta.url));
const IMAGES = {
  cattuto: 'beowulf',
  lessdisks: 'node',
  lunar: 'openmosix',
  hopeless: 'hopeless',
  iridia: 'simple',
} as const;

let built: BuildState;
let directory: string;

/** The recipes differ in names and drivers only: the root is bootstrapped once. */
beforeAll(async () => {
  built = buildState();
  directory = mkdtempSync('/var/tmp/mkroot-test-examples-');
  for (const [name, image] of Object.entries(IMAGES)) {
    const recipe = join(EXAMPLES, name, 'recipes', `${image}.yaml`);
    await mkrootJson('build', recipe, '--state', built.state);
    await mkrootJson('initrd', image, '--state', built.state);
  }
});

afterAll(() => {
  built.remove();
  rmSync(directory, { recursive: true });
});

/** A copy of an example, with a state directory of its own that shares the files of the built image. */
class Example {
  readonly site: string;
  readonly state: string;

  constructor(readonly name: keyof typeof IMAGES) {
    this.site = join(directory, name);
    this.state = join(directory, `${name}-state`);
    cpSync(join(EXAMPLES, name), this.site, { recursive: true });
    mkdirSync(join(this.state, 'images'), { recursive: true });
    const image = join(built.state, 'images', IMAGES[name]);
    execFileSync('cp', ['-al', image, join(this.state, 'images')]);
  }

  get places(): string[] {
    return ['--site', this.site, '--state', this.state];
  }

  /** What an export of nodes.yaml stands for on this machine. */
  export(path: string, files: Readonly<Record<string, string>>): void {
    const place = join(directory, `${this.name}${path.replaceAll('/', '-')}`);
    const file = join(this.site, 'nodes.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(`export: ${path}`, `export: ${place}`));
    write(place, files);
  }

  /** Shell commands that each node runs after it is up; each name has to be told as passed. */
  check(checks: Readonly<Record<string, string>>): void {
    const script = Object.entries(checks).map(
      ([name, command]) =>
        `if ( ${command} ) >/dev/null 2>&1; then tell ${name} pass; else tell ${name} fail; fi\n`,
    );
    write(join(this.site, 'hosts/template/etc/systemd/system'), {
      'site-check.service':
        '[Unit]\nAfter=remote-fs.target\n[Service]\nType=oneshot\nExecStart=/bin/sh /etc/site-check\n',
      'multi-user.target.d/site-check.conf': '[Unit]\nWants=site-check.service\nAfter=site-check.service\n',
    });
    write(join(this.site, 'hosts/template/etc'), {
      'site-check': `tell() { echo "<4>site-check: $1 $2" >/dev/kmsg; }\n${script.join('')}`,
    });
  }

  /** The text of a published file. */
  netboot(path: string): string {
    return readFileSync(join(this.state, 'netboot', path), 'utf8');
  }

  lint(): Promise<{ readonly findings: readonly unknown[] }> {
    return mkrootJson('lint', ...this.places);
  }

  /** Publishes, and shows each file that servers read to its program. */
  async publish(): Promise<void> {
    await mkrootJson('publish', ...this.places);
    const etc = join(this.state, 'netboot/etc');
    const check = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: 'pipe' });
    check('dnsmasq', '--test', `--conf-file=${etc}/dnsmasq.conf`);
    check('dhcpd', '-4', '-t', '-cf', `${etc}/dhcp/dhcpd.conf`);
    check('unshare', '--net', 'kea-dhcp4', '-t', `${etc}/kea/kea-dhcp4.conf`);
    for (const file of readdirSync(join(this.state, 'netboot/tftp/grub'))) {
      if (file.startsWith('grub.cfg')) {
        check('grub-script-check', join(this.state, 'netboot/tftp/grub', file));
      }
    }
  }

  /** Boots nodes and gives what each told, and what TFTP was asked for. */
  async boot(nodes: string): Promise<{ told: Record<string, string[]>; tftp: string }> {
    const report = join(directory, `${this.name}-report`);
    const run = await runMkroot([
      ...['qemu-test', '--nodes', nodes, ...this.places],
      ...['--report', report, '--timeout', '1500', '--json'],
    ]);
    expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(0);
    const { nodes: reports } = JSON.parse(run.stdout) as { nodes: readonly { node: string }[] };
    const told = reports.map(({ node }): [string, string[]] => {
      const console = readFileSync(join(report, node, 'console.log'), 'latin1');
      return [node, [...console.matchAll(/site-check: (\S+ \w+)/g)].map(([, text]) => text!)];
    });
    return {
      told: Object.fromEntries(told),
      tftp: readFileSync(join(report, 'dnsmasq.log'), 'utf8'),
    };
  }
}

function write(parent: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(parent, path)), { recursive: true });
    writeFileSync(join(parent, path), text);
  }
}

const pass = (checks: Readonly<Record<string, string>>) => Object.keys(checks).map((name) => `${name} pass`);

describe('the examples, built, published and booted', () => {
  it('Cattuto: GRUB, a read-only root, a small ramdisk, shared applications, a group with local disks', async () => {
    const example = new Example('cattuto');
    example.export('/beowulf', { 'env/profile': 'export MPI=lam\n', 'bin/mpirun': '' });
    expect((await example.lint()).findings).toEqual([]);
    const checks = {
      'applications-are-there': '. /etc/profile.d/beowulf.sh; [ "$MPI" = lam ]',
      'applications-are-read-only': '[ -e /beowulf/bin/mpirun ] && ! touch /beowulf/bin/x',
      'root-is-read-only-below': '! touch /run/mkroot/base/x',
      'ramdisk-is-small': 'grep -q "size=262144k" /proc/mounts',
      'tmp-can-be-written': 'touch /tmp/lock && touch /etc/x',
      'everybody-is-in-hosts': 'getent hosts node12 && getent hosts node00',
      'disk-is-not-missed': '[ "$(hostname)" != node13 ] || { [ -d /scratch ] && ! mountpoint -q /scratch; }',
    };
    example.check(checks);
    await example.publish();
    const loader = join(example.state, 'netboot/tftp/grub/core.0');
    expect(readFileSync(loader).length).toBeGreaterThan(50_000);
    expect(example.netboot('etc/dhcp/dhcpd.conf')).toContain('filename "grub/core.0"');
    expect(example.netboot('tftp/grub/grub.cfg-01-52-54-00-0a-00-10')).toContain('mkroot.rw=tmpfs:size=256m');
    expect(example.netboot('etc/exports')).toMatch(/-beowulf 10\.10\.0\.0\/24\(ro,/);
    const { told, tftp } = await example.boot('node[10,13]');
    expect(told).toEqual({ node10: pass(checks), node13: pass(checks) });
    expect(tftp).toMatch(/sent .*\/grub\/core\.0 /);
    expect(tftp).toMatch(/sent .*\/grub\/grub\.cfg-01-52-54-00-0a-00-10 /);
    expect(tftp).not.toMatch(/pxelinux\.0|boot\.ipxe/);
  });

  it('lessdisks: PXELINUX, /var per node, lists of machines', async () => {
    const example = new Example('lessdisks');
    expect((await example.lint()).findings).toEqual([]);
    const checks = {
      'var-is-its-own':
        'grep -q "^10.20.0.1:.*/hosts/node02/persistent/var/@ /var nfs" /proc/mounts && touch /var/log/x',
      'var-began-as-in-the-image': 'dpkg-query -W systemd',
      'everybody-is-in-hosts': 'getent hosts node04.cluster.example',
      'kernel-talks-to-the-serial-line': 'grep -q "console=ttyS0,115200n8" /proc/cmdline',
    };
    example.check(checks);
    await example.publish();
    expect(example.netboot('etc/dhcp/dhcpd.conf')).toContain('filename "pxelinux.0"');
    expect(example.netboot('tftp/pxelinux.cfg/01-52-54-00-14-00-02')).toMatch(/^SERIAL 0 115200$/m);
    expect(example.netboot('etc/exports')).toMatch(/\/hosts\/node02\/persistent\/var\/@ 10\.20\.0\.102\(rw,/);
    const kept = join(example.state, 'hosts/node02/persistent/var/@/lib/dpkg/status');
    expect(readFileSync(kept, 'utf8')).toContain('Package: systemd\n');
    const list = example.netboot('etc/dsh/group/nodes');
    expect(list.split('\n').slice(1, -1)).toEqual(['node01', 'node02', 'node03', 'node04']);
    const { told, tftp } = await example.boot('node02');
    expect(told).toEqual({ node02: pass(checks) });
    expect(tftp).toMatch(/sent .*\/pxelinux\.0 /);
    expect(tftp).toMatch(/sent .*\/pxelinux\.cfg\/01-52-54-00-14-00-02 /);
  });

  it('Lunar: what is entered gets a new serial, is booted, and is pulled to a disk once', async () => {
    const example = new Example('lunar');
    example.export('/export/local', { 'bin/tool': '#!/bin/sh\n' });
    expect((await example.lint()).findings).toEqual([]);
    const change = 'echo "kernel.panic = 17" > /etc/sysctl.d/panic.conf; touch /root/.bash_history';
    const session = await runMkroot(['enter', 'om', ...example.places, '--', 'sh', '-c', change]);
    expect(session.exitCode, session.stderr).toBe(0);
    const settings = readFileSync(join(example.site, 'overlays/openmosix/overlay.yaml'), 'utf8');
    expect(settings).toMatch(/^serial: 13$/m);
    const checks = {
      'serial-is-stamped': '[ "$(cat /etc/mkroot/serial/openmosix)" = 13 ]',
      'change-has-arrived': '[ "$(sysctl -n kernel.panic)" = 17 ]',
      'history-was-left-out': '[ ! -e /root/.bash_history ]',
      'script-is-for-root': '[ "$(stat -c %a:%U /root/rsync)" = 700:root ]',
      'applications-are-read-only': '[ -e /usr/local/bin/tool ] && ! touch /usr/local/bin/x',
    };
    example.check(checks);
    await example.publish();
    const { told } = await example.boot('om02');
    expect(told).toEqual({ om02: pass(checks) });

    const disk = join(directory, 'disk');
    mkdirSync(join(disk, 'boot'), { recursive: true });
    write(disk, { 'etc/hostname': 'om02\n', 'etc/stale': '' });
    const layer = join(example.state, 'layers/om/current/layer');
    const script = `ip link set lo up; ip address add 10.30.0.1/24 dev lo
rsync --daemon --no-detach --config="$1/netboot/etc/rsyncd.conf" &
for try in 1 2 3 4 5 6 7 8 9 10; do rsync 10.30.0.1:: >/dev/null 2>&1 && break; sleep 0.5; done
sed "s,/etc/mkroot/pull.exclude,$2/etc/mkroot/pull.exclude," "$2/root/rsync" >"$3.sh"
sh "$3.sh" "$3"; sh "$3.sh" "$3"
kill $!`;
    const said = execFileSync('unshare', ['--net', 'sh', '-ec', script, 'sh', example.state, layer, disk], {
      encoding: 'utf8',
    });
    expect(said).toBe('Renewing host\nno renewal needed\n');
    const onDisk = (path: string) => readFileSync(join(disk, path), 'utf8');
    expect(onDisk('etc/hostname')).toBe('om02\n');
    expect(onDisk('etc/mkroot/serial/openmosix')).toBe('13\n');
    expect(onDisk('etc/sysctl.d/panic.conf')).toBe('kernel.panic = 17\n');
    expect(readdirSync(join(disk, 'etc'))).not.toContain('stale');
    expect(readdirSync(join(disk, 'boot'))).toContain('vmlinuz');
  });

  it('Hopeless: boot entries name the host layer alone, its pointers the rest, and one initramfs serves both kinds', async () => {
    const example = new Example('hopeless');
    expect((await example.lint()).findings).toEqual([]);
    const checks = {
      'entry-names-the-host-layer-alone': '! grep -qE "mkroot.(base|cluster)=" /proc/cmdline',
      'pointers-were-followed':
        'grep -q "/$(cat /run/mkroot/host/hopeless.root) " /proc/mounts && grep -q "/$(cat /run/mkroot/host/hopeless.overlay) " /proc/mounts',
      'overlay-is-that-of-its-kind': '[ "$(cat /etc/motd)" = "$(cut -d" " -f3 /etc/hopeless/role) node" ]',
      'template-was-instantiated': 'grep -q "^$(hostname) 10.40" /etc/hopeless/role',
      'deletion-is-for-storage-alone':
        '[ -e /run/mkroot/base/etc/issue.net ] && case $(hostname) in *store*) [ ! -e /etc/issue.net ] ;; *) [ -e /etc/issue.net ] ;; esac',
      'data-is-persistent': 'case $(hostname) in *store*) mountpoint -q /data ;; *) true ;; esac',
    };
    example.check(checks);
    await example.publish();
    const entries = ['01-52-54-00-28-01-01', '01-52-54-00-28-02-01'].map((name) =>
      example.netboot(`tftp/pxelinux.cfg/${name}`),
    );
    for (const entry of entries) {
      expect(entry).not.toMatch(/mkroot\.(base|cluster)=/);
      expect(entry).toContain(`mkroot.roots=10.40.0.1:${example.state}`);
    }
    expect(new Set(entries.map((entry) => /INITRD (\S+)/.exec(entry)?.[1])).size).toBe(1);
    const layers = ['mickyslave001', 'mickystore001'].map((node) =>
      join(example.state, 'hosts', node, 'current/layer'),
    );
    const overlays = layers.map((layer) => readFileSync(join(layer, 'hopeless.overlay'), 'utf8').trim());
    expect(overlays.map((overlay) => readFileSync(join(example.state, overlay, 'etc/motd'), 'utf8'))).toEqual(
      ['compute node\n', 'storage node\n'],
    );
    expect(lstatSync(join(example.state, overlays[1]!, 'etc/issue.net')).isCharacterDevice()).toBe(true);
    expect(readFileSync(join(layers[0]!, 'etc/hopeless/role'), 'utf8')).toBe(
      'mickyslave001 10.40.1.1 compute\n',
    );
    const { told } = await example.boot('mickyslave001,mickystore001');
    expect(told).toEqual({ mickyslave001: pass(checks), mickystore001: pass(checks) });
  });

  it('IRIDIA: the boot file by hexadecimal address where there is none by MAC, a private /var', async () => {
    const example = new Example('iridia');
    expect((await example.lint()).findings).toEqual([]);
    const checks = {
      'var-is-private': 'grep -q "/hosts/s01/persistent/var/@ /var nfs" /proc/mounts && touch /var/log/x',
      'etc-is-private': 'grep -q "^s01 (192.168.100.2, upper shelf)" /etc/issue && touch /etc/x',
      'tmp-and-dev-are-its-own': 'touch /tmp/x && grep -q "devtmpfs /dev " /proc/mounts',
    };
    example.check(checks);
    await example.publish();
    const names = readdirSync(join(example.state, 'netboot/tftp/pxelinux.cfg'));
    expect(names).toEqual(expect.arrayContaining(['01-52-54-00-64-00-01', 'C0A86402', 'default']));
    expect(example.netboot('etc/exports')).toMatch(
      /^\S+\/hosts\/s01\/persistent\/var\/@ 192\.168\.100\.2\(rw,/m,
    );
    // As if nobody knew the MAC address but the DHCP server.
    rmSync(join(example.state, 'netboot/tftp/pxelinux.cfg/01-52-54-00-64-00-01'));
    const { told, tftp } = await example.boot('s01');
    expect(told).toEqual({ s01: pass(checks) });
    expect(tftp).toMatch(/file .*\/pxelinux\.cfg\/01-52-54-00-64-00-01 not found/);
    expect(tftp).toMatch(/sent .*\/pxelinux\.cfg\/C0A86402 /);
  });
});
