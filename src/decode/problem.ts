import { ExitCode, MkrootError } from '../errors.js';
import { type Position, positionText } from './position.js';

/** Something that is wrong in a file, and where. */
export interface Problem {
  readonly position: Position;
  readonly message: string;
}

/** What the file with the problems is. */
export interface ProblemFile {
  /** The kind of file: recipe, inventory. */
  readonly what: string;
  /** Its name as the user knows it. */
  readonly file: string;
  readonly hint: string;
}

/** The error (InvalidInput) that tells every problem as `file:line:column: what`, in the order of the files. */
export function problemReport({ what, file, hint }: ProblemFile, problems: readonly Problem[]): MkrootError {
  const order = (other: string) => (other === file ? '' : other);
  const sorted = [...problems].sort(({ position: a }, { position: b }) =>
    a.file === b.file ? a.line - b.line || a.column - b.column : order(a.file) < order(b.file) ? -1 : 1,
  );
  return new MkrootError(
    `Cannot use ${what} "${file}": ${problems.length === 1 ? 'it has a problem' : `it has ${problems.length} problems`}`,
    {
      exitCode: ExitCode.InvalidInput,
      details: sorted.map(({ position, message }) => `  ${positionText(position)}: ${printable(message)}`),
      hint,
    },
  );
}

/** What stands in a file must not move the cursor of whoever reads about it. */
function printable(message: string): string {
  return message.replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
