import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { parse } from 'yaml';
import type { ScenarioReport } from '../../src/vm/scenario-report.js';
import { judgeRoot } from '../support/judge-roots.js';
import { expectPass, runScenariosOn } from '../support/run-scenarios-on.js';

const scenarios = fileURLToPath(new URL('../../qemu/scenarios/', import.meta.url));

/** Scenarios that every run of the tests makes; `mkroot qemu-test compute --scenario all` makes the others too. */
const quick = readdirSync(scenarios)
  .filter((file) => (parse(readFileSync(join(scenarios, file), 'utf8')) as { quick?: boolean }).quick)
  .map((file) => file.replace(/\.yaml$/, ''));

const directory = mkdtempSync('/var/tmp/mkroot-test-scenarios-');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('scenarios on trixie (systemd 257)', () => {
  let reports: readonly ScenarioReport[];

  beforeAll(async () => {
    reports = await runScenariosOn(judgeRoot('trixie'), quick, directory);
  });

  it.each(quick)('%s', (name) => {
    expectPass(reports.find(({ scenario }) => scenario === name));
  });
});

describe('scenarios on bookworm (systemd 252)', () => {
  it('power-off-server-gone', async () => {
    const [report] = await runScenariosOn(judgeRoot('bookworm'), ['power-off-server-gone'], directory);
    expectPass(report);
  });
});
