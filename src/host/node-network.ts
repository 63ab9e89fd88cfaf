import { createSocket } from 'node:dgram';
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { ExitCode, MkrootError } from '../errors.js';
import type {
  Broadcasting,
  BroadcastOptions,
  HttpAnswer,
  HttpListenerOptions,
  HttpRequest,
  Listening,
  Network,
} from '../ports/network.js';

/** Milliseconds in which a request has to be whole: nobody here sends much. */
const REQUEST_MS = 10_000;

/** Milliseconds without a byte going through before a connection is given up. */
const SILENCE_MS = 120_000;

/** {@link Network} over the sockets of Node. */
export class NodeNetwork implements Network {
  async listenHttp(options: HttpListenerOptions): Promise<Listening> {
    const { address, port } = options;
    // A client may shut its half down when it has sent all (nc does) and still wants the answer.
    const server = createServer(
      { requestTimeout: REQUEST_MS, keepAliveTimeout: 5_000 },
      (request, response) => {
        void respond(request, response, options);
      },
    );
    server.timeout = SILENCE_MS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(listenError(`${address}:${port}`, cause)));
      server.listen({ host: address, port }, resolve);
    });
    const bound = server.address();
    return {
      port: bound !== null && typeof bound === 'object' ? bound.port : port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  }

  isTcpPortFree(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const server = createTcpServer();
      server.once('error', () => resolve(false));
      server.listen({ port, host: '0.0.0.0' }, () => server.close(() => resolve(true)));
    });
  }

  async broadcast({ address, localPort, remotePort, onMessage }: BroadcastOptions): Promise<Broadcasting> {
    // What is broadcast to us does not reach a socket that is bound to an address; and only one that is bound to an
    // address says through which interface 255.255.255.255 goes out (ip(7), the kernel's ip_route_output_key).
    const sockets = [
      createSocket({ type: 'udp4', reuseAddr: true }),
      createSocket({ type: 'udp4', reuseAddr: true }),
    ];
    const [sender, receiver] = sockets as [(typeof sockets)[0] & object, (typeof sockets)[0] & object];
    const close = () => {
      for (const socket of sockets) socket.close();
    };
    for (const socket of sockets)
      socket.on('message', (message, { address: from }) => onMessage(message, from));
    try {
      await bind(sender, address, localPort);
      await bind(receiver, '0.0.0.0', localPort);
      sender.setBroadcast(true);
    } catch (error) {
      close();
      throw error;
    }
    return {
      send: (message) => sender.send(message, remotePort, '255.255.255.255', () => {}),
      close,
    };
  }
}

function bind(socket: ReturnType<typeof createSocket>, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) => reject(listenError(`${address}:${port} (UDP)`, cause)));
    socket.bind({ address, port }, resolve);
  });
}

async function respond(
  message: IncomingMessage,
  response: ServerResponse,
  { answer, bodyLimit = 0, onSent }: HttpListenerOptions,
): Promise<void> {
  let request: HttpRequest | undefined;
  let reply: HttpAnswer = { status: 500 };
  let whole = false;
  try {
    const body = await readBody(message, bodyLimit);
    request = {
      method: message.method ?? '',
      target: message.url ?? '',
      headers: Object.fromEntries(
        Object.entries(message.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join() : value,
        ]),
      ),
      client: (message.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      body: body ?? new Uint8Array(),
    };
    reply = body === undefined ? { status: 413, headers: { connection: 'close' } } : answer(request);
    await send(response, reply, request.method === 'HEAD');
    whole = true;
  } catch {
    // The client has gone, the file has, or there is a defect: the answer is cut off, or says no more than that.
    if (!response.headersSent) response.writeHead(500).end();
    else response.destroy();
  }
  if (request !== undefined) onSent?.(request, reply, whole);
}

/** Undefined if it is longer than it may be; then it is read all the same, or the client would not read the answer. */
async function readBody(message: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const parts: AsyncIterable<Uint8Array> = message;
  for await (const chunk of parts) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? undefined : Buffer.concat(chunks);
}

async function send(response: ServerResponse, { status, headers = {}, content }: HttpAnswer, head: boolean) {
  response.writeHead(status, headers);
  if (head || content === undefined || typeof content === 'string') {
    const text = head || typeof content !== 'string' ? '' : content;
    await new Promise<void>((resolve, reject) => {
      response.once('close', () => (response.writableFinished ? resolve() : reject(new Error('cut off'))));
      response.end(text);
    });
    return;
  }
  const { path, start, end } = content;
  // The stream reads no faster than the client does.
  await pipeline(
    createReadStream(Buffer.from(path, 'latin1'), { start, end, highWaterMark: 1 << 18 }),
    response,
  );
}

function listenError(place: string, cause: Error): MkrootError {
  const code = 'code' in cause ? String(cause.code) : '';
  const why =
    code === 'EADDRINUSE'
      ? 'another program listens there'
      : code === 'EADDRNOTAVAIL'
        ? 'the address is not one of this machine'
        : cause.message;
  return new MkrootError(`Cannot listen on "${place}": ${why}`, {
    exitCode: ExitCode.Io,
    cause,
    ...(code === 'EADDRINUSE' ? { hint: 'To see which one: ss -lntup' } : {}),
  });
}
