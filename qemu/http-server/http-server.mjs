// Lab only: an HTTP server for one directory, with ranges, that does to successive answers what it is told:
//   node http-server.mjs ADDRESS PORT DIRECTORY [FAULT...]
// cut    announces all of the file and closes the connection half-way
// short  serves half of the file as if that were all
// flip   changes one bit
// stall  sends half and then nothing, without closing
// slow   sends a tenth, then goes on at 4 MiB/s
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';

const [address, port, directory, ...faults] = process.argv.slice(2);
const CHUNK = 1 << 18;

function* chunks(file, from, to) {
  const descriptor = openSync(file, 'r');
  try {
    for (let at = from; at < to; ) {
      const buffer = Buffer.alloc(Math.min(CHUNK, to - at));
      at += readSync(descriptor, buffer, 0, buffer.length, at);
      yield buffer;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Until the client has taken what was written, or is gone. */
function drained(response) {
  return new Promise((done) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle);
      done();
    };
    response.on('drain', settle).on('close', settle);
  });
}

async function send(response, file, from, to, fault) {
  const half = from + Math.floor((to - from) / 2);
  let at = from;
  for (const buffer of chunks(file, from, to)) {
    if (response.destroyed) return;
    if (fault === 'flip' && at <= half && half < at + buffer.length) buffer[half - at] ^= 0x10;
    if (at > half && fault === 'cut') return void response.destroy();
    if (at > half && fault === 'stall') return;
    if (fault === 'slow' && at > from + (to - from) / 10) await new Promise((done) => setTimeout(done, 62));
    at += buffer.length;
    if (!response.write(buffer)) await drained(response);
  }
  response.end();
}

createServer((request, response) => {
  const file = join(directory, basename(request.url ?? ''));
  const fault = faults.shift() ?? 'none';
  const stat = statSync(file, { throwIfNoEntry: false });
  const size = fault === 'short' && stat ? Math.floor(stat.size / 2) : (stat?.size ?? 0);
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  process.stdout.write(
    `${request.method} ${request.url} from ${from} of ${size}: ${stat ? fault : 'no such file'}\n`,
  );
  if (!stat) return void response.writeHead(404).end();
  if (from >= size) return void response.writeHead(416).end();
  response.writeHead(from === 0 ? 200 : 206, {
    'Content-Length': size - from,
    'Accept-Ranges': 'bytes',
    ...(from === 0 ? {} : { 'Content-Range': `bytes ${from}-${size - 1}/${size}` }),
  });
  if (request.method === 'HEAD') return void response.end();
  void send(response, file, from, size, fault);
}).listen(Number(port), address, () => process.stdout.write('listening\n'));
