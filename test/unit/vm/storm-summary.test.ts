import { describe, expect, it } from 'vitest';
import { extrapolate, withPredictions } from '../../../src/vm/judge-storms.js';
import type { StormReport } from '../../../src/vm/storm-report.js';
import { stormReportHtml } from '../../../src/vm/storm-report-html.js';
import { stormSummary } from '../../../src/vm/storm-summary.js';
import { stormOf } from './storm-fixture.js';

const lab = { uplinkMbit: 80, nodeMbit: 1_000, serverCpus: 2 };
const elsewhere = { uplinkMbit: 10_000, nodeMbit: 1_000, serverCpus: 8 };
const storms = withPredictions([
  stormOf({ size: 1, seconds: 40, bytes: 100e6, place: lab, cpu: { 'ganesha.nfsd': 1.5 } }),
  stormOf({ size: 4, seconds: 56, bytes: 100e6, place: lab, cpu: { 'ganesha.nfsd': 6 } }),
]);
const report: StormReport = {
  result: 'pass',
  image: 'compute <1>',
  startedAt: '2026-11-20T09:00:00.000Z',
  accelerator: 'tcg',
  lab,
  storms,
  elsewhere,
  extrapolation: extrapolate(storms, elsewhere),
};

describe('the report of storms', () => {
  it('has what a node cost, the model’s error, and minutes for many nodes', () => {
    const lines = stormSummary(report);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}nfs-3 +4 +80 +1000 +56\.0 s +1000 +1\.50 s +25\.0 s$/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}nfs-3 +4 +100\.00 +0\.00 +25\.00 +0\.00 +0\.00 +75\.00 +0\.00 +8$/),
    );
    // 30 s of its own and 40 s for four times 100 MB: a quarter more than the 56 s that were measured.
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}nfs-3 +4 +70\.0 s +56\.0 s +\+25 %$/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}nfs-3 +0\.5 +0\.8 \(server\) +3\.6 \(server\) +13\.0 \(server\)$/),
    );
    expect(lines.at(-1)).toBe('PASS  2 of 2 storms');
  });

  it('names the storm that failed and why', () => {
    const broken = stormOf({ size: 2, bytes: 0, place: lab });
    const lines = stormSummary({ ...report, result: 'fail', storms: [...storms, broken] });
    expect(lines[0]).toBe('nfs-3, 2 at once, failed: it did not come');
    expect(lines.at(-1)).toBe('FAIL  2 of 3 storms');
  });

  it('is a page of its own, without scripts, with every figure of the terminal', () => {
    const page = stormReportHtml(report);
    expect(page).toContain('compute &lt;1&gt;');
    expect(page).not.toMatch(/<script|https?:/);
    for (const figure of ['100.00', '70.0 s', '+25 %', '13.0 (server)']) {
      expect(page).toContain(`<td>${figure}</td>`);
    }
  });
});
