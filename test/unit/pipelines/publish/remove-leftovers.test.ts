import { expect, it } from 'vitest';
import { removeLeftovers } from '../../../../src/pipelines/publish/remove-leftovers.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { listing } from '../../../support/publish-site.js';

const WHOLE = {
  '/state/hosts/n1/versions/0123/layer/etc/hostname': 'n1',
  '/state/hosts/n1/persistent/var/@/log': 'what the node wrote',
  '/state/hosts/n1/persistent/var/@/.new-persistent-x': 'as well',
  '/state/hosts/n1/top/top.ext4': 'ext4',
  '/state/layers/compute/versions/4567/layer/etc/motd': 'hello',
  '/state/images/compute/initrds/G1/initrd.img': 'initrd',
  '/state/images/compute/initrds/G1/initrd.img.tmp-7-1': 'of an initrd that is being made',
  '/state/images/compute/initrds/G1/initrd-0123456789abcdef.img': 'initrd with drivers',
  '/state/images/compute/generations/.new-G2/root/etc/passwd': 'of a build that is under way',
  '/state/published.json': '{}',
};

const LEFT = {
  '/state/hosts/n1/versions/.new-abc/layer/etc/hostname': 'n1',
  '/state/hosts/n1/current.new': { link: 'versions/0123' },
  '/state/hosts/n1/persistent/var/.new-persistent-abc/@/log': 'half',
  '/state/hosts/n1/persistent/var/log/.new-persistent-def/@/messages': 'half',
  '/state/layers/gone/versions/.new-abc/layer/etc/motd': 'bye',
  '/state/.new-persistent-abc/root': null,
  '/state/unfinished-tops/n1': 'half',
  '/state/images/compute/initrds/G1/initrd-0123456789abcdef.img.tmp-7-1': 'half',
  '/state/images/compute/initrds/G1/6.1.0-9/initrd-fedcba9876543210.img.json.tmp-7-2': 'half',
  '/state/published.json.tmp-7-3': '{',
};

/** Directories aside: an empty one more is no harm. */
const files = (fs: Parameters<typeof listing>[0]) =>
  listing(fs, '/state').filter((line) => !line.endsWith('/'));

it('removes all that a run that was killed can leave, and nothing that is whole, a node’s own or of a build', () => {
  const fs = memoryFileSystem({ ...WHOLE, ...LEFT });
  removeLeftovers(fs, '/state');
  expect(files(fs)).toEqual(files(memoryFileSystem(WHOLE)));
});

it('needs nothing to be there', () => {
  const fs = memoryFileSystem({ '/state': null });
  removeLeftovers(fs, '/state');
  expect(listing(fs, '/state')).toEqual([]);
});
