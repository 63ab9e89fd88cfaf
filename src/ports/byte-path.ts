/**
 * A path as the kernel sees it: bytes. It is held in a JavaScript string with one character per byte (latin1), so that
 * names that are not UTF-8 survive every step, compare in byte order with `<`, and split on '/' as usual. ASCII paths look
 * the same in both worlds. Convert at the edges only: {@link toBytePath} for what the user typed, {@link displayPath}
 * for what the user reads.
 */
export type BytePath = string;

/** The same in bytes and text, as nearly every path of ten thousand nodes is. */
const ASCII = /^[\x00-\x7f]*$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** The bytes of UTF-8 text (command line, recipe) as a {@link BytePath}. */
export function toBytePath(text: string): BytePath {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** A byte path for people: UTF-8 where it is valid, `\xNN` for other bytes and for control characters. */
export function displayPath(path: BytePath): string {
  if (PRINTABLE.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  const faithful = Buffer.from(text, 'utf8').equals(bytes);
  return (faithful ? text : path).replace(
    faithful ? /[\u0000-\u001f\u007f]/g : /[\u0000-\u001f\u007f-\u00ff]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
