import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { placeIpxe } from '../../../../src/stages/boot-test/place-ipxe.js';
import type { LabFiles } from '../../../../src/stages/boot-test/prepare-lab-files.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { refusalOf } from '../../../support/refusal.js';

const served = { path: '/images/x', size: 1, sha256: '' };
const files: LabFiles = {
  tftpRoot: '/lab/tftp',
  exports: [],
  recovery: '/lab/nfs-recovery',
  kernel: served,
  initrd: served,
  driverSegment: served,
  lastInitrd: 'driver.img',
  bootFiles: { bios: 'pxelinux.0' },
};
const commandLine = 'console=ttyS0,115200 mkroot.base=10.77.0.1:/base';

describe('what machines with UEFI load in a lab', () => {
  it('is iPXE, which goes on with the published kernel, initrd and the driver of the lab', () => {
    const fs = memoryFileSystem({ '/usr/lib/ipxe/snponly.efi': 'iPXE', '/lab/tftp': null });
    const { bootFiles } = placeIpxe(fs, files, { commandLine, http: false });
    expect(bootFiles).toEqual({ bios: 'pxelinux.0', efiX64: 'snponly.efi', ipxe: 'boot.ipxe' });
    expect(fs.readlink('/lab/tftp/snponly.efi')).toBe('/usr/lib/ipxe/snponly.efi');
    const lines = Buffer.from(fs.readFile('/lab/tftp/boot.ipxe')).toString().split('\n');
    expect(lines).toContain(
      `kernel tftp://10.77.0.1/vmlinuz initrd=initrd0.img initrd=initrd1.img ${commandLine} BOOTIF=01-\${netX/mac:hexhyp} || goto failed`,
    );
    expect(lines).toContain('initrd --name initrd0.img tftp://10.77.0.1/initrd.img || goto failed');
    expect(lines).toContain('initrd --name initrd1.img tftp://10.77.0.1/driver.img || goto failed');
  });

  it('comes over HTTP to firmware that boots by that', () => {
    const fs = memoryFileSystem({ '/usr/lib/ipxe/snponly.efi': 'iPXE', '/lab/tftp': null });
    const { bootFiles } = placeIpxe(fs, files, { commandLine, http: true });
    expect(bootFiles.efiX64Http).toBe('http://10.77.0.1/snponly.efi');
  });

  it('is named with its package where it is not installed', () => {
    const error = refusalOf(() => placeIpxe(memoryFileSystem({}), files, { commandLine, http: false }));
    expect(error).toMatchObject({ exitCode: ExitCode.MissingTool, hint: expect.stringContaining('ipxe') });
  });
});
