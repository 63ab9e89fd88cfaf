// Lab only: a switch with two ports, one of which is tagged (IEEE 802.1Q). It does not need a kernel that knows VLANs:
//   node vlan-switch.mjs VLAN UNTAGGED-PORT TAGGED-PORT
// QEMU connects to both TCP ports of 127.0.0.1 (-netdev socket,connect=) and sends each frame with its length in front, four bytes,
// the most significant first. A frame from the untagged port gets the tag; one from the tagged port is let through, without it, if it has that tag.
import { createServer } from 'node:net';

const [vlan, untaggedPort, taggedPort] = process.argv.slice(2).map(Number);
const ADDRESSES = 12; // bytes of the two MAC addresses, behind which the tag is
const tag = Buffer.from([0x81, 0x00, vlan >> 8, vlan & 0xff]);

function tagged(frame) {
  return Buffer.concat([frame.subarray(0, ADDRESSES), tag, frame.subarray(ADDRESSES)]);
}

function untagged(frame) {
  const type = frame.readUInt16BE(ADDRESSES);
  const number = frame.readUInt16BE(ADDRESSES + 2) & 0xfff;
  if (type !== 0x8100 || number !== vlan) return undefined;
  return Buffer.concat([frame.subarray(0, ADDRESSES), frame.subarray(ADDRESSES + 4)]);
}

/** A port and what is plugged in; `turn` makes of a frame what the other port gets, or nothing. */
function port(number, turn) {
  const self = { socket: undefined, other: undefined };
  self.server = createServer((socket) => {
    self.socket = socket;
    let rest = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
        const end = 4 + rest.readUInt32BE(0);
        const frame = end < 4 + ADDRESSES + 4 ? undefined : turn(rest.subarray(4, end));
        rest = rest.subarray(end);
        if (frame === undefined || self.other.socket === undefined) continue;
        const length = Buffer.alloc(4);
        length.writeUInt32BE(frame.length);
        self.other.socket.write(Buffer.concat([length, frame]));
      }
    });
  });
  self.listening = new Promise((done) => self.server.listen(number, '127.0.0.1', done));
  return self;
}

const access = port(untaggedPort, tagged);
const trunk = port(taggedPort, untagged);
access.other = trunk;
trunk.other = access;
await Promise.all([access.listening, trunk.listening]);
console.log('listening');
