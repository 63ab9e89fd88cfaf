import { inject } from 'vitest';
import type { JudgeRootName } from './judge-root-recipes.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Host paths of the roots that judge-roots.setup.ts found or made. */
    judgeRoots: Partial<Record<JudgeRootName, string>>;
  }
}

/**
 * Host path of a real root, made by bare mmdebstrap or debootstrap; tests must not write into it. Roots are made before
 * the tests start, and only those that a selected test file names as a literal, such as `judgeRoot('trixie')`.
 */
export function judgeRoot(name: JudgeRootName): string {
  const path = inject('judgeRoots')[name];
  if (path === undefined) {
    throw new Error(`No root "${name}": the test file must name it as a literal, in quotes`);
  }
  return path;
}
