import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeRoot } from '../support/judge-roots.js';
import { expectPass, runScenariosOn } from '../support/run-scenarios-on.js';

const directory = mkdtempSync('/var/tmp/mkroot-test-all-scenarios-');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const scenarios = readdirSync(fileURLToPath(new URL('../../qemu/scenarios/', import.meta.url)))
  .map((file) => file.replace(/\.yaml$/, ''))
  .sort();

/** About programs that neither trixie nor bookworm has here. */
const ELSEWHERE = [
  'clock-in-the-past',
  'dns-resolved',
  'network-manager',
  'podman',
  'sysv',
  'sysv-server-gone',
  'top-unionfs',
  'top-unionfs-server-away',
];

/** Runs scenarios and expects each to pass; what was left out comes back. */
async function allPass(root: string, names: readonly string[]): Promise<readonly string[]> {
  const { reports, leftOut } = await runScenariosOn(root, names, directory);
  const ran = reports.map(({ scenario }) => scenario);
  // None is missing without a word.
  expect([...ran, ...leftOut].sort()).toEqual(names[0] === 'all' ? scenarios : [...names].sort());
  for (const report of reports) expectPass(report);
  return leftOut;
}

describe('every scenario', () => {
  it('on trixie (systemd 257), whose ping has no capability', async () => {
    expect(await allPass(judgeRoot('trixie'), ['all'])).toEqual([...ELSEWHERE, 'file-capabilities'].sort());
  });

  it('on bookworm (systemd 252)', async () => {
    expect(await allPass(judgeRoot('bookworm'), ['all'])).toEqual(ELSEWHERE);
  });
});

describe('scenarios that are about programs', () => {
  it('on a root with services', () =>
    allPass(judgeRoot('trixie-services'), ['clock-in-the-past', 'network-manager', 'podman']));

  it('on a root with systemd-resolved', () => allPass(judgeRoot('trixie-resolved'), ['dns-resolved']));

  it('on a root with unionfs-fuse', () =>
    allPass(judgeRoot('bookworm-unionfs'), ['top-unionfs', 'top-unionfs-server-away']));

  it('on a root with sysvinit', () => allPass(judgeRoot('trixie-sysv'), ['sysv', 'sysv-server-gone']));
});
