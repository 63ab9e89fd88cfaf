import { describe, expect, it } from 'vitest';
import { ExitCode, type MkrootError } from '../../../../src/errors.js';
import { systemClock } from '../../../../src/host/system-clock.js';
import { inLab, type LabReport, type OpenLab } from '../../../../src/pipelines/boot-test/in-lab.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

/** Runs `test` in a lab, and tells what came of it and what stays on the disk. */
async function lab(
  test: (lab: OpenLab) => Promise<LabReport>,
  options: { report?: string; keep?: boolean; signal?: AbortSignal } = {},
) {
  const fs = memoryFileSystem({ '/proc/self': { link: '1' }, '/proc/1/stat': '1 (node) S', '/logs': null });
  const progress = new SilentProgress();
  const ports = { fs, runner: new ScriptedRunner({}), clock: systemClock, progress };
  const outcome = await inLab(
    ports,
    {
      keep: false,
      ...options,
      what: 'the storm',
      temporaryParent: '/tmp',
      makeLogs: () => fs.makeTemporaryDirectory('/logs/storm-'),
      write: (to, logs, report) => to.writeFile(`${logs}/report.json`, JSON.stringify(report)),
    },
    test,
  ).then(
    (report) => ({ report, error: undefined }),
    (error: MkrootError) => ({ report: undefined, error }),
  );
  return { ...outcome, fs, progress, kept: fs.readdir('/logs'), labs: fs.readdir('/tmp') };
}

const pass = async (): Promise<LabReport> => ({ result: 'pass' });

describe('a lab', () => {
  it('leaves nothing after a success', async () => {
    const { report, kept, labs } = await lab(pass);
    expect(report).toEqual({ result: 'pass' });
    expect([kept, labs]).toEqual([[], []]);
  });

  it('keeps the logs with the report after a failure, and says where', async () => {
    const { report, fs, kept, labs } = await lab(async () => ({ result: 'fail' }));
    expect(report).toEqual({ result: 'fail', logs: `/logs/${kept[0]}` });
    expect(JSON.parse(Buffer.from(fs.readFile(`/logs/${kept[0]}/report.json`)).toString())).toEqual(report);
    expect(labs).toEqual([]);
  });

  it('keeps what it was asked to: the report in its place, the files as well', async () => {
    expect((await lab(pass, { report: '/logs/mine' })).report).toEqual({
      result: 'pass',
      logs: '/logs/mine',
    });
    const { kept, labs, progress } = await lab(pass, { keep: true });
    expect([kept, labs]).toEqual([[expect.any(String)], [expect.stringMatching(/^mkroot-lab-/)]]);
    expect(progress.lines).toEqual([`note Kept the lab's files: /tmp/${labs[0]}`]);
  });

  it('undoes what was done, the last first, before its files go, and also when it breaks', async () => {
    const undone: string[] = [];
    const { error, labs } = await lab(async ({ directory, logs, atEnd }) => {
      atEnd(() => void undone.push(`namespace of ${directory.replace(/-\w+$/, '')}`));
      atEnd(async () => void undone.push('servers'));
      expect(logs).toMatch(/^\/logs\/storm-/);
      throw new Error('no server');
    });
    expect(error?.message).toBe('no server');
    expect(undone).toEqual(['servers', 'namespace of /tmp/mkroot-lab']);
    expect(labs).toEqual([]);
  });

  it('that is interrupted says so, and keeps logs only where a report was wanted', async () => {
    const controller = new AbortController();
    const test = async ({ logs }: OpenLab): Promise<LabReport> => {
      controller.abort();
      throw new Error(`killed; see ${logs}`);
    };
    const { error, kept } = await lab(test, { signal: controller.signal });
    expect(error).toMatchObject({
      message: 'Cannot finish the storm: interrupted',
      exitCode: ExitCode.Interrupted,
    });
    expect(kept).toEqual([]);
  });
});
