import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ScenarioReport, scenarioSummary } from '../../src/vm/scenario-report.js';
import { makeRootInitrd, subjectFlags } from './root-initrd.js';
import { runMkroot } from './run-mkroot.js';

/** Writable tops, and the program without which a root has none of that kind; scenarios about them need the same program. */
const TOPS = [
  { top: 'disk', program: 'usr/sbin/e2fsck' },
  { top: 'unionfs', program: 'usr/bin/unionfs' },
  { top: 'partitions', program: 'usr/sbin/sfdisk' },
];

/** Makes an initrd for a judge root in `directory` and runs scenarios of the package on it. */
export async function runScenariosOn(
  root: string,
  names: readonly string[],
  directory: string,
): Promise<readonly ScenarioReport[]> {
  const subject = await makeRootInitrd(
    root,
    directory,
    ...['--nic', 'e1000', '--transport', 'squashfs-http', '--transport', 'erofs-http'],
    ...TOPS.flatMap(({ top, program }) => (existsSync(join(root, program)) ? ['--top', top] : [])),
    ...['--driver', 'virtio_blk', '--driver', 'virtio_pci'],
    ...['--driver', '8021q', '--driver', 'bonding'],
  );
  const { stdout, stderr } = await runMkroot([
    ...['qemu-test', ...subjectFlags(subject)],
    ...['--state', join(directory, 'state'), '--json'],
    ...names.flatMap((name) => ['--scenario', name]),
  ]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as readonly ScenarioReport[];
}

/** Shows the scenario's console if it did not pass: what failed once on a machine of CI is not seen again. */
export function expectPass(report: ScenarioReport | undefined): void {
  expect(report?.result, report && scenarioSummary(report).join('\n')).toBe('pass');
}
