import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { parse } from 'yaml';
import type { ScenarioReport } from '../../src/vm/scenario-report.js';
import { judgeRoot } from '../support/judge-roots.js';
import { expectPass, MACHINES, runScenariosOn } from '../support/run-scenarios-on.js';

const scenarios = fileURLToPath(new URL('../../qemu/scenarios/', import.meta.url));

/** Scenarios that every run of the tests makes; `mkroot qemu-test compute --scenario all` makes the others too. */
const quick = readdirSync(scenarios)
  .filter((file) => (parse(readFileSync(join(scenarios, file), 'utf8')) as { quick?: boolean }).quick)
  .map((file) => file.replace(/\.yaml$/, ''));

const directory = mkdtempSync('/var/tmp/mkroot-test-scenarios-');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Other test files run at the same time; each has up to four machines (vitest.config.ts). */
const AT_ONCE = Math.min(4, MACHINES);

let trixie: readonly ScenarioReport[];
let bookworm: readonly ScenarioReport[];

beforeAll(async () => {
  const [onTrixie, onBookworm] = await Promise.all([
    runScenariosOn(judgeRoot('trixie'), quick, directory, Math.max(1, AT_ONCE - 1)),
    runScenariosOn(judgeRoot('bookworm'), ['power-off-server-gone'], directory, 1),
  ]);
  trixie = onTrixie.reports;
  bookworm = onBookworm.reports;
});

describe('scenarios on trixie (systemd 257)', () => {
  it.each(quick)('%s', (name) => {
    expectPass(trixie.find(({ scenario }) => scenario === name));
  });
});

describe('scenarios on bookworm (systemd 252)', () => {
  it('power-off-server-gone', () => expectPass(bookworm[0]));
});
