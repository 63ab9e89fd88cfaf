import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/images/manifest.js';
import { type BuildState, buildState, hostMounts, SMALL } from '../support/build-state.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

let build: BuildState;
let recipe: string;
let reference: string;
let mountsBefore: string[];

beforeAll(async () => {
  mountsBefore = hostMounts();
  build = buildState();
  recipe = build.recipe('image', SMALL);
  reference = (await mkrootJson<{ directory: string }>('build', recipe, '--state', build.state)).directory;
});

afterAll(() => build.remove());

/** Runs what follows in a mount namespace of its own, after a script that prepares the state directory $1. */
const prepared = (script: string, state: string) => [
  'unshare',
  '--mount',
  '--propagation',
  'private',
  'sh',
  '-e',
  '-c',
  `${script}; state=$1; shift; "$@"`,
  'sh',
  state,
];

const packagesOf = (directory: string) =>
  (JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Manifest).packages;

describe('a state directory', () => {
  it.each(['150m', '330m'])(
    'that is full at %s: one clear error, and the old generation untouched',
    async (size) => {
      const state = build.another(`full-at-${size}`);
      // What is there fits, the packages do not.
      const { exitCode, stderr } = await runMkroot(
        ['build', recipe, '--state', state],
        prepared(
          `mount -t tmpfs -o size=${size} tmpfs "$1"; mkdir -p "$1/images/image/generations/old"; ln -s generations/old "$1/images/image/current"; trap 'ls -la "$state/images/image" "$state/images/image/generations" >&2' EXIT`,
          state,
        ),
      );
      expect(exitCode).toBe(7);
      expect(stderr).toMatch(/mkroot: Cannot .*(disk is full|ENOSPC)/);
      expect(stderr).toContain('hint: Free some space');
      expect(stderr).toMatch(/current -> generations\/old/);
      expect(stderr.split('hint:')[1]).not.toContain('.new-');
      expect(hostMounts()).toEqual(mountsBefore);
    },
  );

  it('that cannot hold an overlay: trees are copied, the result is the same', async () => {
    const state = build.another('nested');
    for (const name of ['upper', 'work']) mkdirSync(join(build.directory, name));
    const { exitCode, stderr } = await runMkroot(
      ['build', recipe, '--state', state],
      prepared(
        `mount -t overlay overlay -o lowerdir=${state},upperdir=${build.directory}/upper,workdir=${build.directory}/work "$1"`,
        state,
      ),
    );
    expect(stderr).toContain('Publishing the generation: done');
    expect(exitCode).toBe(0);
    const image = join(build.directory, 'upper/images/image');
    const directory = join(image, readlinkSync(join(image, 'current')));
    expect(packagesOf(directory)).toEqual(packagesOf(reference));
    const results = join(build.directory, 'upper/cache/stages');
    expect(readdirSync(results).map((key) => existsSync(join(results, key, 'result/tree')))).toEqual(
      readdirSync(results).map(() => true),
    );
  });

  it.each(["a b'c", 'a,b:c=d%g~h'])(
    'named %j is refused before anything is done: apt cannot work there',
    async (name) => {
      const state = join(build.directory, name);
      const { exitCode, stderr } = await runMkroot(['build', recipe, '--state', state]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('hint: Choose a --state');
      expect(existsSync(state)).toBe(false);
    },
  );
});
