import { describe, expect, it } from 'vitest';
import { type PersistentMount, renderPersistentMounts } from '../../../src/netboot/persistent-mounts.js';

const own: PersistentMount = {
  server: '10.1.0.1',
  directory: '/state/hosts/n1/persistent/var/log/@',
  path: '/var/log',
  access: 'rw',
  shared: false,
};
const home: PersistentMount = { ...own, directory: '/srv/home', path: '/home', shared: true };
const options = (mount: PersistentMount) => renderPersistentMounts([mount]).split('\n')[1]?.split(' ')[3];

describe('the list of persistent paths', () => {
  it('is fstab(5), in the order that was given', () => {
    expect(renderPersistentMounts([own, home])).toBe(
      '# Written by mkroot. /init mounts this over the layers; docs/persistent.md.\n' +
        '10.1.0.1:/state/hosts/n1/persistent/var/log/@ /var/log nfs rw,nodev,nolock 0 0\n' +
        '10.1.0.1:/srv/home /home nfs rw,nodev,vers=4.1 0 0\n',
    );
  });

  it('has locks on the server for what several nodes write to, and for nothing else', () => {
    expect(options(own)).toBe('rw,nodev,nolock');
    expect(options({ ...home, access: 'ro' })).toBe('ro,nodev,nolock');
    expect(options(home)).toBe('rw,nodev,vers=4.1');
  });

  it("has the site's options behind mkroot's, where they win, and no version beside theirs", () => {
    expect(options({ ...own, options: 'dev,nofail' })).toBe('rw,nodev,nolock,dev,nofail');
    expect(options({ ...home, options: 'nosuid,vers=4.2' })).toBe('rw,nodev,nosuid,vers=4.2');
    expect(options({ ...home, options: 'nfsvers=3,nolock' })).toBe('rw,nodev,nfsvers=3,nolock');
  });
});
