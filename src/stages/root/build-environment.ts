import type { BytePath } from '../../ports/byte-path.js';
import type { TreeStrategy } from '../../sandbox/root-tree.js';

/** What the stages of a root share, and what is none of their results' business: it is in no key. */
export interface BuildEnvironment {
  /** Directory for what is downloaded, by its kind: `debs`, `rpms`. Every distribution has its own. It may not be there yet. */
  cache(kind: string): BytePath;
  /** How trees are stacked on this state directory; found out when first asked. */
  strategy(): Promise<TreeStrategy>;
  /** An absolute host path of a path in the recipe. */
  resolve(recipePath: string): BytePath;
}
