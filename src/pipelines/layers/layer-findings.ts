import { ExitCode, MkrootError } from '../../errors.js';
import type { LayerFinding } from '../../layers/layer-rules.js';

/** @throws MkrootError InvalidInput if the linter found an error, with every finding. */
export function refuseFindings(what: string, findings: readonly LayerFinding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new MkrootError(
    `Cannot write ${what}: the linter found ${errors.length} error${errors.length === 1 ? '' : 's'}`,
    {
      exitCode: ExitCode.InvalidInput,
      details: errors.flatMap(findingLines),
      hint: 'Every rule is explained in docs/lint.md.',
    },
  );
}

/** A finding as it is printed: rule, path, what is the case, where it comes from, what to do. */
export function findingLines({ rule, severity, path, origin, line, what, remedy }: LayerFinding): string[] {
  const where = line === undefined ? origin : `${origin}:${line}`;
  return [`  ${severity} ${rule}: ${path}: ${what} (${where})`, `    ${remedy}`];
}
