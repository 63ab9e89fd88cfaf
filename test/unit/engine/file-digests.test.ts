import { describe, expect, it } from 'vitest';
import { FileDigests } from '../../../src/engine/file-digests.js';
import { StatCache } from '../../../src/engine/stat-cache.js';
import { parseVersion, ToolVersions } from '../../../src/engine/tool-versions.js';
import { ExitCode } from '../../../src/errors.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

function tree() {
  const fs = memoryFileSystem({ '/o/etc/a': 'one', '/o/etc/b': { link: 'a' }, '/o/empty': null });
  return { fs, digest: () => new FileDigests(fs, new StatCache(fs, '/state/stats.json')).digest('/o') };
}

describe('FileDigests', () => {
  it.each<[string, (fs: ReturnType<typeof memoryFileSystem>) => void]>([
    ['contents', (fs) => fs.writeFile('/o/etc/a', 'two')],
    ['a mode', (fs) => fs.chmod('/o/etc/a', 0o600)],
    ['a name', (fs) => fs.rename('/o/etc/a', '/o/etc/c')],
    [
      "a link's target",
      (fs) => {
        fs.remove('/o/etc/b');
        fs.symlink('c', '/o/etc/b');
      },
    ],
    ['an empty directory', (fs) => fs.remove('/o/empty')],
  ])('of a directory changes with %s', (_, change) => {
    const { fs, digest } = tree();
    const before = digest();
    expect(digest()).toBe(before);
    change(fs);
    expect(digest()).not.toBe(before);
  });

  it('does not read an unchanged file again', () => {
    const fs = memoryFileSystem({ '/a': 'one' });
    const cache = new StatCache(fs, '/state/stats.json');
    const first = new FileDigests(fs, cache).digest('/a');
    cache.save();
    const unreadable = Object.assign(Object.create(fs) as typeof fs, {
      readChunks: () => {
        throw new Error('read again');
      },
    });
    expect(new FileDigests(unreadable, new StatCache(fs, '/state/stats.json')).digest('/a')).toBe(first);
  });

  it('survives a damaged cache, and a missing file is an error with its name', () => {
    const fs = memoryFileSystem({ '/a': 'one', '/state/stats.json': '[[1' });
    const digests = new FileDigests(fs, new StatCache(fs, '/state/stats.json'));
    expect(digests.digest('/a')).toMatch(/^[0-9a-f]{64}/);
    expect(() => digests.digest('/gone')).toThrow(
      expect.objectContaining({ exitCode: ExitCode.NotFound, message: expect.stringContaining('/gone') }),
    );
  });
});

describe('ToolVersions', () => {
  it.each([
    ['mmdebstrap 1.3.5\n', '1.3.5'],
    ['debootstrap 1.0.128+nmu2+deb12u2\n', '1.0.128+nmu2+deb12u2'],
    ["Debian 'dpkg' package management program version 1.21.22 (amd64).\nmore 2.0", '1.21.22'],
    ['apt 2.6.1 (amd64)\n', '2.6.1'],
    ['whatever\n', 'whatever'],
  ])('finds the version in %j', (text, version) => {
    expect(parseVersion(text)).toBe(version);
  });

  it('asks a tool once as long as its file is the same', async () => {
    const fs = memoryFileSystem({ '/usr/bin/apt-get': 'ELF' });
    const runner = new ScriptedRunner({
      'apt-get': {},
      '/usr/bin/apt-get': { stdout: 'apt 2.6.1 (amd64)\n' },
    });
    const cache = new StatCache(fs, '/state/stats.json');
    const tools = new ToolVersions(fs, runner, cache);
    expect(await tools.version('apt-get')).toBe('2.6.1');
    cache.save();
    expect(
      await new ToolVersions(fs, runner, new StatCache(fs, '/state/stats.json')).version('apt-get'),
    ).toBe('2.6.1');
    expect(runner.commands).toHaveLength(1);
    fs.writeFile('/usr/bin/apt-get', 'ELF of a newer one');
    await tools.version('apt-get');
    expect(runner.commands).toHaveLength(2);
    expect(await tools.version('nowhere')).toBe('absent');
  });
});
