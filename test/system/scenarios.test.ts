import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ScenarioReport, scenarioSummary } from '../../src/vm/scenario-report.js';
import { judgeRoot } from '../support/judge-roots.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

const scenarios = fileURLToPath(new URL('../../qemu/scenarios/', import.meta.url));

/** Scenarios that every run of the tests makes; `mkroot qemu-test compute --scenario all` makes the others too. */
const quick = readdirSync(scenarios)
  .filter((file) => (parse(readFileSync(join(scenarios, file), 'utf8')) as { quick?: boolean }).quick)
  .map((file) => file.replace(/\.yaml$/, ''));

const directory = mkdtempSync('/var/tmp/mkroot-test-scenarios-');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(root: string, names: readonly string[]): Promise<readonly ScenarioReport[]> {
  const kernel = readdirSync(join(root, 'boot')).find((file) => file.startsWith('vmlinuz-'))!;
  const initrd = join(directory, `${kernel}.img`);
  const release = kernel.replace('vmlinuz-', '');
  await mkrootJson(
    'initrd',
    '--root',
    root,
    '--kernel',
    release,
    '--nic',
    'e1000',
    '--transport',
    'squashfs-http',
    '--output',
    initrd,
  );
  const { stdout, stderr } = await runMkroot([
    ...['qemu-test', '--root', root, '--kernel', join(root, 'boot', kernel), '--initrd', initrd],
    ...['--state', join(directory, 'state'), '--json'],
    ...names.flatMap((name) => ['--scenario', name]),
  ]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as readonly ScenarioReport[];
}

/** Shows the scenario's console if it did not pass: what failed once on a machine of CI is not seen again. */
function expectPass(report: ScenarioReport | undefined): void {
  expect(report?.result, report && scenarioSummary(report).join('\n')).toBe('pass');
}

describe('scenarios on trixie (systemd 257)', () => {
  let reports: readonly ScenarioReport[];

  beforeAll(async () => {
    reports = await run(judgeRoot('trixie'), quick);
  });

  it.each(quick)('%s', (name) => {
    expectPass(reports.find(({ scenario }) => scenario === name));
  });
});

describe('scenarios on bookworm (systemd 252)', () => {
  it('power-off-server-gone', async () => {
    const [report] = await run(judgeRoot('bookworm'), ['power-off-server-gone']);
    expectPass(report);
  });
});
