// Packs a directory tree with mkroot's own writer: node pack-root.js DIRECTORY ARCHIVE
import { closeSync, openSync, writeSync } from 'node:fs';
import { hostEntries } from '../../src/archive/host-entries.js';
import { writeNewc } from '../../src/archive/newc-writer.js';
import { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { toBytePath } from '../../src/ports/byte-path.js';

const [directory, archive] = process.argv.slice(2);
const fs = new DiskFileSystem();
const reason = { kind: 'base', what: 'benchmark' } as const;
const entries = hostEntries(fs, toBytePath(directory!), '', { reason, keepOwner: true });
const fd = openSync(archive!, 'w');
for (const piece of writeNewc(entries, fs, { maxMtime: 0xffffffff })) {
  for (let written = 0; written < piece.length; ) {
    written += writeSync(fd, piece, written, piece.length - written);
  }
}
closeSync(fd);
