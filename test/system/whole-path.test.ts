import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InitrdResult } from '../../src/pipelines/initrd/make-initrd.js';
import type { BootReport } from '../../src/vm/boot-report.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

/** The issue's own claim for NFS + overlayfs + tg3. */
const MAX_INITRD = 3_500_000;

const directory = mkdtempSync('/var/tmp/mkroot-test-whole-path-');
const state = join(directory, 'state');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface BuildJson {
  readonly generation: string;
  readonly root: string;
  readonly kernel: string;
}

describe.each([
  ['compute', 'trixie'],
  ['compute-bookworm', 'bookworm'],
])('recipe %s', (recipe, suite) => {
  let build: BuildJson;
  let initrd: InitrdResult;
  let boot: BootReport;

  beforeAll(async () => {
    build = await mkrootJson<BuildJson>('build', recipe, '--state', state);
    initrd = await mkrootJson<InitrdResult>('initrd', recipe, '--nic', 'tg3', '--state', state);
    const run = await runMkroot([
      'qemu-test',
      recipe,
      '--state',
      state,
      '--timeout',
      '1500',
      '--report',
      join(directory, suite),
      '--json',
    ]);
    if (run.stdout === '') throw new Error(run.stderr);
    boot = JSON.parse(run.stdout) as BootReport;
  });

  it(`is built from ${suite}`, () => {
    expect(readFileSync(join(build.root, 'etc/os-release'), 'utf8')).toContain(`VERSION_CODENAME=${suite}`);
  });

  it('gets an initrd of at most 3.5 MB that says which line of the recipe wanted tg3', async () => {
    expect(initrd.sizes.packed).toBeLessThanOrEqual(MAX_INITRD);
    const why = await runMkroot(['why', initrd.path, 'tg3.ko']);
    expect(why.stdout).toMatch(new RegExp(`because: ${recipe}\\.yaml \\(initrd\\.nic\\[0\\]\\), line [1-9]`));
  });

  it('boots over PXE from the published bytes to a passing self-check and a clean power-off', () => {
    expect(boot.failure).toBeUndefined();
    expect(boot.result).toBe('pass');
    expect(boot.milestones.map(({ id }) => id).at(-1)).toBe('power-off');
    expect(boot.kernel.sha256).toBe(sha256(build.kernel));
    expect(boot.initrd.sha256).toBe(initrd.sha256);
    expect(boot.initrd.sha256).toBe(sha256(initrd.path));
  });

  it('has zero failed units, an overlay of host, cluster and base, and a read-only base on the node', () => {
    const names = boot.checks.filter(({ passed }) => passed).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'no-failed-units',
        'root-is-overlay',
        'layers-in-order',
        'base-is-read-only',
        'writing-works',
        'hostname',
        'module-tg3',
      ]),
    );
    expect(boot.checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it('leaves a report with logs, timeline and picture', () => {
    for (const file of ['console.log', 'timeline.json', 'report.html']) {
      expect(existsSync(join(directory, suite, file)), file).toBe(true);
    }
    expect(readFileSync(join(directory, suite, 'report.html'), 'utf8')).toContain('<svg');
  });
});

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
