import { type ErrorDetails, ExitCode, MkrootError } from '../errors.js';
import { type Position, positionText } from './position.js';

/** Something that is wrong in a file, and where. */
export interface Problem {
  readonly position: Position;
  readonly message: string;
  /** Kind of the mistake, an id of `mkroot lint`; absent for those that are of no particular kind. */
  readonly rule?: string;
}

/** The error that tells all problems of a file; whoever wants them one by one finds them here. */
export class ProblemsError extends MkrootError {
  constructor(
    message: string,
    details: ErrorDetails,
    readonly problems: readonly Problem[],
  ) {
    super(message, details);
  }
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
export function problemReport(
  { what, file, hint }: ProblemFile,
  problems: readonly Problem[],
): ProblemsError {
  const order = (other: string) => (other === file ? '' : other);
  const sorted = [...problems].sort(({ position: a }, { position: b }) =>
    a.file === b.file ? a.line - b.line || a.column - b.column : order(a.file) < order(b.file) ? -1 : 1,
  );
  return new ProblemsError(
    `Cannot use ${what} "${file}": ${problems.length === 1 ? 'it has a problem' : `it has ${problems.length} problems`}`,
    {
      exitCode: ExitCode.InvalidInput,
      details: sorted.map(({ position, message }) => `  ${positionText(position)}: ${printable(message)}`),
      hint,
    },
    sorted,
  );
}

/** What stands in a file must not move the cursor of whoever reads about it. */
function printable(message: string): string {
  return message.replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
