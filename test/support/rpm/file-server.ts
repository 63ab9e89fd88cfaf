import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

/** What a mirror does instead of sending a file. */
export type Fault =
  /** Sends the first half, then the connection breaks, and nobody listens any more. */
  | 'gone in mid-download'
  /** Says that there is no such file. */
  | 'missing';

/** A directory over HTTP on the loopback, as a mirror of packages. */
export interface FileServer {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[];
  /** From now on, files whose path matches get this instead. */
  fail(path: RegExp, fault: Fault): void;
  /** All is well again. */
  mend(): void;
  close(): Promise<void>;
}

/** Serves a directory on a free port of 127.0.0.1. */
export async function serveFiles(directory: string): Promise<FileServer> {
  const requests: string[] = [];
  let faults: { readonly path: RegExp; readonly fault: Fault }[] = [];
  let gone = false;
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    requests.push(path);
    const file = join(directory, path);
    const fault = faults.find((one) => one.path.test(path))?.fault;
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (gone) {
      response.destroy();
    } else if (size === undefined || fault === 'missing') {
      response.writeHead(404).end();
    } else if (fault === 'gone in mid-download') {
      gone = true;
      response.writeHead(200, { 'content-length': size });
      createReadStream(file, { end: Math.floor(size / 2) })
        .on('data', (part) => response.write(part))
        .on('end', () => {
          response.destroy();
        });
    } else {
      response.writeHead(200, { 'content-length': size });
      createReadStream(file).pipe(response);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail: (path, fault) => void faults.push({ path, fault }),
    mend: () => {
      faults = [];
      gone = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
