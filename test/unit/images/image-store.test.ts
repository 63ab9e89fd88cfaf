import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { DiskFileSystem } from '../../../src/host/disk-file-system.js';
import {
  currentGeneration,
  listGenerations,
  makeCurrent,
  openImage,
  readManifest,
} from '../../../src/images/image-store.js';
import { parseManifest } from '../../../src/images/manifest.js';
import { toBytePath } from '../../../src/ports/byte-path.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const OLD = '20261119T000000Z-aaaaaaaa';
const NEW = '20261120T000000Z-bbbbbbbb';

function images() {
  return memoryFileSystem({
    [`/s/images/compute/generations/${OLD}/manifest.json`]: '{"format":1}',
    [`/s/images/compute/generations/${NEW}/manifest.json`]: '{"format":2}',
    [`/s/images/compute/generations/.new-${NEW}/root/etc/passwd`]: 'half',
    '/s/images/compute/current': { link: `generations/${OLD}` },
  });
}

describe('the image store', () => {
  it('opens the generation that current points to, and switches without a moment without one', () => {
    const fs = new DiskFileSystem(); // memfs does not rename links as the kernel does
    const state = fs.makeTemporaryDirectory(`${toBytePath(tmpdir())}/mkroot-images-`);
    try {
      for (const id of [OLD, NEW]) {
        fs.mkdir(`${state}/images/compute/generations/${id}`);
        fs.writeFile(`${state}/images/compute/generations/${id}/manifest.json`, '{}');
        makeCurrent(fs, state, 'compute', id);
        expect(openImage(fs, state, 'compute').root).toBe(`${state}/images/compute/generations/${id}/root`);
      }
      expect(fs.readdir(`${state}/images/compute`)).toEqual(['current', 'generations']);
    } finally {
      fs.remove(state);
    }
  });

  it('lists what is published, oldest first, without what is half-made', () => {
    expect(listGenerations(images(), '/s', 'compute').map(({ id }) => id)).toEqual([OLD, NEW]);
  });

  it('says how to build an image that is not there', () => {
    expect(currentGeneration(images(), '/s', 'login')).toBeUndefined();
    expect(() => openImage(images(), '/s', 'login')).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.NotFound,
        hint: 'Build it with: mkroot build login --state /s',
      }),
    );
  });

  it.each([
    ['not JSON', '{', 'it is not JSON'],
    ['of another format', '{"format":2}', 'its format is 2'],
    ['without a format', '[]', 'no format number'],
    ['without a field', '{"format":1,"name":"x"}', 'it has no "generation"'],
  ])('refuses a manifest that is %s', (_, text, what) => {
    expect(() => parseManifest(text, '/m')).toThrow(
      expect.objectContaining({ message: expect.stringContaining(what) }),
    );
  });

  it('names the file of a bad manifest', () => {
    const fs = images();
    expect(() => readManifest(fs, openImage(fs, '/s', 'compute'))).toThrow(`${OLD}/manifest.json`);
  });
});
