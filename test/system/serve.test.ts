import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { G1, ServeLab } from '../support/serve-lab.js';

/** The real servers and real clients, in namespaces of their own. */

let lab: ServeLab;
beforeEach(async () => {
  lab = await ServeLab.open();
});
afterEach(() => lab.close());

const url = (path: string) => `http://10.1.0.1:8080${path}`;

describe('mkroot serve', () => {
  it('gives a node its lease, its boot file, its kernel and its root; Ctrl-C leaves nothing', async () => {
    await lab.mkroot('publish', '--interface', 'br0');
    const serve = lab.serve('--interface', 'br0');
    expect(await serve.until({ event: 'ready' })).toMatchObject({
      address: '10.1.0.1',
      interfaces: ['br0'],
      nfs: 'ganesha',
      http: url('/'),
    });
    expect(lab.lease('52:54:00:00:00:01')).toBe('ip=10.1.1.1 file=pxelinux.0 next=10.1.0.1 name=n1');
    const kernel = `/images/compute/${G1}/vmlinuz`;
    lab.inside('busybox', 'tftp', '-g', '-r', kernel, '-l', join(lab.directory, 'kernel'), '10.1.0.1');
    expect(lab.inside('cat', join(lab.directory, 'kernel'))).toBe(`kernel of ${G1}`);
    expect(lab.inside('curl', '-sf', url(kernel))).toBe(`kernel of ${G1}`);
    expect(lab.inside('curl', '-sf', '-r', '0-5', url(kernel))).toBe('kernel');
    expect(lab.inside('curl', '-s', '--path-as-is', url('/../../published.json'))).not.toContain(
      'generation',
    );
    serve.kill('SIGINT');
    expect((await serve.ended).exitCode).toBe(0);
    expect(lab.processes()).toEqual([]);
    expect(readdirSync(join(lab.state, 'serve')).sort()).toEqual(['dnsmasq.leases', 'lock', 'logs']);
  });
});
