import { ExitCode, MkrootError } from '../../errors.js';
import type { NetbootNode } from '../../netboot/netboot-site.js';
import { tftpDirectory } from '../../netboot/netboot-tree.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { PublishedLayers } from '../../stages/boot-test/published-layer-facts.js';
import { openGeneration } from '../../stages/publish/find-published-image.js';
import { publishedTree } from '../publish/published-record.js';

/** What a node gets when it boots now. */
export interface PublishedBoot {
  /** Name of the image. */
  readonly image: string;
  readonly generation: string;
  /** The files that the links of the published tree lead to. */
  readonly kernel: BytePath;
  readonly initrd: BytePath;
  /** Name of the initrd in the published tree. */
  readonly initrdName: string;
  readonly layers: PublishedLayers;
}

/**
 * What a node's boot files name, as it lies below the state directory.
 * @throws MkrootError NotFound if the node has no layer of its own, or something is gone.
 */
export function publishedBoot(fs: ReadFileSystem, state: BytePath, node: NetbootNode): PublishedBoot {
  const { image, parameters } = node.boot;
  const { host, cluster = [], base } = parameters;
  const gone = (why: string) =>
    new MkrootError(`Cannot test "${node.name}": ${why}`, {
      exitCode: ExitCode.NotFound,
      hint: 'Publish again: mkroot publish',
    });
  if (host === undefined) throw gone('it is published without a layer of its own');
  const isImage = base !== undefined && 'image' in base;
  const layers = {
    base:
      base === undefined || isImage
        ? openGeneration(fs, state, image.name, image.generation).root
        : base.path,
    ...(isImage ? { baseIsImage: true } : {}),
    ...(base !== undefined && 'httpPort' in base ? { inMemory: true } : {}),
    cluster: cluster.map(({ path }) => path),
    host: host.path,
  };
  for (const path of [layers.base, ...layers.cluster, layers.host]) {
    if (fs.lstat(`${path}/.`)?.kind !== 'directory') throw gone(`its layer "${path}" is not there any more`);
  }
  const follow = (path: string): BytePath => {
    const link = `${publishedTree(state)}/${tftpDirectory}/${path}`;
    const file = fs.lstat(link)?.kind === 'symlink' ? fs.readlink(link) : link;
    if (fs.lstat(file)?.kind !== 'file') throw gone(`"${path}" of the boot files is not there any more`);
    return file;
  };
  const [initrd = ''] = image.initrds;
  return {
    image: image.name,
    generation: image.generation,
    kernel: follow(image.kernel),
    initrd: follow(initrd),
    initrdName: initrd.slice(initrd.lastIndexOf('/') + 1),
    layers,
  };
}
