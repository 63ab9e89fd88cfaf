import type { StageContext } from '../../engine/stage.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { RootTree } from '../../sandbox/root-tree.js';
import type { BuildEnvironment } from './build-environment.js';

/** In a stage's result: the whole root. */
const WHOLE = 'tree';
/** In a stage's result: what the stage changed, as overlayfs writes it. */
const LAYER = 'layer';

/** Where the first stage puts the root that all others build on. */
export function wholeTree(result: BytePath): BytePath {
  return `${result}/${WHOLE}`;
}

/** The trees that make up the root after these stages, the lowest first. A whole tree hides everything below it. */
export function rootLayers(fs: ReadFileSystem, results: readonly BytePath[]): BytePath[] {
  const layers: BytePath[] = [];
  for (const result of results) {
    if (fs.lstat(wholeTree(result)) !== undefined) layers.splice(0, layers.length, wholeTree(result));
    else if (fs.lstat(`${result}/${LAYER}`) !== undefined) layers.push(`${result}/${LAYER}`);
  }
  return layers;
}

/** Gives `use` the root as earlier stages left it; what it changes becomes the result of this stage. */
export async function changeRoot(
  context: StageContext,
  environment: BuildEnvironment,
  use: (tree: RootTree) => Promise<void>,
): Promise<void> {
  const { ports, result, scratch, earlier } = context;
  const strategy = await environment.strategy();
  const tree = await RootTree.open(ports, {
    strategy,
    below: rootLayers(ports.fs, earlier),
    layer: strategy === 'overlay' ? `${result}/${LAYER}` : wholeTree(result),
    scratch,
  });
  try {
    await use(tree);
  } finally {
    await tree.close();
  }
}
