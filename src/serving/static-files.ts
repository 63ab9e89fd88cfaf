import { MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../ports/file-system.js';
import type { HttpAnswer, HttpRequest } from '../ports/network.js';
import { Sysroot } from '../rootfs/sysroot.js';
import { readRange } from './http-range.js';

/** A directory and the URL path below which its files are served. */
export interface ServedTree {
  /** Begins and ends with a slash. */
  readonly prefix: string;
  readonly directory: BytePath;
}

/** What an HTTP server for boot files may hand out. */
export interface StaticFilesOptions {
  /** Looked through in this order. */
  readonly trees: readonly ServedTree[];
  /** Links are followed as long as they lead to one of these directories. */
  readonly within: readonly BytePath[];
  /** Whether a client may ask at all. */
  readonly permits: (client: string) => boolean;
}

/**
 * Answers GET and HEAD for files below some directories, and nothing else: no listings, no file that others may not read
 * (passwords of an image's /etc/shadow), no way out by `..` or by a link. RFC 9110: ranges, ETag, Last-Modified.
 */
export class StaticFiles {
  readonly #host: Sysroot;
  readonly #options: StaticFilesOptions;

  constructor(fs: ReadFileSystem, options: StaticFilesOptions) {
    this.#host = new Sysroot(fs, '');
    this.#options = {
      ...options,
      within: options.within.map((path) => this.#host.resolve(path)?.path ?? path),
    };
  }

  answer(request: HttpRequest): HttpAnswer {
    const { method, target, headers, client } = request;
    if (!this.#options.permits(client)) return plain(403, 'Not a machine of this cluster');
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET and HEAD only', { allow: 'GET, HEAD' });
    const path = requestPath(target);
    if (path === undefined) return plain(400, 'No path of a file');
    const file = this.#find(path);
    if (file === undefined) return plain(404, 'No such file');
    if (file === 'closed') return plain(403, 'Not readable by others');
    return answerWithFile(file.path, file.stat, headers);
  }

  #find(path: BytePath): { path: BytePath; stat: FileStat } | 'closed' | undefined {
    for (const { prefix, directory } of this.#options.trees) {
      if (!path.startsWith(prefix)) continue;
      const found = this.#resolve(`${directory}/${path.slice(prefix.length)}`);
      if (found === undefined || found.stat.kind !== 'file') continue;
      if (!this.#options.within.some((allowed) => found.path.startsWith(`${allowed}/`))) continue;
      return (found.stat.mode & 0o004) === 0 ? 'closed' : found;
    }
    return undefined;
  }

  #resolve(path: BytePath) {
    try {
      return this.#host.resolve(path);
    } catch (error) {
      if (error instanceof MkrootError) return undefined; // a loop of links
      throw error;
    }
  }
}

/**
 * The path that a request's target names, decoded, with a leading slash; undefined for what is none. A part `..` has no
 * place in it, encoded or not.
 */
export function requestPath(target: string): BytePath | undefined {
  const encoded = target.replace(/[?#].*$/s, '');
  if (!encoded.startsWith('/') || /%(?![0-9A-Fa-f]{2})/.test(encoded)) return undefined;
  const path = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (path.includes('\0')) return undefined;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : `/${parts.join('/')}`;
}

function answerWithFile(path: BytePath, stat: FileStat, headers: HttpRequest['headers']): HttpAnswer {
  const { size, mtime, ino, changedMs } = stat;
  const etag = `"${ino.toString(36)}-${size.toString(36)}-${Math.floor(changedMs * 1000).toString(36)}"`;
  const modified = new Date(mtime * 1000).toUTCString();
  const about = { etag, 'last-modified': modified, 'accept-ranges': 'bytes' };
  if (isUnchanged(headers, etag, mtime)) return { status: 304, headers: about };
  const condition = headers['if-range'];
  const range =
    condition === undefined || condition === etag || condition === modified
      ? readRange(headers['range'], size)
      : 'none';
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...about, 'content-range': `bytes */${size}`, 'content-length': '0' } };
  }
  const type = { 'content-type': 'application/octet-stream' };
  if (range === 'none') {
    const all = { status: 200, headers: { ...about, ...type, 'content-length': String(size) } };
    return size === 0 ? all : { ...all, content: { path, start: 0, end: size - 1 } };
  }
  const { start, end } = range;
  return {
    status: 206,
    headers: {
      ...about,
      ...type,
      'content-length': String(end - start + 1),
      'content-range': `bytes ${start}-${end}/${size}`,
    },
    content: { path, start, end },
  };
}

/** RFC 9110, 13.2.2: If-None-Match goes before If-Modified-Since. */
function isUnchanged(headers: HttpRequest['headers'], etag: string, mtime: number): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) {
    return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  }
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && mtime * 1000 <= since;
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { ...headers, 'content-type': 'text/plain' }, content: `${text}\n` };
}
