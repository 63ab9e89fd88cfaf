import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../../qemu/http-server/http-server.mjs', import.meta.url));

/** Of 40 pieces as the server reads them: a client that is slower than the server lets it wait after each. */
const content = randomBytes(40 << 18);

let directory: string;
let server: ChildProcess;
let port: number;
let complaints = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mkroot-lab-http-'));
  writeFileSync(join(directory, 'root.squashfs'), content);
  port = await freePort();
  server = spawn(process.execPath, [PROGRAM, '127.0.0.1', String(port), directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server.stderr!.on('data', (text) => {
    complaints += text;
  });
  await once(server.stdout!, 'data');
});

afterAll(async () => {
  const ended = once(server, 'exit');
  server.kill();
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: found } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return found;
}

async function answer(): Promise<IncomingMessage> {
  const [response] = await once(get(`http://127.0.0.1:${port}/root.squashfs`), 'response');
  return response;
}

describe('the lab’s HTTP server', () => {
  it('sends all of a file to a slow client, and nothing piles up while it waits', async () => {
    const hash = createHash('sha256');
    for await (const piece of await answer()) {
      hash.update(piece);
      await setTimeout(1);
    }
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    expect(complaints).toBe('');
  });

  it('goes on serving when a client goes away in the middle', async () => {
    const left = await answer();
    await once(left, 'readable');
    left.destroy();
    let size = 0;
    for await (const piece of await answer()) size += piece.length;
    expect(size).toBe(content.length);
    expect(complaints).toBe('');
  });
});
