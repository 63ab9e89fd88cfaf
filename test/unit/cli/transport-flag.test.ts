import { describe, expect, it } from 'vitest';
import { bootTransport, stormTransports } from '../../../src/cli/transport-flag.js';
import { ExitCode } from '../../../src/errors.js';
import { refusalOf } from '../../support/refusal.js';

describe('--transport', () => {
  it('of one boot is a version of NFS, or a file with NFS v3 for the layers unless told otherwise', () => {
    expect(bootTransport([], undefined)).toEqual({ nfsVersion: '3' });
    expect(bootTransport([], '4.1')).toEqual({ nfsVersion: '4.1' });
    expect(bootTransport(['nfs-4.2'], undefined)).toEqual({ nfsVersion: '4.2' });
    expect(bootTransport(['squashfs-http'], undefined)).toEqual({
      nfsVersion: '3',
      transport: 'squashfs-http',
    });
    expect(bootTransport(['erofs-nfs'], '4.1')).toEqual({ nfsVersion: '4.1', transport: 'erofs-nfs' });
  });

  it('is refused where it contradicts itself or --nfsvers', () => {
    expect(refusalOf(() => bootTransport(['nfs-3', 'nfs-4.2'], undefined)).exitCode).toBe(ExitCode.Usage);
    expect(refusalOf(() => bootTransport(['nfs-3'], '4.2')).exitCode).toBe(ExitCode.Usage);
    expect(bootTransport(['nfs-3'], '3')).toEqual({ nfsVersion: '3' });
  });

  it('of storms is one that storms have', () => {
    expect(stormTransports(['squashfs-nfs', 'nfs-3'])).toEqual(['squashfs-nfs', 'nfs-3']);
    expect(refusalOf(() => stormTransports(['erofs-nfs'])).hint).toContain('squashfs-nfs');
  });
});
