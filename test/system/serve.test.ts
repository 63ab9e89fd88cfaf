import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPORT_LIMIT } from '../../src/serving/node-report.js';
import { G1, G2, type RunningServe, ServeLab } from '../support/serve-lab.js';

/** The real servers and real clients, in namespaces of their own. */

let lab: ServeLab;
beforeEach(async () => {
  lab = await ServeLab.open();
});
afterEach(() => lab.close());

const url = (path: string) => `http://10.1.0.1:8080${path}`;
const NODE = { node: 'n1', mac: '52:54:00:00:00:01', ip: '10.1.1.1', image: 'compute', generation: G1 };

/** Without the search for other DHCP servers, which takes five seconds. */
async function served(...args: readonly string[]): Promise<RunningServe> {
  const serve = lab.serve('--force-dhcp', ...args);
  await serve.until({ event: 'ready' });
  return serve;
}

const nfsCat = (path: string) =>
  lab.client(`nfs-cat "nfs://10.1.0.1${path}?version=3&uid=0&gid=0" 2>&1 || :`);

describe('mkroot serve', () => {
  it('gives a node its lease, its boot file, its kernel and its root; Ctrl-C leaves nothing', async () => {
    await lab.mkroot('publish', '--interface', 'br0');
    const serve = lab.serve('--interface', 'br0');
    expect(await serve.until({ event: 'ready' })).toMatchObject({
      address: '10.1.0.1',
      interfaces: ['br0'],
      nfs: 'ganesha',
      http: url('/'),
      reports: '10.1.0.1:7752',
    });
    expect(lab.lease(NODE.mac)).toBe('ip=10.1.1.1 file=pxelinux.0 next=10.1.0.1 name=n1');
    expect(await serve.until({ event: 'node', node: 'n1', phase: 'firmware' })).toMatchObject({
      firmware: 'bios',
      lease: '10.1.1.1',
    });
    const kernel = `/images/compute/${G1}/vmlinuz`;
    const copy = join(lab.directory, 'kernel');
    lab.client(
      `busybox tftp -g -r pxelinux.0 -l ${copy} 10.1.0.1; busybox tftp -g -r ${kernel} -l ${copy} 10.1.0.1`,
    );
    expect(readFileSync(copy, 'utf8')).toBe(`kernel of ${G1}`);
    await serve.until({ event: 'node', node: 'n1', phase: 'loader', detail: 'pxelinux.0' });
    expect(await serve.until({ event: 'node', node: 'n1', phase: 'kernel' })).toMatchObject({
      kernel: 'TFTP',
      detail: `compute/${G1}`,
    });
    expect(lab.client(`curl -sf ${url(kernel)}`)).toBe(`kernel of ${G1}`);
    expect(lab.client(`curl -sf -r 0-5 ${url(kernel)}`)).toBe('kernel');
    expect(lab.client(`curl -sf ${url(`/images/compute/${G1}/initrd.img`)} | wc -c`)).toBe('3000000');
    for (const path of [
      '/../../published.json',
      '/%2e%2e/%2e%2e/hosts/n1/identity',
      '/images/../published.json',
    ]) {
      expect(lab.client(`curl -s -o /dev/null -w '%{http_code}' --path-as-is '${url(path)}'`)).toMatch(
        /^40[04]$/,
      );
    }
    expect(nfsCat(`${lab.state}/images/compute/generations/${G1}/root/etc/generation`)).toBe(G1);
    const own = readdirSync(join(lab.state, 'hosts/n1/versions'))[0];
    expect(nfsCat(`${lab.state}/hosts/n1/versions/${own}/layer/etc/hostname`)).toBe('n1');
    expect(nfsCat(`${lab.state}/hosts/n2/versions/x`)).toMatch(/MNT3ERR_ACCES|mount/i);

    serve.kill('SIGINT');
    expect(await serve.ended).toMatchObject({ exitCode: 0 });
    expect(lab.processes()).toEqual([]);
    expect(readdirSync(join(lab.state, 'serve')).sort()).toEqual([
      ...['dnsmasq.leases', 'lock', 'logs', 'status.json'],
    ]);
  });

  it("takes nodes' reports as they are sent under busybox, keeps what they run on for gc, and shows strangers only", async () => {
    await lab.mkroot('publish', '--interface', 'br0');
    const serve = await served();
    lab.lease(NODE.mac);
    const layers = `host 10.1.0.1:${lab.state}/hosts/n1/versions/v/layer`;
    lab.report('up', { ...NODE, boot: '', firmware: 'uefi', base: 'b', layers });
    expect(await serve.until({ event: 'node', node: 'n1', phase: 'up' })).toMatchObject({
      firmware: 'uefi',
      booted: { image: 'compute', generation: G1 },
    });
    expect(readFileSync(join(lab.state, 'booted/n1'), 'utf8')).toContain(`generation=${G1}\n`);
    await expect
      .poll(async () => JSON.parse(await lab.status('n1', '--json')), { timeout: 60_000 })
      .toMatchObject({
        serving: true,
        nodes: [
          {
            name: 'n1',
            group: 'compute',
            phase: 'up',
            firmware: 'uefi',
            published: { image: 'compute', generation: G1 },
            booted: { image: 'compute', generation: G1 },
          },
        ],
      });
    lab.current(G2);
    await lab.mkroot('publish');
    const gc = await lab.mkroot('gc', '--dry-run', '--keep', '1', '--keep-days', '0');
    expect(gc).toContain(`  compute ${G1}: booted by n1\n`);

    // Somebody else's address does not decide what n2 runs on, and who is in no inventory is only shown.
    lab.report('up', {
      ...NODE,
      node: 'n2',
      mac: '52:54:00:00:00:02',
      boot: '',
      firmware: 'bios',
      base: 'b',
    });
    await serve.until({ event: 'node', node: 'n2', phase: 'up' });
    lab.report('up', {
      ...NODE,
      node: 'stranger',
      mac: '02:00:00:00:00:09',
      boot: '',
      firmware: 'bios',
      base: 'b',
    });
    const send = (body: string) =>
      lab.client(
        `printf '${body}' | curl -s -o /dev/null -w '%{http_code}' --data-binary @- http://10.1.0.1:7752/report`,
      );
    expect(send('rubbish')).toBe('400');
    expect(send('x'.repeat(REPORT_LIMIT + 1))).toBe('413');
    serve.kill('SIGTERM');
    await serve.ended;
    expect(readdirSync(join(lab.state, 'booted'))).toEqual(['n1']);
    const text = await lab.status();
    expect(text).toMatch(/^Nobody serves: this is what was known at /);
    expect(text).toMatch(new RegExp(`^n1 .* up .* compute ${G1}, not what is published$`, 'm'));
    await expect(lab.status('n9')).rejects.toThrow('Cannot find the node "n9": it was not published');
    const status = JSON.parse(readFileSync(join(lab.state, 'serve/status.json'), 'utf8'));
    expect(status.unknown).toMatchObject([{ mac: '02:00:00:00:00:09', name: 'stranger', ip: '10.1.1.1' }]);
  });

  it('starts a server again that was killed, and tells servers what a publish has changed', async () => {
    await lab.mkroot('publish', '--interface', 'br0');
    const nodes = join(lab.site, 'nodes.yaml');
    writeFileSync(
      nodes,
      `${readFileSync(nodes, 'utf8').replace('cluster:', 'cluster:\n  report: false')}  n3: { group: compute, ip: 10.1.1.3, mac: '52:54:00:00:00:03' }\n`,
    );
    const serve = await served();
    await serve.until({ event: 'warning', message: 'Not published, so not served: n3 (mkroot publish)' });
    for (const [service, program] of [
      ['dnsmasq', 'dnsmasq'],
      ['nfs-ganesha', 'ganesha.nfsd'],
    ] as const) {
      const from = serve.lines.length;
      lab.inside('sh', '-c', `kill -9 $(pidof ${program})`);
      const ended = await serve.until({ event: 'service', service, state: 'ended' }, from);
      expect(ended['detail']).toMatch(/started again in 1 s$/);
      await serve.until({ event: 'service', service, state: 'ready' }, from);
    }
    const from = serve.lines.length;
    await lab.mkroot('publish');
    expect(await serve.until({ event: 'published' }, from)).toMatchObject({ nodes: 3 });
    await serve.until(
      { event: 'warning', message: 'Nodes report elsewhere now: start mkroot serve again' },
      from,
    );
    await serve.until({ event: 'service', service: 'nfs', state: 'reloaded' }, from);
    await serve.until({ event: 'service', service: 'dnsmasq', state: 'ready' }, from);
    expect(lab.lease('52:54:00:00:00:03')).toContain('ip=10.1.1.3');
    const own = readdirSync(join(lab.state, 'hosts/n3/versions'))[0];
    const key = `${lab.state}/hosts/n3/versions/${own}/layer/etc/hostname`;
    await expect.poll(() => nfsCat(key), { timeout: 60_000 }).toBe('n3');
    serve.kill('SIGKILL');
    await serve.ended;
    await expect.poll(() => lab.processes(), { timeout: 30_000 }).toEqual([]);
  });

  it('refuses beside another DHCP server, and when the port, the state or the interface are not its own', async () => {
    const refused = async (...args: readonly string[]) => {
      const serve = lab.serve(...args);
      const { exitCode, stderr } = await serve.ended;
      return `${exitCode} ${stderr.split('\n').find((line) => line.startsWith('mkroot: ')) ?? stderr}`;
    };
    expect(await refused()).toBe(`4 mkroot: Cannot serve "${lab.state}": nothing was published there`);
    await lab.mkroot('publish', '--interface', 'br0');
    expect(await refused('--interface', 'br1')).toBe(
      '2 mkroot: Cannot answer DHCP on "br1": what was published is for br0',
    );
    const background = (command: string) =>
      lab.inside('sh', '-c', `${command} >/dev/null 2>&1 & echo $!`).trim();
    const other = background(
      'dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=br0 --bind-interfaces --dhcp-range=10.1.9.1,10.1.9.9 --pid-file= --dhcp-leasefile=/run/other --user=root',
    );
    expect(await refused()).toMatch(
      /^8 mkroot: Cannot answer DHCP on "br0": 10\.1\.0\.1 does already \(it offered the address 10\.1\.9\.\d\)$/,
    );
    lab.inside('kill', '-KILL', other);

    const listen = (port: number) => {
      const pid = background(
        `${process.execPath} -e 'require("net").createServer().listen(${port}, "10.1.0.1")'`,
      );
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      lab.inside('sh', '-c', `until grep -q ":${hex} 00000000:0000 0A" /proc/net/tcp; do sleep 0.1; done`);
      return pid;
    };
    const web = listen(8080);
    expect(await refused('--force-dhcp')).toBe(
      '7 mkroot: Cannot listen on "10.1.0.1:8080": another program listens there',
    );
    const nfs = listen(2049);
    expect(await refused('--force-dhcp')).toBe(
      '7 mkroot: Cannot start the NFS server: another program has TCP port 2049',
    );
    lab.inside('kill', web, nfs);

    const serve = await served();
    expect(await refused()).toMatch(/^8 mkroot: Cannot lock ".*\/serve\/lock": process \d+ \(mkroot serve /);
    lab.inside('ip', 'address', 'del', '10.1.0.1/16', 'dev', 'br0');
    serve.kill('SIGINT');
    await serve.ended;
    expect(await refused()).toBe(
      '2 mkroot: Cannot serve on "br0": it does not have the server\'s address 10.1.0.1',
    );
    lab.inside('ip', 'link', 'del', 'br0');
    expect(await refused()).toBe('4 mkroot: Cannot answer DHCP on "br0": there is no such interface');
    expect(existsSync(join(lab.state, 'booted'))).toBe(false);
    expect(lab.processes()).toEqual([]);
  });
});
