import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeRoot } from '../support/judge-roots.js';
import { expectPass, runScenariosOn } from '../support/run-scenarios-on.js';

const directory = mkdtempSync('/var/tmp/mkroot-test-all-scenarios-');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function allPass(root: string, names: readonly string[], least: number): Promise<void> {
  const reports = await runScenariosOn(root, names, directory);
  expect(reports.length).toBeGreaterThanOrEqual(least);
  for (const report of reports) expectPass(report);
}

describe('every scenario', () => {
  it('on trixie (systemd 257)', () => allPass(judgeRoot('trixie'), ['all'], 20));

  it('on bookworm (systemd 252)', () => allPass(judgeRoot('bookworm'), ['all'], 20));
});

describe('scenarios that are about programs', () => {
  it('on a root with services', () =>
    allPass(judgeRoot('trixie-services'), ['clock-in-the-past', 'network-manager', 'podman'], 3));

  it('on a root with systemd-resolved', () => allPass(judgeRoot('trixie-resolved'), ['dns-resolved'], 1));

  it('on a root with unionfs-fuse', () => allPass(judgeRoot('bookworm-unionfs'), ['top-unionfs'], 1));

  it('on a root with sysvinit', () => allPass(judgeRoot('trixie-sysv'), ['sysv', 'sysv-server-gone'], 2));
});
