/** How bad a finding is: errors refuse what was asked for, warnings are told. */
export type Severity = 'error' | 'warning';

/** What is known about one kind of mistake. */
export interface LintRule {
  readonly severity: Severity;
  /** What the rule is about, one sentence. */
  readonly about: string;
  /** What to do, imperative. */
  readonly remedy: string;
}
