// pxe-client.mjs MAC ARCHITECTURE ADDRESS [ipxe]: asks a proxyDHCP server for its boot file as PXE firmware does (RFC 4578 and the PXE
// specification 2.1): DISCOVER, then, where the offer has no file, a REQUEST to port 4011 of the boot server.
import { createSocket } from 'node:dgram';

const [mac, architecture, address, ipxe] = process.argv.slice(2);
const option = (code, ...bytes) => [code, bytes.length, ...bytes];
const octets = (dotted) => dotted.split('.').map(Number);
const code = Number(architecture);

/** A message of a type: 1 is DISCOVER, 3 is REQUEST. */
function message(type, from, ...more) {
  const head = Buffer.alloc(236);
  head.set([1, 1, 6, 0, 0x6d, 0x6b, 0x72, 0x74, 0, 0, 0x80, 0]);
  head.set(octets(from), 12);
  head.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 28);
  return Buffer.from([
    ...head,
    ...[0x63, 0x82, 0x53, 0x63],
    ...option(53, type),
    ...option(55, 1, 3, 43, 60, 66, 67),
    ...option(60, ...Buffer.from(`PXEClient:Arch:${String(code).padStart(5, '0')}:UNDI:003016`)),
    ...option(93, 0, code),
    ...option(94, 1, 3, 16),
    ...option(97, 0, ...Buffer.alloc(16, 7)),
    ...(ipxe === undefined ? [] : option(175, 177, 1, 0)),
    ...more,
    255,
  ]);
}

const broadcast = createSocket('udp4');
broadcast.on('message', (offer) => {
  const { file, options } = read(offer);
  if (file !== '') return finish('offer', offer);
  // Firmware chooses from the menu, or has none, and asks the boot server itself.
  const item = optionsOf(options.get(43) ?? Buffer.of(255)).get(9);
  const choice = item === undefined ? [] : option(43, 71, 4, item[0], item[1], 0, 0, 255);
  const direct = createSocket('udp4');
  direct.on('message', (answer) => finish('boot server', answer));
  direct.bind(4011, () => {
    direct.send(message(3, address, ...choice), 4011, [...options.get(54)].join('.'));
  });
});
broadcast.bind(68, () => {
  broadcast.setBroadcast(true);
  const ask = () => broadcast.send(message(1, '0.0.0.0'), 67, '255.255.255.255');
  ask();
  setInterval(ask, 500);
});
setTimeout(() => {
  console.log('no answer');
  process.exit(1);
}, 10_000);

function finish(who, answer) {
  const { file, options } = read(answer);
  const given = [...answer.subarray(16, 20)].join('.');
  const server = [...answer.subarray(20, 24)].join('.');
  console.log(`${who}: class=${options.get(60)} address=${given} server=${server} file=${file}`);
  process.exit(0);
}

function read(answer) {
  const options = optionsOf(answer.subarray(240));
  const field = answer.toString('latin1', 108, 236).replace(/\0.*/s, '');
  return { options, file: field || String(options.get(67) ?? '') };
}

function optionsOf(bytes) {
  const found = new Map();
  for (let at = 0; at < bytes.length && bytes[at] !== 255; ) {
    if (bytes[at] === 0) at += 1;
    else {
      found.set(bytes[at], bytes.subarray(at + 2, at + 2 + bytes[at + 1]));
      at += 2 + bytes[at + 1];
    }
  }
  return found;
}
