import { describe, expect, it } from 'vitest';
import { systemdUnits, type UnitOptions } from '../../../src/serving/systemd-units.js';

const OPTIONS: UnitOptions = {
  mkroot: ['/usr/bin/node', '/opt/mkroot/bin/mkroot.js'],
  state: '/var/lib/mkroot',
  dnsmasq: '/usr/sbin/dnsmasq',
  dnsmasqAsRoot: false,
  nfs: { server: 'ganesha', program: '/usr/bin/ganesha.nfsd' },
  systemctl: '/usr/bin/systemctl',
};

describe('systemd units', () => {
  it('start the servers with what was published, and a target wants them all', () => {
    const units = systemdUnits(OPTIONS);
    expect([...units.keys()]).toEqual([
      ...['mkroot-head.target', 'mkroot-dnsmasq.service', 'mkroot-http.service', 'mkroot-ganesha.service'],
      ...['mkroot-dnsmasq-changed.path', 'mkroot-dnsmasq-changed.service'],
      ...['mkroot-nfs-changed.path', 'mkroot-nfs-changed.service'],
    ]);
    expect(units.get('mkroot-head.target')).toContain(
      'Wants=mkroot-dnsmasq-changed.path mkroot-dnsmasq.service mkroot-ganesha.service mkroot-http.service mkroot-nfs-changed.path\n',
    );
    expect(units.get('mkroot-http.service')).toContain(
      'ExecStart=/usr/bin/node /opt/mkroot/bin/mkroot.js serve --dhcp none --nfs none --state /var/lib/mkroot\n',
    );
    expect(units.get('mkroot-nfs-changed.path')).toContain(
      'PathChanged=/var/lib/mkroot/netboot/etc/ganesha/ganesha.conf\n',
    );
  });

  it("leave the kernel's NFS server to the distribution's unit, and bring its exports", () => {
    const units = systemdUnits({ ...OPTIONS, nfs: { server: 'kernel', program: '/usr/sbin/exportfs' } });
    const unit = units.get('mkroot-exports.service');
    expect(unit).toContain('Requires=nfs-server.service\n');
    expect(unit).toContain(
      'ExecStart=/bin/ln -sfn /var/lib/mkroot/netboot/etc/exports /etc/exports.d/mkroot.exports\nExecStart=/usr/sbin/exportfs -ra\n',
    );
    expect([...systemdUnits({ ...OPTIONS, nfs: { server: 'none' } }).keys()].join()).not.toMatch(
      /nfs|ganesha|exports/,
    );
  });

  it('hold any path: blanks and quotes in quotes, percent signs and dollars doubled; or refuse it', () => {
    const units = systemdUnits({ ...OPTIONS, state: '/a b/50%/"$x"', dnsmasqAsRoot: true });
    expect(units.get('mkroot-http.service')).toContain(' --state "/a b/50%%/\\"$$x\\""\n');
    expect(units.get('mkroot-dnsmasq.service')).toContain(' --user=root\n');
    expect(() => systemdUnits({ ...OPTIONS, state: '/a\nb' })).toThrow(
      / to a systemd unit: it holds a backslash/,
    );
  });
});
