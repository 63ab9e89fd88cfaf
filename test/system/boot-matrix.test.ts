import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import { loadScenarios } from '../../src/vm/load-scenarios.js';
import { bootsOf } from '../../src/vm/scenario.js';
import { MATRIX, type MatrixBoot, MatrixLab } from '../support/boot-matrix.js';
import { judgeRoot } from '../support/judge-roots.js';

const scenarios = toBytePath(fileURLToPath(new URL('../../qemu/scenarios', import.meta.url)));

/** What this file boots, beside what others do: together every firmware, transport and distribution meets every other. */
const OWN: readonly MatrixBoot[] = [
  { distribution: 'bookworm', firmware: 'uefi', transport: 'squashfs-nfs' },
  { distribution: 'bookworm', firmware: 'bios', transport: 'nfs-4.2' },
  { distribution: 'bookworm', firmware: 'uefi', transport: 'squashfs-http' },
];

/** What other files of every run boot, where nothing can be looked up. */
const ELSEWHERE: readonly MatrixBoot[] = [
  // whole-path.test.ts: recipes compute and compute-bookworm, which qemu-test boots by BIOS and NFS v3 unless told otherwise.
  { distribution: 'trixie', firmware: 'bios', transport: 'nfs-3' },
  { distribution: 'bookworm', firmware: 'bios', transport: 'nfs-3' },
  // cluster.test.ts: the node s1, with UEFI; /init tries v3 first.
  { distribution: 'trixie', firmware: 'uefi', transport: 'nfs-3' },
];

/** What scenarios.test.ts boots of trixie: the boots of quick scenarios that name a firmware and run to the power-off. */
function ofScenarios(): readonly MatrixBoot[] {
  return loadScenarios(new DiskFileSystem(), scenarios, ['all'])
    .filter(({ quick }) => quick)
    .flatMap((scenario) => bootsOf(scenario))
    .flatMap(({ firmware, transport, nfsVersion, end = 'power-off' }) =>
      MATRIX.filter(
        (boot) =>
          end === 'power-off' &&
          boot.distribution === 'trixie' &&
          boot.firmware === firmware &&
          boot.transport === (transport ?? `nfs-${nfsVersion ?? '3'}`),
      ),
    );
}

const directory = mkdtempSync('/var/tmp/mkroot-test-boot-matrix-');
const lab = new MatrixLab(directory);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Each two values of different dimensions that boots have together. */
function pairs(boots: readonly MatrixBoot[]): ReadonlySet<string> {
  return new Set(
    boots.flatMap(({ firmware, transport, distribution }) => [
      `${firmware}, ${transport}`,
      `${firmware}, ${distribution}`,
      `${transport}, ${distribution}`,
    ]),
  );
}

describe('firmware, transport and distribution (all combinations: npm test -- on-demand)', () => {
  it('meet in pairs in the boots of every run', () => {
    const covered = pairs([...OWN, ...ELSEWHERE, ...ofScenarios()]);
    expect([...pairs(MATRIX)].filter((pair) => !covered.has(pair))).toEqual([]);
  });

  it.each(OWN)('$distribution boots by $firmware and $transport to a clean power-off', (boot) =>
    lab.expectBoot(judgeRoot('bookworm'), boot),
  );
});
