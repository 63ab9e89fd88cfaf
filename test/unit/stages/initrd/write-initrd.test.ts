import { beforeEach, describe, expect, it } from 'vitest';
import { fileEntry } from '../../../../src/archive/entry.js';
import { parseSidecar } from '../../../../src/archive/sidecar.js';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { ExitCode, MkrootError } from '../../../../src/errors.js';
import type { DiskFileSystem } from '../../../../src/host/disk-file-system.js';
import { systemClock } from '../../../../src/host/system-clock.js';
import { checkOutput, writeInitrd } from '../../../../src/stages/initrd/write-initrd.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

const OLD = { '/out/a.img': 'old initrd', '/out/a.img.json': 'old sidecar' };
const description = {
  mkroot: '0',
  kernel: '6.1.0',
  architecture: 'amd64',
  modules: [],
  builtins: [],
  nics: [],
  warnings: [],
};

let fs: DiskFileSystem;

/** Writes a small initrd. */
async function write(signal?: AbortSignal) {
  const tree = new ArchiveTree();
  tree.add(fileEntry('init', Buffer.from('#!/bin/sh\n'), { kind: 'skeleton', part: 'init' }));
  return writeInitrd(
    {
      fs,
      runner: new ScriptedRunner(),
      progress: new SilentProgress(),
      clock: systemClock,
    },
    tree,
    { path: '/out/a.img', compression: 'gzip', signal },
    description,
  );
}

const contents = () =>
  Object.fromEntries(
    fs.readdir('/out').map((name) => [`/out/${name}`, Buffer.from(fs.readFile(`/out/${name}`)).toString()]),
  );

/** Lets one step of the n-th file that is opened fail. */
function breakStep(step: 'write' | 'commit', nth: number): void {
  const create = fs.create.bind(fs);
  let opened = 0;
  fs.create = (path, mode) => {
    const file = create(path, mode);
    opened += 1;
    const fail = () => {
      throw new MkrootError(`Cannot write "${path}": no`, { exitCode: ExitCode.Io });
    };
    return opened === nth ? { ...file, [step]: fail } : file;
  };
}

beforeEach(() => {
  fs = memoryFileSystem(OLD);
});

describe('writeInitrd', () => {
  it('writes a pair: the sidecar describes the file', async () => {
    await write();
    const sidecar = parseSidecar(contents()['/out/a.img.json']!, 'a.img.json');
    expect(sidecar.sizes.packed).toBe(fs.lstat('/out/a.img')?.size);
    expect(Object.keys(contents())).toEqual(Object.keys(OLD));
  });

  it.each([
    ['write', 1],
    ['write', 2],
    ['commit', 1],
    ['commit', 2],
  ] as const)('leaves both old files, and nothing else, when the %s of file %i fails', async (step, nth) => {
    breakStep(step, nth);
    await expect(write()).rejects.toThrow(/^Cannot write "\/out\/a\.img/);
    expect(contents()).toEqual(OLD);
  });

  it('leaves nothing at all when there was nothing', async () => {
    fs = memoryFileSystem({ '/out': null });
    breakStep('commit', 2);
    await expect(write()).rejects.toThrow('Cannot write "/out/a.img": no');
    expect(contents()).toEqual({});
  });

  it('writes nothing once it is interrupted', async () => {
    await expect(write(AbortSignal.abort())).rejects.toThrow();
    expect(contents()).toEqual(OLD);
  });
});

describe('checkOutput', () => {
  it('refuses what a rename cannot replace, or must not, and takes files and links', () => {
    fs = memoryFileSystem({ ...OLD, '/out/d': null, '/out/e.json': null, '/out/l': { link: 'a.img' } });
    for (const path of ['/out/d', '/out/e', '/out/a.img/']) {
      expect(() => checkOutput(fs, path)).toThrow(/^Cannot write the initrd to "\/out\//);
    }
    for (const path of ['/out/a.img', '/out/l', '/out/new']) checkOutput(fs, path);
  });
});
