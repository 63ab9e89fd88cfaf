import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SET_UP = fileURLToPath(new URL('../../../scripts/set-up.mjs', import.meta.url));

/** As mkroot after Ctrl-C: cleans up for a while, and then says how it ended. */
const CHILD = `
  process.on('SIGINT', () => setTimeout(() => { console.log('cleaned up'); process.exit(130); }, 300));
  setInterval(() => {}, 1000);
  console.error('begun');
`;

it('a script of npm run waits after Ctrl-C for what it has started to clean up', async () => {
  const parent = `
    import { spawnSync } from 'node:child_process';
    import { leaveInterruptToChildren } from ${JSON.stringify(SET_UP)};
    leaveInterruptToChildren();
    const stdio = ['ignore', 'pipe', 'inherit'];
    const { status, stdout } = spawnSync(process.execPath, ['-e', ${JSON.stringify(CHILD)}], { stdio, encoding: 'utf8' });
    console.log(status, stdout.trim());
  `;
  // In a group of its own, all of which the terminal would signal.
  const running = spawn(process.execPath, ['--input-type=module', '-e', parent], { detached: true });
  let output = '';
  running.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await once(running.stderr, 'data');
  process.kill(-running.pid!, 'SIGINT');
  const [code] = await once(running, 'close');
  expect([code, output]).toEqual([0, '130 cleaned up\n']);
});
