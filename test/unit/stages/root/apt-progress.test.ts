import { describe, expect, it } from 'vitest';
import { aptActivity, isStatusLine } from '../../../../src/stages/root/apt-progress.js';

describe('aptActivity', () => {
  it.each([
    ['dlstatus:1:20.3425:Retrieving file 1 of 90', 'downloading 20 %'],
    ['pmstatus:libc6:amd64:12.5000:Unpacking libc6 (amd64)', 'Unpacking libc6 (amd64) 12 %'],
    ['pmstatus:udev:40.5797:Installing udev (amd64)', 'Installing udev (amd64) 40 %'],
    ['pmstatus:dpkg-exec:46.3768:Running dpkg', undefined],
    [
      'Get:15 http://a.test/debian trixie/main amd64 libsystemd0 amd64 257.13-1~deb13u1 [455 kB]',
      'downloading libsystemd0',
    ],
    ['Unpacking systemd (257.13-1~deb13u1) ...', 'unpacking systemd'],
    ['Setting up adduser (3.152) ...', 'setting up adduser'],
    ['Processing triggers for libc-bin (2.41-12) ...', 'processing triggers for libc-bin'],
    ['I: running apt-get update...', 'running apt-get update'],
    ['I: Retrieving apt 3.0.3', 'Retrieving apt 3.0.3'],
    ['', undefined],
    ['Created symlink a -> b', undefined],
  ])('%j reads %j', (line, activity) => {
    expect(aptActivity(line)).toBe(activity);
  });

  it('knows the lines that are for machines only', () => {
    expect(isStatusLine('pmstatus:udev:40.5797:Installing udev (amd64)')).toBe(true);
    expect(isStatusLine('E: Unable to locate package')).toBe(false);
  });
});
