import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildState, buildState, hostMounts, processesWith, SMALL } from '../support/build-state.js';
import { mkrootJson, runMkroot, startMkroot } from '../support/run-mkroot.js';

let build: BuildState;
let recipe: string;
let mountsBefore: string[];
/** How long a whole build takes here, in milliseconds. */
let whole: number;

beforeAll(async () => {
  mountsBefore = hostMounts();
  build = buildState();
  recipe = build.recipe('image', `${SMALL}commands: [sleep 0.5]\n`);
  const first = await runMkroot(['build', recipe, '--state', build.state]);
  expect(first.stderr).toContain('Publishing the generation: done');
  whole = first.ms;
});

afterAll(() => build.remove());

async function expectNothingLeft(): Promise<void> {
  // The kernel ends a process namespace right after its parent; that is a matter of milliseconds where others wait for no processor.
  await expect.poll(() => processesWith(build.directory), { timeout: 60_000 }).toEqual([]);
  expect(hostMounts()).toEqual(mountsBefore);
}

describe('a build that is ended', () => {
  it('by SIGKILL at ten random moments leaves no mount, process, lock or half image; the next one succeeds', async () => {
    const current = join(build.state, 'images/image/current');
    const before = readlinkSync(current);
    for (let round = 0; round < 10; round += 1) {
      const moment = Math.round(((round + Math.random()) / 10) * whole);
      // --force starts over, so that the moments are spread over all stages.
      const running = startMkroot(['build', recipe, '--state', build.state, '--force']);
      await setTimeout(moment);
      running.process.kill('SIGKILL');
      const { exitCode, ms } = await running.ended;
      if (exitCode === 0) whole = Math.min(whole, ms); // other tests leave more of the machine than before
      await expectNothingLeft();
      const published = readdirSync(join(build.state, 'images/image/generations')).filter(
        (id) => !id.startsWith('.'),
      );
      for (const id of published) {
        expect(
          existsSync(join(build.state, 'images/image/generations', id, 'manifest.json')),
          `after ${moment} ms`,
        ).toBe(true);
      }
      if (exitCode === null) expect(published).toContain(readlinkSync(current).replace('generations/', ''));
    }
    expect(existsSync(join(build.state, 'images/image', before))).toBe(true);
    const next = await mkrootJson<{ built: boolean; root: string }>(
      'build',
      recipe,
      '--state',
      build.state,
      '--force',
    );
    expect(next.built).toBe(true);
    expect(existsSync(join(next.root, 'etc/debian_version'))).toBe(true);
    for (const directory of ['images/image/generations', 'cache/stages']) {
      expect(readdirSync(join(build.state, directory)).filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });

  it('by Ctrl-C says so, ends with 130, and cleans up after itself', async () => {
    const running = startMkroot(['build', recipe, '--state', build.state, '--force']);
    await expect
      .poll(() => processesWith(`${build.directory}/state/cache`), { timeout: 60_000 })
      .not.toEqual([]);
    running.process.kill('SIGINT');
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('interrupted');
    await expectNothingLeft();
    expect(readdirSync(join(build.state, 'cache/stages')).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
