import { parseSidecar, sidecarPath } from '../../archive/sidecar.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { RootImageFormat } from '../../images/root-image.js';
import type { Node } from '../../inventory/node.js';
import { displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { PublishedImage } from '../../stages/find-published-image.js';
import { rootFormat } from './node-base.js';

/**
 * A node whose root is one file needs an initrd that can mount it. One that another program made is let through.
 * @throws MkrootError InvalidInput that names image and node.
 */
export function requireTransports(
  fs: ReadFileSystem,
  nodes: readonly Node[],
  imageOf: (node: Node) => PublishedImage,
): void {
  const able = new Map<string, boolean>();
  for (const node of nodes) {
    const { protocol } = node.transport;
    const format = rootFormat(protocol);
    if (format === undefined) continue;
    const image = imageOf(node);
    const key = `${format} ${image.initrd}`;
    const known = able.get(key) ?? canMount(fs, image, format);
    able.set(key, known);
    if (known) continue;
    throw new MkrootError(
      `Cannot boot "${node.name}" by ${protocol}: the initrd of "${image.name}" ${image.generation} cannot mount ${format === 'erofs' ? 'an' : 'a'} ${format}`,
      {
        exitCode: ExitCode.InvalidInput,
        hint: `Make it anew: mkroot initrd ${image.name} --transport ${protocol} (in the recipe: initrd: {transports: [${protocol}]})`,
      },
    );
  }
}

function canMount(
  fs: ReadFileSystem,
  { initrd, ownInitrd = initrd }: PublishedImage,
  format: RootImageFormat,
): boolean {
  // One with further drivers has all that the image's own has.
  const path = [initrd, ownInitrd].map(sidecarPath).find((sidecar) => fs.lstat(sidecar) !== undefined);
  if (path === undefined) return true;
  const text = Buffer.from(fs.readFile(path)).toString('utf8');
  const { modules, builtins } = parseSidecar(text, displayPath(path));
  const present = new Set([...modules, ...builtins]);
  return present.has(format) && present.has('loop');
}
