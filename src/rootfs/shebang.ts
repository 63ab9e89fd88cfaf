import type { BytePath } from '../ports/byte-path.js';

/** The kernel looks at this many bytes of a script (BINPRM_BUF_SIZE since Linux 5.1). */
export const SHEBANG_SIZE = 256;

/** The first line of a script, as execve(2) reads it. */
export interface Shebang {
  readonly interpreter: BytePath;
  /** The program that env(1) is told to find in PATH, if the interpreter is env. */
  readonly program?: BytePath;
}

/**
 * The interpreter named in a script's `#!` line: everything after it is one argument. `env` and `env -S` name a second
 * program. Undefined if the bytes are no script.
 */
export function parseShebang(head: Uint8Array): Shebang | undefined {
  if (head[0] !== 0x23) return undefined;
  const text = Buffer.from(head.subarray(0, SHEBANG_SIZE)).toString('latin1');
  const match = /^#![ \t]*([^ \t\n\0]+)([^\n\0]*)/.exec(text);
  if (match === null) return undefined;
  const [, interpreter = '', rest = ''] = match;
  const program = /(?:^|\/)env$/.test(interpreter) ? envProgram(rest) : undefined;
  return { interpreter, ...(program === undefined ? {} : { program }) };
}

/** The program in env's arguments: after options, `-S`, and assignments (env(1) of coreutils). */
function envProgram(text: string): BytePath | undefined {
  const words = text
    .trim()
    .replace(/^(?:-S[ \t]*|--split-string[= \t])/, '')
    .split(/[ \t]+/)
    .map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (/^(?:-u|-C|--unset|--chdir)$/.test(word)) at += 1;
    else if (word !== '' && !word.startsWith('-') && !word.includes('=')) return word;
  }
  return undefined;
}
