import { describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../../src/errors.js';
import { makeTopImages } from '../../../../src/stages/publish/make-top-images.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

const TOP = '/state/hosts/n1/top';
const IMAGE = { node: 'n1', path: `${TOP}/top.ext4`, size: '4g' };

/** The node may do in its directory what it likes. */
function makeTop({ fails = false } = {}) {
  const fs = memoryFileSystem({
    '/etc/shadow': 'secret',
    '/state/images': null,
    [`${TOP}/top.ext4.new`]: { link: '/etc/shadow' },
    [`${TOP}/n1`]: { link: '/etc/shadow' },
  });
  const runner = new ScriptedRunner({
    'mkfs.ext4': ({ argv }) => {
      if (fails) throw new MkrootError('Cannot run "mkfs.ext4"', { exitCode: ExitCode.ToolFailed });
      fs.writeFile(argv.at(-2)!, 'ext4');
      return {};
    },
    sync: {},
  });
  return { fs, made: makeTopImages({ fs, runner, progress: new SilentProgress() }, '/state', [IMAGE]) };
}

describe('files for what nodes write', () => {
  it('are made where no node may write, and nothing that lies beside them is followed', async () => {
    const { fs, made } = makeTop();
    await made;
    expect(Buffer.from(fs.readFile(IMAGE.path)).toString()).toBe('ext4');
    expect(fs.lstat(IMAGE.path)?.mode).toBe(0o600);
    expect(Buffer.from(fs.readFile('/etc/shadow')).toString()).toBe('secret');
    expect(fs.readlink(`${TOP}/top.ext4.new`)).toBe('/etc/shadow');
    expect(fs.readdir('/state').sort()).toEqual(['hosts', 'images']);
  });

  it('leave nothing behind when they cannot be made', async () => {
    const { fs, made } = makeTop({ fails: true });
    await expect(made).rejects.toThrow('Cannot run "mkfs.ext4"');
    expect(fs.lstat(IMAGE.path)).toBeUndefined();
    expect(fs.readdir('/state').sort()).toEqual(['hosts', 'images']);
  });
});
