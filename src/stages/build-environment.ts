import type { BytePath } from '../ports/byte-path.js';
import type { TreeStrategy } from '../sandbox/root-tree.js';

/** What the stages of a root share, and what is none of their results' business: it is in no key. */
export interface BuildEnvironment {
  /** Directory of downloaded .deb files. */
  readonly debCache: BytePath;
  /** Directory of downloaded .rpm files and repository metadata. */
  readonly rpmCache: BytePath;
  /** How trees are stacked on this state directory; found out when first asked. */
  strategy(): Promise<TreeStrategy>;
  /** An absolute host path of a path in the recipe. */
  resolve(recipePath: string): BytePath;
}
