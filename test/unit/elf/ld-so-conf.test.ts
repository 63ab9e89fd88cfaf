import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ldSoConfDirectories, parseLdSoConf } from '../../../src/elf/ld-so-conf.js';
import { MkrootError } from '../../../src/errors.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { type MemoryTree, memoryFileSystem } from '../../support/memory-file-system.js';

const directories = (tree: MemoryTree) => ldSoConfDirectories(new Sysroot(memoryFileSystem(tree), '/root'));

describe('ldSoConfDirectories', () => {
  it('follows tabs, indentation, comments, several include patterns, old types and trailing slashes (case 7)', () => {
    expect(
      directories({
        '/root/etc/ld.so.conf':
          '# first\n\t /opt/a/lib/  # why\ninclude\t/etc/ld.so.conf.d/*.conf \t more/[ab]?.conf\nhwcap 1 nosegneg\n/usr/old=libc5\n',
        '/root/etc/ld.so.conf.d/10-x.conf': '  /opt/x\r\n',
        '/root/etc/ld.so.conf.d/05-y.conf': '/opt/y',
        '/root/etc/ld.so.conf.d/.hidden.conf': '/opt/hidden',
        '/root/etc/ld.so.conf.d/z.txt': '/opt/z',
        '/root/etc/more/a1.conf': '/opt/a1\n/opt/a/lib\n',
        '/root/etc/more/c1.conf': '/opt/c1\n',
      }),
    ).toEqual(['/opt/a/lib', '/opt/y', '/opt/x', '/opt/a1', '/usr/old']);
  });

  it('reads included files inside the root, through absolute links', () => {
    expect(
      directories({
        '/root/etc/ld.so.conf': { link: '/conf/main' },
        '/root/conf/main': 'include /conf.d/*\n',
        '/root/conf.d/one': { link: '../../../../outside' },
        '/root/outside': '/opt/inside\n',
        '/outside': '/opt/host\n',
      }),
    ).toEqual(['/opt/inside']);
  });

  it('ends when files include each other', () => {
    expect(
      directories({
        '/root/etc/ld.so.conf': '/a\ninclude ld.so.conf\ninclude b\n',
        '/root/etc/b': 'include ld.so.conf\n/b\n',
      }),
    ).toEqual(['/a', '/b']);
  });

  it('is empty without a file, and drops relative directories', () => {
    expect(directories({ '/root/etc/x': '' })).toEqual([]);
    expect(directories({ '/root/etc/ld.so.conf': 'lib\n\n  \n' })).toEqual([]);
  });

  it('never hangs or throws anything foreign on random text', () => {
    const word = fc.constantFrom(
      'include',
      ' ',
      '\t',
      '\n',
      '/',
      '*',
      '[',
      ']',
      '?',
      'a',
      '..',
      '#',
      '=',
      'hwcap',
      '\0',
      '\xff',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const text = Buffer.from(words.join(''), 'latin1');
        try {
          directories({ '/root/etc/ld.so.conf': text, '/root/a/aa': '/x' });
        } catch (error) {
          expect(error).toBeInstanceOf(MkrootError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes long lines of blanks and slashes in linear time', () => {
    const started = performance.now();
    parseLdSoConf(`/a${'/'.repeat(200_000)}b${' '.repeat(200_000)}x\ninclude ${'\t '.repeat(200_000)}`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
