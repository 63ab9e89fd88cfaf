import { describe, expect, it } from 'vitest';
import {
  type ArchiveEntry,
  deviceEntry,
  directoryEntry,
  fileEntry,
  symlinkEntry,
} from '../../../src/archive/entry.js';
import { listingLine } from '../../../src/archive/listing.js';
import { readCpio } from '../../../src/archive/newc-reader.js';
import { newcBytes } from '../../../src/archive/newc-writer.js';
import type { Reason } from '../../../src/archive/reason.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const why: Reason = { kind: 'option', option: '--file' };

describe('listingLine', () => {
  it.each<[ArchiveEntry, string]>([
    [fileEntry('a', 'hello', why, { mode: 0o4711, uid: 5 }), '-rws--x--x  1   5:0         5 a'],
    [fileEntry('line\nbreak', '', why, { mode: 0o2640 }), '-rw-r-S---  1   0:0         0 line\\x0abreak'],
    [directoryEntry('tmp', why, { mode: 0o1777 }), 'drwxrwxrwt  2   0:0         0 tmp'],
    [symlinkEntry('lib', 'usr/lib', why), 'lrwxrwxrwx  1   0:0         7 lib -> usr/lib'],
    [
      deviceEntry('null', { type: 'character', major: 1, minor: 3 }, why),
      'crw-------  1   0:0      1, 3 null',
    ],
  ])('shows an entry as ls -l does', (entry, line) => {
    const [record] = readCpio(newcBytes([entry], memoryFileSystem())).records;
    expect(listingLine(record!)).toBe(line);
  });
});
