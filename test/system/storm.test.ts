import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stormMac, stormNetworkBatch, stormShaping, stormTap } from '../../src/vm/storm-network.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync('/var/tmp/mkroot-test-storm-');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Mbit/s that two nodes at once, and one alone, get of the head node and send to it: real TCP through the shaped links. */
function measuredRates(network: Parameters<typeof stormShaping>[0]): Record<string, number> {
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const server = file(
    'server.mjs',
    `import { createServer } from 'node:net';
const chunk = Buffer.alloc(65536);
createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (word) => {
    if (word[0] !== 100) return socket.resume();
    const more = () => { while (!socket.destroyed && socket.write(chunk)); };
    socket.on('drain', more);
    more();
  });
}).listen(5000, '10.77.0.1', () => console.log('listening'));
`,
  );
  const client = file(
    'client.mjs',
    `import { connect } from 'node:net';
const [, , way, name] = process.argv;
const socket = connect(5000, '10.77.0.1');
let started, bytes = 0;
const chunk = Buffer.alloc(16384);
socket.on('connect', () => {
  socket.write(way === 'from' ? 'd' : 'u');
  if (way === 'to') { const more = () => { while (socket.write(chunk)); }; socket.on('drain', more); more(); }
});
socket.on('data', (data) => { bytes += data.length; });
const seen = () => way === 'from' ? bytes : socket.bytesWritten - socket.writableLength;
setTimeout(() => { started = process.hrtime.bigint(); bytes = 0; socket.before = seen(); }, 1000);
setTimeout(() => {
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(name, (seen() - socket.before) * 8 / seconds / 1e6);
  process.exit();
}, 4000);
`,
  );
  const node = (number: number) => [
    `ip link delete ${stormTap(number)}`,
    `ip netns add n${number}`,
    `ip link add ${stormTap(number)} type veth peer name eth0 address ${stormMac(number)} netns n${number}`,
    `ip link set ${stormTap(number)} master switch up`,
    `ip -n n${number} address add 10.77.0.1${number}/24 dev eth0`,
    `ip -n n${number} link set eth0 up`,
  ];
  const run = (number: number, way: string, name: string) =>
    `ip netns exec n${number} ${process.execPath} ${client} ${way} ${name}`;
  const script = [
    'set -e',
    'mount -t tmpfs tmpfs /run',
    'mkdir /run/netns',
    `ip -batch ${file('ip', stormNetworkBatch(network))}`,
    `tc -batch ${file('tc', stormShaping(network))}`,
    ...node(1),
    ...node(2),
    `${process.execPath} ${server} >${directory}/log & server=$!`,
    `until grep -q listening ${directory}/log; do sleep 0.1; done`,
    run(1, 'from', 'alone-from'),
    run(1, 'to', 'alone-to'),
    `${run(1, 'from', 'one-from')} & first=$!`,
    run(2, 'from', 'two-from'),
    'wait $first',
    `${run(1, 'to', 'one-to')} & first=$!`,
    run(2, 'to', 'two-to'),
    'wait $first',
    'kill $server',
  ].join('\n');
  // Ahead of whatever else the machine has to do: it is the links that are measured.
  const text = execFileSync(
    'nice',
    [
      '-n',
      '-20',
      'unshare',
      '--mount',
      '--net',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      script,
    ],
    { encoding: 'utf8' },
  );
  return Object.fromEntries(
    [...text.matchAll(/^(\S+) ([\d.]+)$/gm)].map(([, name = '', rate = '']) => [name, Number(rate)]),
  );
}

describe('the links of a storm', () => {
  it('let a node have its own limit alone, and half of the uplink with another, both ways', () => {
    const rates = measuredRates({ nodes: 2, nodeMbit: 30, uplinkMbit: 40 });
    // A little less than the link, for the headers; more would be a way past the limit.
    for (const [name, limit] of [
      ...['alone-from', 'alone-to'].map((one) => [one, 30] as const),
      ...['one-from', 'two-from', 'one-to', 'two-to'].map((one) => [one, 20] as const),
    ]) {
      expect(rates[name], name).toBeGreaterThan(limit * 0.7);
      expect(rates[name], name).toBeLessThan(limit * 1.2);
    }
  });
});
