import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { compareReleases } from '../../../../src/kmod/kernel-release.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import { collectKernels } from '../../../../src/stages/root/collect-kernels.js';
import { generationId } from '../../../../src/stages/root/publish-generation.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

describe('collectKernels', () => {
  it('takes kernels with modules and an image, the newest first, wherever the image lies', () => {
    const fs = memoryFileSystem({
      '/r/lib/modules/6.9.1/modules.dep': '',
      '/r/boot/vmlinuz-6.9.1': 'nine',
      '/r/lib/modules/6.12.3/vmlinuz': 'twelve',
      '/r/lib/modules/7.0.0/modules.dep': '',
    });
    expect(collectKernels(new Sysroot(fs, '/r'))).toEqual([
      expect.objectContaining({ release: '6.12.3', path: '/lib/modules/6.12.3/vmlinuz', size: 6 }),
      expect.objectContaining({ release: '6.9.1', path: '/boot/vmlinuz-6.9.1' }),
    ]);
  });

  it('is an error with a hint when there is none', () => {
    expect(() => collectKernels(new Sysroot(memoryFileSystem({ '/r/boot': null }), '/r'))).toThrow(
      expect.objectContaining({ exitCode: ExitCode.NotFound, hint: expect.stringContaining('kernel') }),
    );
  });

  it('orders releases by number, not by text', () => {
    const releases = ['6.12.117+deb13-amd64', '6.9.1', '6.12.9+deb13-amd64', '6.12.9-rc1'];
    expect([...releases].sort(compareReleases)).toEqual([
      '6.9.1',
      '6.12.9+deb13-amd64',
      '6.12.9-rc1',
      '6.12.117+deb13-amd64',
    ]);
  });
});

describe('generationId', () => {
  it('sorts by time and names the key', () => {
    const key = '1a2b3c4d5e6f';
    expect(generationId(new Date('2026-11-20T04:15:00.123Z'), key)).toBe('20261120T041500Z-1a2b3c4d');
    expect(
      generationId(new Date('2026-11-20T04:15:01Z'), '00') >
        generationId(new Date('2026-11-20T04:15:00Z'), 'ff'),
    ).toBe(true);
  });
});
