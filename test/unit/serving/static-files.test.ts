import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/ports/file-system.js';
import type { HttpAnswer, HttpRequest } from '../../../src/ports/network.js';
import { readRange } from '../../../src/serving/http-range.js';
import { requestPath, StaticFiles } from '../../../src/serving/static-files.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const SECRET = 'never served';

function tree(): FileSystem {
  const fs = memoryFileSystem({
    '/etc/passwd': SECRET,
    '/usr/lib/PXELINUX/pxelinux.0': SECRET,
    '/state/hosts/n1/identity/key': SECRET,
    '/state/published.json': SECRET,
    '/state/images/compute/generations/g1/vmlinuz': 'kernel of g1',
    '/state/images/compute/generations/g1/root/etc/shadow': SECRET,
    '/state/images/compute/generations/g1/root/etc/motd': 'hello',
    '/state/images/compute/generations/g1/root/etc/out': { link: '/etc/passwd' },
    '/state/images/compute/generations/g1/root/etc/up': { link: '../../../../../../../../etc/passwd' },
    '/state/images/compute/generations/g1/root/etc/key': { link: '/state/hosts/n1/identity/key' },
    '/state/images/compute/generations/g1/root/etc/loop': { link: 'loop' },
    '/state/netboot/tftp/ipxe/boot.ipxe': '#!ipxe\n',
    '/state/netboot/tftp/empty': '',
    '/state/netboot/tftp/images/compute/g1/vmlinuz': {
      link: '/state/images/compute/generations/g1/vmlinuz',
    },
    '/state/netboot/tftp/pxelinux.0': { link: '/usr/lib/PXELINUX/pxelinux.0' },
    '/state/netboot/tftp/dir': { link: '/state/hosts' },
  });
  fs.chmod('/state/images/compute/generations/g1/root/etc/shadow', 0o640);
  for (const path of ['/state/images/compute/generations/g1/vmlinuz', '/state/netboot/tftp/ipxe/boot.ipxe']) {
    fs.chmod(path, 0o644);
    fs.setMtime(path, 1_700_000_000);
  }
  return fs;
}

const fs = tree();
const files = new StaticFiles(fs, {
  trees: [
    { prefix: '/', directory: '/state/netboot/tftp' },
    { prefix: '/images/', directory: '/state/images' },
  ],
  within: ['/state/netboot/tftp', '/state/images'],
  permits: (client) => client.startsWith('10.1.'),
});

function ask(
  target: string,
  headers: HttpRequest['headers'] = {},
  more: Partial<HttpRequest> = {},
): HttpAnswer {
  return files.answer({
    method: 'GET',
    target,
    headers,
    client: '10.1.0.7',
    body: new Uint8Array(),
    ...more,
  });
}

/** The bytes that would go out. */
function bytesOf({ content }: HttpAnswer): string {
  if (content === undefined || typeof content === 'string') return content ?? '';
  const { path, start, end } = content;
  return Buffer.from(fs.readRange(path, start, end - start + 1)).toString();
}

describe('files over HTTP', () => {
  it('come from the TFTP tree first, then from the images; links between them are followed', () => {
    const kernel = ask('/images/compute/g1/vmlinuz');
    expect(kernel.status).toBe(200);
    expect(bytesOf(kernel)).toBe('kernel of g1');
    expect(kernel.headers).toMatchObject({
      'content-length': '12',
      'accept-ranges': 'bytes',
      'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
    });
    expect(bytesOf(ask('/images/compute/generations/g1/root/etc/motd'))).toBe('hello');
    expect(bytesOf(ask('//ipxe/./boot%2eipxe?x=1'))).toBe('#!ipxe\n');
    expect(ask('/empty')).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
  });

  it.each([
    '/../published.json',
    '/%2e%2e/published.json',
    '/images/../../published.json',
    '/images/..%2f..%2fpublished.json',
    '/images/compute/generations/g1/root/etc/out',
    '/images/compute/generations/g1/root/etc/up',
    '/images/compute/generations/g1/root/etc/key',
    '/images/compute/generations/g1/root/etc/loop',
    '/images/compute/generations/g1/root/etc/shadow',
    '/dir/n1/identity/key',
    '/pxelinux.0',
    '/ipxe',
    '/ipxe/',
    '/',
    '/images/',
    '/nothing',
    '/ipxe/boot.ipxe/x',
    'ipxe/boot.ipxe',
    'http://10.1.0.1/ipxe/boot.ipxe',
    '/ipxe/boot.ipxe%00',
    '/%zz',
    '',
  ])('%s is no way to a file that is not served', (target) => {
    const answer = ask(target);
    expect([400, 403, 404]).toContain(answer.status);
    expect(bytesOf(answer)).not.toContain(SECRET);
  });

  it('are given to machines of the cluster, for GET and HEAD, and to nobody else', () => {
    expect(ask('/ipxe/boot.ipxe', {}, { client: '192.168.0.9' }).status).toBe(403);
    expect(ask('/ipxe/boot.ipxe', {}, { method: 'PUT' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    expect(ask('/ipxe/boot.ipxe', {}, { method: 'HEAD' }).headers).toEqual(ask('/ipxe/boot.ipxe').headers);
  });

  it('are not sent again to whoever has them, by ETag and by time', () => {
    const { headers } = ask('/ipxe/boot.ipxe');
    const etag = headers!['etag']!;
    const modified = headers!['last-modified']!;
    expect(ask('/ipxe/boot.ipxe', { 'if-none-match': `"x", W/${etag}` }).status).toBe(304);
    expect(ask('/ipxe/boot.ipxe', { 'if-none-match': '"x"', 'if-modified-since': modified }).status).toBe(
      200,
    );
    expect(ask('/ipxe/boot.ipxe', { 'if-modified-since': modified }).status).toBe(304);
    expect(ask('/ipxe/boot.ipxe', { 'if-modified-since': 'Tue, 14 Nov 2023 22:13:19 GMT' }).status).toBe(200);
  });

  it('come in parts, unless the file is another one by now', () => {
    const part = ask('/images/compute/g1/vmlinuz', { range: 'bytes=2-4' });
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-range': 'bytes 2-4/12', 'content-length': '3' },
    });
    expect(bytesOf(part)).toBe('rne');
    expect(bytesOf(ask('/images/compute/g1/vmlinuz', { range: 'bytes=-2' }))).toBe('g1');
    expect(ask('/images/compute/g1/vmlinuz', { range: 'bytes=12-' })).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */12' },
    });
    expect(ask('/images/compute/g1/vmlinuz', { range: 'bytes=2-4', 'if-range': '"old"' }).status).toBe(200);
  });

  it('stay inside whatever is asked for', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%2f',
      'images',
      'compute',
      'dir',
      'state',
      'hosts',
      '%00',
      'etc',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => `/${parts.join('/')}`),
        ),
        (target) => {
          const answer = ask(target);
          expect(bytesOf(answer)).not.toContain(SECRET);
          expect(requestPath(target)?.split('/') ?? []).not.toContain('..');
        },
      ),
    );
  });
});

describe('a Range header', () => {
  it.each([
    [undefined, 'none'],
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=5-', { start: 5, end: 9 }],
    ['bytes=5-99', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-30', { start: 0, end: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=5-2', 'none'],
    ['bytes=0-1,4-5', 'none'],
    ['bytes=-', 'none'],
    ['lines=1-2', 'none'],
  ])('%s', (header, expected) => {
    expect(readRange(header, 10)).toEqual(expected);
  });

  it('never leads out of the file', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat(1000), (text, first, last, size) => {
        for (const header of [text, `bytes=${first}-${last}`, `bytes=${first}-`, `bytes=-${last}`]) {
          const range = readRange(header, size);
          if (typeof range === 'string') continue;
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.start).toBeLessThanOrEqual(range.end);
          expect(range.end).toBeLessThan(size);
        }
      }),
    );
  });
});
