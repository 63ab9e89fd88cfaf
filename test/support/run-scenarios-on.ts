import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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

/** Machines at the same time: scenarios wait more than they compute. */
export const MACHINES = Math.ceil(availableParallelism() * 1.5);

/** What came of scenarios on a root. */
export interface ScenariosOfRoot {
  readonly reports: readonly ScenarioReport[];
  /** Those that mkroot left out of `all`, since the root lacks what they are about: it says so on standard error. */
  readonly leftOut: readonly string[];
}

/** Makes an initrd for a judge root in `directory` and runs scenarios of the package on it, up to `jobs` at the same time. */
export async function runScenariosOn(
  root: string,
  names: readonly string[],
  directory: string,
  jobs = MACHINES,
): Promise<ScenariosOfRoot> {
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
    ...['--state', join(directory, 'state'), '--json', '--jobs', String(jobs)],
    ...names.flatMap((name) => ['--scenario', name]),
  ]);
  if (stdout === '') throw new Error(stderr);
  return {
    reports: JSON.parse(stdout) as readonly ScenarioReport[],
    leftOut: [...stderr.matchAll(/^(\S+): left out, for the root has no /gm)].map(([, name]) => name!),
  };
}

/** Shows the scenario's console if it did not pass: what failed once on a machine of CI is not seen again. */
export function expectPass(report: ScenarioReport | undefined): void {
  expect(report?.result, report && scenarioSummary(report).join('\n')).toBe('pass');
}
