import { describe, expect, it } from 'vitest';
import { MANIFEST_FORMAT } from '../../../src/images/manifest.js';
import { planInitrd } from '../../../src/pipelines/plan-initrd.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

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

describe('planInitrd', () => {
  it("joins the image's recipe with the options, each with where it was said", () => {
    const plan = planInitrd(fs, { state, recipe: 'compute', nic: ['r8169'], compress: 'gzip' });
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

  it('takes the image that was built last if none is named', () => {
    const newer = memoryFileSystem({
      '/state/images/compute/generations/G1/manifest.json': JSON.stringify(manifest),
      '/state/images/compute/current': { link: 'generations/G1' },
      '/state/images/storage/generations/G2/manifest.json': JSON.stringify({ ...manifest, name: 'storage' }),
      '/state/images/storage/current': { link: 'generations/G2' },
      '/state/images/unfinished': null,
    });
    expect(planInitrd(newer, { state }).image).toEqual({ name: 'storage', generation: 'G2' });
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
    expect(() => planInitrd(fs, options)).toThrow(message);
  });
});
