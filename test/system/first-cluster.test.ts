import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuildState, buildState } from '../support/build-state.js';
import { documentedCommands, isAsDocumented } from '../support/console-blocks.js';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/first-cluster.md', import.meta.url)), 'utf8');
const EXECUTABLE = fileURLToPath(new URL('../../bin/mkroot.js', import.meta.url));

let built: BuildState;
beforeAll(() => {
  built = buildState();
});
afterAll(() => built.remove());

it('docs/first-cluster.md works as typed, from mkroot init to four booted nodes', () => {
  const { directory, state } = built;
  const programs = join(directory, 'bin');
  mkdirSync(programs);
  writeFileSync(join(programs, 'mkroot'), `#!/bin/sh\nexec "${process.execPath}" "${EXECUTABLE}" "$@"\n`);
  chmodSync(join(programs, 'mkroot'), 0o755);
  const env = {
    ...process.env,
    PATH: `${programs}:${process.env['PATH']}`,
    MKROOT_STATE: state,
    NO_COLOR: '1',
  };
  const commands = documentedCommands(PAGE);
  expect(commands.map(({ command }) => command)).toEqual(
    expect.arrayContaining(['mkroot init mycluster', 'mkroot publish', 'mkroot qemu-test --nodes 4']),
  );
  let cwd = directory;
  for (const { command, output } of commands) {
    const script = `cd "$1" && ${command} && pwd >"$2"`;
    const where = join(directory, 'cwd');
    const run = spawnSync('bash', ['-c', script, 'bash', cwd, where], { env, encoding: 'utf8' });
    expect(run.status, `${command}\n${run.stdout}\n${run.stderr}`).toBe(0);
    cwd = readFileSync(where, 'utf8').trim();
    const printed = run.stdout.replaceAll(state, '/var/lib/mkroot').replace(/\n$/, '');
    const lines = printed === '' ? [] : printed.split('\n');
    expect(
      isAsDocumented(output, lines),
      `# ${command}\n${printed}\n\ninstead of\n\n${output.join('\n')}`,
    ).toBe(true);
  }
});
