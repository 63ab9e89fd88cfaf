// Lab only: an NTP server (RFC 5905, mode 4) whose clock showed a given moment when it was started, so that a node that got its time from
// here cannot have it from anywhere else:
//   node time-server.mjs ADDRESS DATE
import { createSocket } from 'node:dgram';

const [address, date] = process.argv.slice(2);
const ahead = Date.parse(date) - Date.now();
/** Seconds from 1900, where NTP counts from, to 1970. */
const EPOCH = 2_208_988_800;

function writeTime(packet, offset) {
  const ms = Date.now() + ahead;
  packet.writeUInt32BE((Math.floor(ms / 1000) + EPOCH) % 2 ** 32, offset);
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), offset + 4);
}

const socket = createSocket('udp4');
socket.on('message', (request, { address: client, port }) => {
  if (request.length < 48) return;
  const answer = Buffer.alloc(48);
  // No warning, the version of the question, mode server.
  answer[0] = (request[0] & 0x38) | 4;
  answer[1] = 1; // stratum: a clock of its own
  answer[2] = request[2];
  answer.writeInt8(-20, 3);
  answer.write('LOCL', 12, 'latin1');
  writeTime(answer, 16);
  request.copy(answer, 24, 40, 48);
  writeTime(answer, 32);
  writeTime(answer, 40);
  socket.send(answer, port, client);
  process.stdout.write(`answered ${client}\n`);
});
socket.bind(123, address, () => process.stdout.write('listening\n'));
