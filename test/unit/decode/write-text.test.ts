import { describe, expect, test } from 'vitest';
import { replaceText } from '../../../src/decode/write-text.js';
import { ExitCode } from '../../../src/errors.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

/** Somebody saves another text (or removes the file) when the new one is written beside it. */
function savedMeanwhile(fs: FileSystem, text: string | undefined): FileSystem {
  return new Proxy(fs, {
    get: (target, key: keyof FileSystem) => {
      if (key !== 'create') return Reflect.get(target, key).bind(target);
      return (...args: Parameters<FileSystem['create']>) => {
        const output = target.create(...args);
        if (text === undefined) target.remove('/nodes.yaml');
        else target.writeFile('/nodes.yaml', text);
        return output;
      };
    },
  });
}

describe('replacing a text that was read', () => {
  test.each([
    ['another text', 'old\n', 'theirs\n'],
    ['a text that is as long', 'old\n', 'new\n'],
    ['nothing', 'old\n', undefined],
    ['a file where there was none', undefined, 'theirs\n'],
  ])('is refused where %s is there now, which stays; nothing else is left', (_what, before, theirs) => {
    const fs = memoryFileSystem(before === undefined ? {} : { '/nodes.yaml': before });
    expect(() => replaceText(savedMeanwhile(fs, theirs), '/nodes.yaml', before, 'mine\n')).toThrow(
      expect.objectContaining({ exitCode: ExitCode.Locked }),
    );
    const there = fs.lstat('/nodes.yaml') && Buffer.from(fs.readFile('/nodes.yaml')).toString();
    expect(there).toBe(theirs);
    expect(fs.readdir('/').filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  test('is done where it is still the same', () => {
    const fs = memoryFileSystem({ '/nodes.yaml': 'old\n' });
    replaceText(fs, '/nodes.yaml', 'old\n', 'mine\n');
    replaceText(fs, '/new', undefined, 'mine\n');
    expect(['/nodes.yaml', '/new'].map((path) => Buffer.from(fs.readFile(path)).toString())).toEqual([
      'mine\n',
      'mine\n',
    ]);
  });
});
