import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = join(import.meta.dirname, '../../../qemu/vlan-switch/vlan-switch.mjs');
const addresses = Buffer.from('525400770001525400770002', 'hex');
const packet = Buffer.from('0800450000', 'hex');
const tagFive = Buffer.from('81000005', 'hex');

/** As QEMU sends a frame: its length in front. */
function framed(...parts: readonly Buffer[]): Buffer {
  const frame = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(frame.length);
  return Buffer.concat([length, frame]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('the switch of a lab with a tagged port', () => {
  let child: ChildProcess;
  let untagged: Socket;
  let tagged: Socket;

  beforeAll(async () => {
    const ports = [await freePort(), await freePort()] as const;
    child = spawn(process.execPath, [program, '5', ...ports.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout!, 'data');
    [untagged, tagged] = ports.map((port) => connect(port, '127.0.0.1')) as [Socket, Socket];
    await Promise.all([once(untagged, 'connect'), once(tagged, 'connect')]);
    // The switch has taken the connections once it answers on them.
    await new Promise((done) => setTimeout(done, 100));
  });

  afterAll(() => {
    untagged.destroy();
    tagged.destroy();
    child.kill('SIGKILL');
  });

  it('tags what comes from the untagged port, a frame in pieces too', async () => {
    const wire = framed(addresses, packet);
    const arrived = once(tagged, 'data');
    untagged.write(wire.subarray(0, 7));
    await new Promise((done) => setTimeout(done, 20));
    untagged.write(wire.subarray(7));
    expect((await arrived)[0]).toEqual(framed(addresses, tagFive, packet));
  });

  it('lets through what has its tag, and drops what has another or none', async () => {
    const arrived = once(untagged, 'data');
    const tagSix = Buffer.from('81000006', 'hex');
    tagged.write(Buffer.concat([framed(addresses, packet), framed(addresses, tagSix, packet)]));
    // The priority in a tag is no part of its number.
    tagged.write(framed(addresses, Buffer.from('8100a005', 'hex'), packet));
    expect((await arrived)[0]).toEqual(framed(addresses, packet));
  });
});
