/** A place in a file that somebody wrote; lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A way to a value: keys of mappings and indexes of lists. */
export type ValuePath = readonly (string | number)[];

/** `file:line:column`, as editors and terminals make links of it. */
export function positionText({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}

/** A path as people write it: `files[0].mode`; empty for the whole document. */
export function pathText(path: ValuePath): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  );
}

/** A place for a message about another one: `line 12`, or `nodes.csv:12` if that is in another file. */
export function otherPlaceText({ file, line }: Position, seenFrom: Position): string {
  return file === seenFrom.file ? `line ${line}` : `${file}:${line}`;
}
