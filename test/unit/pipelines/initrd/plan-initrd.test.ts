import { describe, expect, it } from 'vitest';
import { MANIFEST_FORMAT } from '../../../../src/images/manifest.js';
import { planInitrds } from '../../../../src/pipelines/initrd/plan-initrd.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const state = '/state';
const manifest = {
  format: MANIFEST_FORMAT,
  name: 'compute',
  generation: 'G1',
  key: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  mkroot: '0',
  architecture: 'amd64',
  recipe: {
    initrd: {
      nic: ['tg3'],
      drivers: ['igb'],
      programs: ['/bin/ip'],
      files: [{ source: 'motd', destination: '/etc/motd' }],
      compression: 'xz',
    },
  },
  recipePath: '/site/recipes/compute.yaml',
  recipeLines: { 'initrd.nic[0]': 12 },
  stages: [],
  packages: [],
  kernels: [],
  tools: {},
  sizes: { rootBytes: 0, rootEntries: 0 },
  digests: {},
};

const fs = memoryFileSystem({
  '/state/images/compute/generations/G1/manifest.json': JSON.stringify(manifest),
  '/state/images/compute/current': { link: 'generations/G1' },
});

describe('planInitrds', () => {
  it("joins the image's recipe with the options, each with where it was said", () => {
    const [plan] = planInitrds(fs, { state, recipe: 'compute', nic: ['r8169'], compress: 'gzip' });
    expect(plan).toMatchObject({
      root: '/state/images/compute/generations/G1/root',
      output: '/state/images/compute/initrds/G1/initrd.img',
      compression: 'gzip',
      builtAt: 1767225600,
      nics: [
        { value: 'tg3', reason: { kind: 'recipe', line: 12 } },
        { value: 'r8169', reason: { kind: 'option', option: '--nic r8169' } },
      ],
      files: [{ source: '/site/recipes/motd', destination: '/etc/motd' }],
    });
  });

  it('brings the programs that a writable top takes, and those that partition a disk', () => {
    const programs = (...top: string[]) =>
      planInitrds(fs, { state, recipe: 'compute', top })[0].programs.map(({ value }) => value);
    expect(programs()).toEqual(['/bin/ip']);
    expect(programs('disk')).toEqual(['/bin/ip', '/usr/sbin/e2fsck']);
    expect(programs('partitions')).toEqual([
      '/bin/ip',
      '/usr/sbin/e2fsck',
      '/usr/sbin/mkfs.ext4',
      '/usr/sbin/sfdisk',
    ]);
    expect(programs('unionfs')).toEqual(['/bin/ip', '/usr/bin/unionfs']);
  });

  it('takes the image that was built last if none is named', () => {
    const newer = memoryFileSystem({
      '/state/images/compute/generations/G1/manifest.json': JSON.stringify(manifest),
      '/state/images/compute/current': { link: 'generations/G1' },
      '/state/images/storage/generations/G2/manifest.json': JSON.stringify({ ...manifest, name: 'storage' }),
      '/state/images/storage/current': { link: 'generations/G2' },
      '/state/images/unfinished': null,
    });
    expect(planInitrds(newer, { state })[0].image).toEqual({ name: 'storage', generation: 'G2' });
  });

  describe('of an image with several kernels', () => {
    const kernels = ['6.12.9-amd64', '6.1.0-own'].map((release) => ({
      release,
      path: `/boot/vmlinuz-${release}`,
      size: 1,
      sha256: '',
    }));
    const several = memoryFileSystem({
      '/state/images/compute/generations/G1/manifest.json': JSON.stringify({ ...manifest, kernels }),
      '/state/images/compute/current': { link: 'generations/G1' },
    });
    const plans = (options: { kernel?: string; output?: string } = {}) =>
      planInitrds(several, { state, recipe: 'compute', ...options }).map(
        ({ kernel, output, lenient }) => [kernel, output, lenient] as const,
      );
    const place = '/state/images/compute/initrds/G1';

    it('plans one for each, the newest where it is looked for without a release', () => {
      expect(plans()).toEqual([
        ['6.12.9-amd64', `${place}/initrd.img`, true],
        ['6.1.0-own', `${place}/6.1.0-own/initrd.img`, true],
      ]);
    });

    it('plans one if a kernel is named, and one for the newest if a file is named', () => {
      expect(plans({ kernel: '6.1.0-own' })).toEqual([['6.1.0-own', `${place}/6.1.0-own/initrd.img`, false]]);
      expect(plans({ kernel: '6.12.9-amd64' })).toEqual([['6.12.9-amd64', `${place}/initrd.img`, false]]);
      expect(plans({ output: '/tmp/i' })).toEqual([['6.12.9-amd64', '/tmp/i', false]]);
    });
  });

  it.each([
    [
      'neither image nor root where nothing was built',
      { state: '/empty' },
      /no image was named, and none was built in \/empty/,
    ],
    ['both', { state, recipe: 'compute', root: '/r' }, /Cannot use --root together with the image "compute"/],
    ['no network driver', { state, root: '/r' }, /no --nic was given/],
    [
      'an image that was never built',
      { state, recipe: 'nope', nic: ['tg3'] },
      /Cannot open the image "nope"/,
    ],
    ['--file without a destination', { state, root: '/r', nic: ['tg3'], file: ['a'] }, /not SRC:DST/],
    ['--file with a relative destination', { state, root: '/r', nic: ['tg3'], file: ['a:b'] }, /not SRC:DST/],
  ])('refuses %s', (_, options, message) => {
    expect(() => planInitrds(fs, options)).toThrow(message);
  });
});
