import type { BytePath } from '../ports/byte-path.js';

/** What the tokens of a search path come to for one object; a token without a value discards the path. */
export interface TokenValues {
  /** Directory of the object that carries the path. */
  readonly ORIGIN?: BytePath;
  /** `lib/x86_64-linux-gnu` on Debian, `lib64` or `lib` elsewhere. */
  readonly LIB?: BytePath;
  /** The processor's name as the kernel gives it (AT_PLATFORM). */
  readonly PLATFORM?: BytePath;
}

/** A path with its tokens replaced. */
export interface ExpandedPath {
  readonly path: BytePath;
  /** The result depends on where the object lies. */
  readonly usesOrigin: boolean;
}

const TOKEN = /\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?!\w))/g;

/**
 * Replaces `$ORIGIN`, `$LIB` and `$PLATFORM`, with or without braces (ld.so(8), "Dynamic string tokens"). Any other `$` stays
 * as it is. Undefined if a token has no value: the loader then drops the path.
 */
export function expandTokens(path: BytePath, values: TokenValues): ExpandedPath | undefined {
  let complete = true;
  let usesOrigin = false;
  const expanded = path.replace(TOKEN, (_match, braced?: keyof TokenValues, bare?: keyof TokenValues) => {
    const token = braced ?? bare!;
    const value = values[token];
    if (value === undefined) complete = false;
    if (token === 'ORIGIN') usesOrigin = true;
    return value ?? '';
  });
  return complete ? { path: expanded, usesOrigin } : undefined;
}
