import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import { packRoot, rootCompressor } from '../../../../src/stages/initrd/pack-root.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { refusalOf } from '../../../support/refusal.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const SQUASHFS = 'CONFIG_SQUASHFS=m\nCONFIG_SQUASHFS_ZLIB=y\n';
const EROFS = 'CONFIG_EROFS_FS=m\nCONFIG_EROFS_FS_ZIP=y\n';

/** What is chosen for a kernel with this configuration. */
function chosen(format: 'squashfs' | 'erofs', config: string | undefined, release = '6.12.1'): string {
  const fs = memoryFileSystem(
    config === undefined ? { '/root': null } : { [`/root/boot/config-${release}`]: config },
  );
  return rootCompressor(new Sysroot(fs, '/root'), release, format);
}

describe('the compressor of a root as one file', () => {
  it('is the best that the kernel knows, and what all know where nothing is known', () => {
    expect(chosen('squashfs', `${SQUASHFS}CONFIG_SQUASHFS_XZ=y\nCONFIG_SQUASHFS_ZSTD=y\n`)).toBe('zstd');
    expect(chosen('squashfs', `${SQUASHFS}CONFIG_SQUASHFS_XZ=y\n`)).toBe('xz');
    expect(chosen('squashfs', undefined)).toBe('gzip');
    expect(chosen('erofs', EROFS)).toBe('lz4hc');
    expect(chosen('erofs', 'CONFIG_EROFS_FS=y\n')).toBe('no compression');
    expect(chosen('erofs', undefined)).toBe('no compression');
  });

  it('has no large clusters for a kernel before 5.13, which would not mount them', () => {
    expect(chosen('erofs', EROFS, '5.10.0-30-amd64')).toBe('lz4hc in clusters of 4 KiB');
    expect(chosen('erofs', EROFS, '5.13.0')).toBe('lz4hc');
  });

  it('is none for a kernel that lacks the file system', () => {
    const error = refusalOf(() => chosen('erofs', SQUASHFS));
    expect(error).toMatchObject({ exitCode: ExitCode.InvalidInput });
    expect(error.message).toContain('Cannot make an erofs for kernel 6.12.1');
  });
});

describe('a root that is packed', () => {
  it.each([
    ['squashfs', 'zstd', 'mksquashfs /root /out/root.new -noappend', undefined],
    ['erofs', 'lz4hc', '-zlz4hc,12 -C65536 /out/root.new /root', { SOURCE_DATE_EPOCH: '4294967295' }],
  ] as const)(
    'as %s: by a program that sees no attributes of overlays, with fixed times',
    async (format, compressor, words, env) => {
      const fs = memoryFileSystem({ '/root/etc': null, '/out': null });
      const runner = new ScriptedRunner({
        setpriv: () => {
          fs.writeFile('/out/root.new', 'packed');
          return {};
        },
        sync: {},
      });
      const { size } = await packRoot({ fs, runner }, '/root', '/out/root', { format, compressor });
      expect(size).toBe(6);
      expect(fs.readdir('/out')).toEqual(['root']);
      const [command] = runner.commands;
      expect(command?.argv.join(' ')).toContain(words);
      expect(command?.argv.slice(0, 2)).toEqual(['setpriv', '--bounding-set=-sys_admin']);
      expect(command?.env).toEqual(env);
    },
  );
});
