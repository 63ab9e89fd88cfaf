import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArchiveEntry,
  deviceEntry,
  directoryEntry,
  fileEntry,
  symlinkEntry,
} from '../../../src/archive/entry.js';
import { extractTo } from '../../../src/archive/extract.js';
import { type CpioArchive, type CpioRecord, readCpio } from '../../../src/archive/newc-reader.js';
import { newcBytes } from '../../../src/archive/newc-writer.js';
import type { Reason } from '../../../src/archive/reason.js';
import { MkrootError } from '../../../src/errors.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

const why: Reason = { kind: 'option', option: '--file' };
const user = { isRoot: false };

function archive(...entries: ArchiveEntry[]): CpioArchive {
  return readCpio(newcBytes(entries, memoryFileSystem()));
}

/** An archive with a name that our own writer refuses. */
function named(name: string, data = 'evil'): CpioArchive {
  const [record] = archive(fileEntry('x', data, why)).records;
  return { records: [{ ...record!, name }], end: 0, hasTrailer: true };
}

async function extract(archives: CpioArchive[], options = user) {
  const fs = memoryFileSystem({ '/etc/passwd': 'host' });
  const runner = new ScriptedRunner({ mknod: {} });
  const report = await extractTo('/out', archives, { fs, runner }, options);
  return { fs, report, runner, text: (path: string) => Buffer.from(fs.readFile(path)).toString() };
}

describe('extractTo', () => {
  it('makes files, directories and links with their modes', async () => {
    const { fs, text, report } = await extract([
      archive(
        directoryEntry('etc', why, { mode: 0o555 }),
        fileEntry('etc/x', 'hello', why, { mode: 0o640 }),
        symlinkEntry('l', 'etc/x', why),
      ),
    ]);
    expect(report).toEqual({ entries: 3, skipped: [] });
    expect(text('/out/etc/x')).toBe('hello');
    expect(fs.lstat('/out/etc/x')?.mode).toBe(0o640);
    expect(fs.lstat('/out/etc')?.mode).toBe(0o555);
    expect(fs.readlink('/out/l')).toBe('etc/x');
  });

  it.each([
    ['an absolute name', '/etc/passwd'],
    ['a name with ..', 'a/../../etc/passwd'],
  ])('refuses %s before anything is written', async (_, name) => {
    const fs = memoryFileSystem();
    await expect(
      extractTo(
        '/out',
        [archive(fileEntry('ok', '', why)), named(name)],
        { fs, runner: new ScriptedRunner() },
        user,
      ),
    ).rejects.toThrow(`Cannot extract "${name}"`);
    expect(fs.lstat('/out')).toBeUndefined();
  });

  it('does not leave the directory through links of the archive, absolute or relative', async () => {
    const evil = (name: string) =>
      archive(fileEntry('x', 'evil', why)).records.map((record) => ({ ...record, name }));
    const records: CpioRecord[] = [
      ...archive(
        symlinkEntry('abs', '/etc', why),
        symlinkEntry('rel', '../etc', why),
        symlinkEntry('f', '/etc/passwd', why),
      ).records,
      ...evil('abs/passwd'),
      ...evil('rel/passwd'),
      ...evil('f'),
    ];
    const { text, report } = await extract([{ records, end: 0, hasTrailer: true }]);
    expect(text('/etc/passwd')).toBe('host');
    expect(text('/out/f')).toBe('evil');
    expect(report.skipped.map(({ path }) => path)).toEqual(['abs/passwd', 'rel/passwd']);
  });

  it('follows a link of the archive inside the directory, as the kernel does', async () => {
    const { text } = await extract([
      archive(directoryEntry('usr', why), symlinkEntry('lib', '/usr', why), fileEntry('lib/x', 'here', why)),
    ]);
    expect(text('/out/usr/x')).toBe('here');
  });

  it('lets later archives replace entries, but not a directory that has something', async () => {
    const { fs, text, report } = await extract([
      archive(
        directoryEntry('d', why),
        fileEntry('d/x', '1', why),
        directoryEntry('e', why),
        fileEntry('f', '1', why),
      ),
      archive(symlinkEntry('d', 'e', why), symlinkEntry('e', 'd', why), fileEntry('f', '2', why)),
    ]);
    expect(report.skipped).toEqual([{ path: 'd', why: expect.stringContaining('not empty') }]);
    expect(fs.readlink('/out/e')).toBe('d');
    expect(text('/out/f')).toBe('2');
  });

  it('reports an entry whose directory is missing, which the kernel drops', async () => {
    const { report } = await extract([archive(fileEntry('a/b', '', why))]);
    expect(report.skipped).toEqual([{ path: 'a/b', why: expect.stringContaining('not in the archive') }]);
  });

  it('joins hard links and finds their data with the last name, within one archive only', async () => {
    const links = () =>
      archive(
        { ...fileEntry('a', 'data', why), linkKey: 'k' },
        { ...fileEntry('b', 'data', why), linkKey: 'k' },
      );
    const { fs, text } = await extract([links()]);
    expect(text('/out/a')).toBe('data');
    expect(fs.lstat('/out/a')?.ino).toBe(fs.lstat('/out/b')?.ino);
    expect(fs.lstat('/out/a')?.nlink).toBe(2);
  });

  it('makes devices as root, and reports them otherwise', async () => {
    const device = archive(deviceEntry('null', { type: 'character', major: 1, minor: 3 }, why));
    const asUser = await extract([device]);
    expect(asUser.report.skipped).toEqual([
      { path: 'null', why: 'only root can make the character device 1:3' },
    ]);
    expect(asUser.runner.commands).toEqual([]);
  });

  it('refuses a directory that is not empty', async () => {
    const fs = memoryFileSystem({ '/out/x': '' });
    await expect(extractTo('/out', [], { fs, runner: new ScriptedRunner() }, user)).rejects.toThrow(
      'it is not empty',
    );
  });

  it('writes nothing outside, whatever the names, links and order', async () => {
    const part = fc.constantFrom('a', 'b', '.', '..', '', 'etc', 'passwd', 'out');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const record = fc.record({
      name: path,
      target: path,
      kind: fc.constantFrom('file', 'directory', 'symlink'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (wanted) => {
        const records = wanted.map(({ name, target, kind }): CpioRecord => {
          const [base] = archive(
            kind === 'symlink'
              ? symlinkEntry('x', `/${target}`, why)
              : kind === 'file'
                ? fileEntry('x', 'evil', why)
                : directoryEntry('x', why),
          ).records;
          return { ...base!, name };
        });
        const fs = memoryFileSystem({ '/etc/passwd': 'host' });
        try {
          await extractTo(
            '/out',
            [{ records, end: 0, hasTrailer: true }],
            { fs, runner: new ScriptedRunner() },
            user,
          );
        } catch (error) {
          expect(error).toBeInstanceOf(MkrootError);
        }
        expect(Buffer.from(fs.readFile('/etc/passwd')).toString()).toBe('host');
        expect(fs.readdir('/etc')).toEqual(['passwd']);
        expect(fs.readdir('/').filter((name) => !['etc', 'out', 'tmp'].includes(name))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
