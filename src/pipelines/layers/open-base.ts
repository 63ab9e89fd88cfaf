import { currentGeneration, generationPaths } from '../../images/image-store.js';
import { CachedView, DirectoryView, type LayerView, StackView } from '../../layers/layer-view.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type AccountIds, accountIds } from '../../rootfs/account-ids.js';
import { Sysroot } from '../../rootfs/sysroot.js';

/** The root that layers lie on. */
export interface BaseRoot {
  readonly image: string;
  /** Undefined if the image was never built: then nothing can be compared with it. */
  readonly root: BytePath | undefined;
  readonly view: LayerView;
  readonly accounts: AccountIds;
}

/** The root of an image, by default of its current generation; without one an empty view. */
export function openBase(
  fs: ReadFileSystem,
  state: BytePath,
  image: string,
  generation = currentGeneration(fs, state, image)?.id,
): BaseRoot {
  const root = generation === undefined ? undefined : generationPaths(state, image, generation).root;
  return root === undefined
    ? { image, root, view: new StackView([]), accounts: { users: new Map(), groups: new Map() } }
    : {
        image,
        root,
        view: new CachedView(new DirectoryView(fs, root)),
        accounts: accountIds(new Sysroot(fs, root)),
      };
}
