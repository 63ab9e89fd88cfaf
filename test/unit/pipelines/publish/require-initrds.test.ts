import { describe, expect, it } from 'vitest';
import { SIDECAR_FORMAT } from '../../../../src/archive/sidecar.js';
import { ExitCode } from '../../../../src/errors.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import { G1, NODES, publishSite, REQUEST } from '../../../support/publish-site.js';
import { refusalOf } from '../../../support/refusal.js';

const INITRD = `/state/images/compute/initrds/${G1}/initrd.img`;

/** A site whose canary has a setting more, and whose initrd has these modules and programs. */
function plan(setting: string, modules: readonly string[], programs: readonly string[]) {
  const fs = publishSite({
    '/site/nodes.yaml': NODES.replace('firmware: uefi', `firmware: uefi, ${setting}`),
    [`${INITRD}.json`]: JSON.stringify({
      ...{ format: SIDECAR_FORMAT, mkroot: '0', kernel: '6.12', architecture: 'amd64', sha256: '' },
      ...{ modules, builtins: ['overlay'], nics: ['tg3'], warnings: [] },
      entries: programs.map((path) => ({ path, kind: 'file', mode: '0755', size: 1, reasons: [] })),
    }),
  });
  return planPublish(fs, REQUEST);
}

describe('an initrd has what its nodes ask for', () => {
  it.each([
    ['writableTop: { kind: disk, label: scratch }', ['ext4'], ['usr/sbin/e2fsck']],
    ['writableTop: { kind: image }', ['ext4', 'loop'], ['sbin/e2fsck']],
    ['disk: { device: sda, swap: 1g }', [], []],
    [
      'disk: { device: sda, swap: 1g, consent: if-empty }',
      ['ext4'],
      ['usr/sbin/e2fsck', 'usr/sbin/mkfs.ext4', 'usr/sbin/sfdisk'],
    ],
  ])('%s', (setting, modules, programs) => {
    expect(plan(setting, modules, programs).nodes).toHaveLength(3);
  });

  it.each([
    [
      'writableTop: { kind: disk, label: scratch }',
      ['ext4'],
      // Not a program of that name.
      ['usr/share/e2fsck', 'usr/sbin/sfdisk'],
      'with a writable top of kind disk',
      'e2fsck',
      '--top disk',
    ],
    [
      'writableTop: { kind: image }',
      [],
      [],
      'with a writable top of kind image',
      'ext4, loop, e2fsck',
      '--top image',
    ],
    [
      'disk: { device: sda, scratch: scratch, consent: yes-wipe-sda }',
      ['ext4'],
      ['usr/sbin/e2fsck'],
      'with a disk that it partitions',
      'mkfs.ext4, sfdisk',
      'tops: [partitions]',
    ],
    [
      'transport: { protocol: squashfs-nfs }',
      ['squashfs'],
      [],
      'by squashfs-nfs',
      'loop',
      '--transport squashfs-nfs',
    ],
  ])('%s with %j and %j is refused', (setting, modules, programs, how, missing, hint) => {
    const refusal = refusalOf(() => plan(setting, modules, programs));
    expect(refusal).toMatchObject({
      message: `Cannot boot "c1" ${how}: the initrd of "compute" ${G1} has no ${missing}`,
      exitCode: ExitCode.InvalidInput,
      hint: expect.stringContaining(hint),
    });
  });
});
