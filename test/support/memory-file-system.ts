import { Volume } from 'memfs';
import { DiskFileSystem, type NodeFs } from '../../src/host/disk-file-system.js';
import type { BytePath } from '../../src/ports/byte-path.js';

/** A file's text or bytes, a link's target, or null for an empty directory. */
export type MemoryTree = Readonly<Record<BytePath, string | Uint8Array | { readonly link: BytePath } | null>>;

/** The file-system port over memfs, filled with a tree. Parents are made as needed. */
export function memoryFileSystem(tree: MemoryTree = {}): DiskFileSystem {
  const volume = new Volume();
  volume.mkdirSync('/tmp', { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const parent = path.slice(0, Math.max(1, path.lastIndexOf('/')));
    volume.mkdirSync(parent, { recursive: true });
    if (content === null) volume.mkdirSync(path, { recursive: true });
    else if (typeof content === 'object' && 'link' in content) volume.symlinkSync(content.link, path);
    else volume.writeFileSync(path, content);
  }
  // memfs keeps names as JavaScript strings and encodes them as UTF-8 when asked for bytes; byte paths go through unchanged.
  const overrides: Partial<Record<string | symbol, unknown>> = {
    readdirSync: (path: string) =>
      (volume.readdirSync(path) as string[]).map((name) => Buffer.from(name, 'latin1')),
    readlinkSync: (path: string) => Buffer.from(volume.readlinkSync(path) as string, 'latin1'),
    // memfs follows a link that is renamed, and counts a name that is replaced twice: its directory is never empty again.
    renameSync: (from: string, to: string) => {
      const isLink = volume.lstatSync(from).isSymbolicLink();
      const replaced = volume.lstatSync(to, { throwIfNoEntry: false });
      if (from !== to && replaced !== undefined && !replaced.isDirectory()) volume.unlinkSync(to);
      if (!isLink) {
        volume.renameSync(from, to);
        return;
      }
      const target = volume.readlinkSync(from) as string;
      volume.symlinkSync(target, to);
      volume.unlinkSync(from);
    },
  };
  const node = new Proxy(volume, {
    get: (target, key) => {
      const member = overrides[key] ?? Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return new DiskFileSystem(node as unknown as NodeFs, { encode: (path) => path });
}
