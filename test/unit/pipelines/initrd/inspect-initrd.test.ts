import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deviceEntry, directoryEntry, fileEntry, symlinkEntry } from '../../../../src/archive/entry.js';
import { newcBytes } from '../../../../src/archive/newc-writer.js';
import type { Reason } from '../../../../src/archive/reason.js';
import { ExitCode } from '../../../../src/errors.js';
import { inspectInitrd, inspectionAsJson } from '../../../../src/pipelines/initrd/inspect-initrd.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const why: Reason = { kind: 'option', option: '--file' };
const runner = new ScriptedRunner();
const microcode = newcBytes(
  [fileEntry('kernel/x86/microcode/AuthenticAMD.bin', 'code', why)],
  memoryFileSystem(),
);
const rest = gzipSync(
  newcBytes(
    [
      directoryEntry('dev', why),
      deviceEntry('dev/null', { type: 'character', major: 1, minor: 3 }, why, { mode: 0o666 }),
      fileEntry('init', '#!/bin/sh\n', why, { mode: 0o755 }),
      symlinkEntry('lib', 'usr/\xff', why),
    ],
    memoryFileSystem(),
  ),
);

describe('inspectInitrd', () => {
  it('tells segments, entries and sizes as data that people can read', async () => {
    const fs = memoryFileSystem({ '/initrd': Buffer.concat([microcode, rest]) });
    const json = inspectionAsJson(await inspectInitrd({ fs, runner }, { image: '/initrd', isRoot: false }));
    expect(
      json.segments.map(({ offset, compression, microcode }) => ({ offset, compression, microcode })),
    ).toEqual([
      { offset: 0, compression: 'none', microcode: true },
      { offset: microcode.length, compression: 'gzip', microcode: false },
    ]);
    expect(json.segments[1]?.entries).toMatchObject([
      { path: 'dev', kind: 'directory', mode: '0755' },
      { path: 'dev/null', kind: 'character', device: '1:3' },
      { path: 'init', kind: 'file', mode: '0755', size: 10 },
      { path: 'lib', kind: 'symlink', target: 'usr/\\xff' },
    ]);
    expect(json.sizes).toEqual([
      { path: '.', bytes: 10, files: 1 },
      { path: 'kernel/x86/microcode', bytes: 4, files: 1 },
    ]);
  });

  it('unpacks all segments into the directory and tells what it left out', async () => {
    const fs = memoryFileSystem({ '/initrd': rest });
    const request = { image: '/initrd', extractTo: '/out', isRoot: false };
    const { extraction } = inspectionAsJson(await inspectInitrd({ fs, runner }, request));
    expect(extraction?.skipped).toEqual([
      { path: 'dev/null', why: 'only root can make the character device 1:3' },
    ]);
    expect(fs.readdir('/out')).toEqual(['dev', 'init', 'lib']);
  });

  it('names the file, the offset and what is wrong with damaged data', async () => {
    const fs = memoryFileSystem({ '/initrd': Buffer.concat([microcode, rest.subarray(0, 60)]) });
    await expect(inspectInitrd({ fs, runner }, { image: '/initrd', isRoot: false })).rejects.toMatchObject({
      message: `Cannot inspect "/initrd": Cannot read the gzip segment at byte ${microcode.length}: it is damaged or cut short`,
      exitCode: ExitCode.InvalidInput,
    });
  });

  it('says which program a format needs', async () => {
    const xz = Buffer.from(
      '/Td6WFoAAAFpIt42AgAhARYAAAB0L+WjAQAEaGVsbG8AAAAAhqYQNgABGQW86OzLkEKZDQEAAAAAAVla',
      'base64',
    );
    const fs = memoryFileSystem({ '/initrd': xz });
    await expect(inspectInitrd({ fs, runner }, { image: '/initrd', isRoot: false })).rejects.toMatchObject({
      exitCode: ExitCode.MissingTool,
      hint: 'Install the package xz-utils.',
    });
  });
});
