import { beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { makeCurrent } from '../../../../src/images/image-store.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { type ImagesRequest, imagesText, listImages } from '../../../../src/pipelines/publish/list-images.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import {
  G1,
  G2,
  G3,
  generation,
  NODES,
  publishPorts,
  publishSite,
  REQUEST,
  WRITER,
} from '../../../support/publish-site.js';

const ALL: ImagesRequest = { site: REQUEST.site, state: '/state' };
const MANIFEST = JSON.stringify({
  format: 1,
  kernels: [{ release: '6.12.9-amd64' }, { release: '6.1.0-amd64' }],
  ...Object.fromEntries(
    ['name', 'generation', 'key', 'createdAt', 'mkroot', 'architecture', 'recipe', 'recipePath'].map(
      (field) => [field, ''],
    ),
  ),
  ...{ stages: [], packages: [], tools: {}, sizes: {}, digests: {} },
});

let fs: FileSystem;

/** All nodes boot G1, which is published; G2 is current, n2 is to be pinned to G1; G3 of another image has no initrd. */
beforeEach(async () => {
  fs = publishSite(generation('storage', G3));
  fs.writeFile(`/state/images/compute/generations/${G2}/manifest.json`, MANIFEST);
  await publish(publishPorts(fs), REQUEST, WRITER);
  makeCurrent(fs, '/state', 'compute', G2);
  fs.remove(`/state/images/storage/initrds/${G3}`);
  fs.writeFile('/site/nodes.yaml', `${NODES}overrides:\n  n2: { generation: ${G1} }\n`);
});

describe('the images', () => {
  it('are listed with their generations, the oldest first, and with who boots each', () => {
    expect(listImages(fs, ALL)).toEqual([
      {
        ...{ image: 'compute', generation: G1, current: false, made: '2026-11-01T00:00:00.000Z' },
        ...{ kernels: undefined, initrd: true, published: ['n1', 'n2', 'c1'], pinned: ['n2'] },
      },
      {
        ...{ image: 'compute', generation: G2, current: true, made: '2026-11-10T00:00:00.000Z' },
        ...{ kernels: ['6.12.9-amd64', '6.1.0-amd64'], initrd: true, published: [], pinned: [] },
      },
      {
        ...{ image: 'storage', generation: G3, current: false, made: '2026-11-19T00:00:00.000Z' },
        ...{ kernels: undefined, initrd: false, published: [], pinned: [] },
      },
    ]);
  });

  it('are a table for people', () => {
    expect(imagesText(listImages(fs, ALL))).toEqual([
      'IMAGE    GENERATION                           MADE (UTC)        KERNELS                   PUBLISHED FOR  PINNED FOR',
      `compute  ${G1}            2026-11-01 00:00  ?                         c1,n[1-2]      n2`,
      `compute  ${G2} (current)  2026-11-10 00:00  6.12.9-amd64 6.1.0-amd64  -              -`,
      `storage  ${G3}            2026-11-19 00:00  ? (no initrd)             -              -`,
    ]);
    expect(imagesText([])).toEqual(['No image was built here: mkroot build NAME']);
  });

  it('may be asked for by name; without nodes.yaml no pin is known', () => {
    fs.remove('/site/nodes.yaml');
    const found = listImages(fs, { ...ALL, image: 'storage' });
    expect(found.map(({ image, pinned }) => [image, pinned])).toEqual([['storage', undefined]]);
  });

  it('that are not there get the nearest name; a state directory that is not there is said', () => {
    expect(() => listImages(fs, { ...ALL, image: 'comptue' })).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.NotFound,
        message: 'Cannot find the image "comptue": there is none in /state; did you mean "compute"?',
      }),
    );
    expect(() => listImages(fs, { ...ALL, state: '/nosuch' })).toThrow(
      expect.objectContaining({ exitCode: ExitCode.NotFound }),
    );
    fs.mkdir('/empty');
    expect(listImages(fs, { ...ALL, state: '/empty' })).toEqual([]);
  });
});
