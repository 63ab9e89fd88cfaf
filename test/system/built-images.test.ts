import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { offerImage, takeImage } from '../support/built-images.js';

let directory: string;
let images: string;
/** What happened, in the order in which it did. */
let log: string[];

beforeEach(() => {
  directory = mkdtempSync('/var/tmp/mkroot-test-handover-');
  images = join(directory, 'images');
  log = [];
});

afterEach(() => rmSync(directory, { recursive: true }));

const state = (who: string) => join(directory, who);
const contents = (who: string) => readFileSync(join(state(who), 'images/node/root'), 'utf8');

/** A build that another test file would have to wait for. */
const build = (who: string, text: string) => async () => {
  log.push(`${who} begins`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  mkdirSync(join(state(who), 'images/node'), { recursive: true });
  writeFileSync(join(state(who), 'images/node/root'), text);
  log.push(`${who} ends`);
};

describe('an image that test files of one run hand on', () => {
  it('is built once by those who take it, whoever comes first, and is the same for all', async () => {
    await Promise.all(['a', 'b', 'c'].map((who) => takeImage(state(who), 'node', build(who, who), images)));
    expect(log).toHaveLength(2);
    const [first = ''] = log[0]!.split(' ');
    expect(['a', 'b', 'c'].map(contents)).toEqual([first, first, first]);
  });

  it('is waited for while the test file that offers it builds it', async () => {
    const offered = offerImage(state('offers'), 'node', build('offers', 'offered'), images);
    await expect.poll(() => log).toContain('offers begins');
    await Promise.all([offered, takeImage(state('takes'), 'node', build('takes', 'its own'), images)]);
    expect(log).toEqual(['offers begins', 'offers ends']);
    expect(contents('takes')).toBe('offered');
  });

  it('is built by who waits if the one that builds it fails, whose error stays its own', async () => {
    const fails = offerImage(state('fails'), 'node', () => Promise.reject(new Error('no network')), images);
    const taken = takeImage(state('takes'), 'node', build('takes', 'its own'), images);
    await expect(fails).rejects.toThrow('no network');
    await taken;
    expect(contents('takes')).toBe('its own');
  });

  it('is built by who waits if the one that builds it is killed, whatever that has left', async () => {
    const builder = killedWhileItBuilds();
    await expect.poll(() => existsSync(join(directory, 'builds')), { timeout: 60_000 }).toBe(true);
    const taken = takeImage(state('takes'), 'node', build('takes', 'its own'), images);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(log).toEqual([]);
    builder.kill('SIGKILL');
    await once(builder, 'close');
    await taken;
    await takeImage(state('later'), 'node', build('later', 'a second one'), images);
    expect(['takes', 'later'].map(contents)).toEqual(['its own', 'its own']);
  });
});

/** A process that builds for an hour, after it has left half an image. */
function killedWhileItBuilds(): ChildProcess {
  // Node 20 reads no TypeScript.
  const compiler = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));
  const source = fileURLToPath(new URL('../support/built-images.ts', import.meta.url));
  const options = ['--ignoreConfig', '--noCheck', '--module', 'es2022', '--target', 'es2022'];
  execFileSync(compiler, [...options, '--outDir', directory, source]);
  const script = `import { mkdirSync } from 'node:fs';
import { offerImage } from '${directory}/built-images.js';
await offerImage('/nowhere', 'node', async () => {
  mkdirSync('${images}/.node.partial/half', { recursive: true });
  mkdirSync('${directory}/builds');
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
}, '${images}');`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
}
