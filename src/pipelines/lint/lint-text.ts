import type { LintReport } from './lint-site.js';
import type { SiteFinding } from './site-findings.js';

/** A finding as lines: its place, severity, rule, what is the case and in which layers; then what to do. */
export function findingText({ rule, severity, where, what, remedy, layers = [] }: SiteFinding): string[] {
  const [first, ...others] = layers;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return [
    `${where}: ${severity} ${rule}: ${what}${first === undefined ? '' : ` (in ${first}${more})`}`,
    `    ${remedy}`,
  ];
}

/** That an overlay has no part in any layer. */
export function unreadOverlayText(overlay: string): string {
  return `${overlay} is not looked at further, and no layer has it: its overlay.yaml cannot be read`;
}

/** How many findings there are of each severity. */
export function severitiesText(findings: readonly Pick<SiteFinding, 'severity'>[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`;
}

/** The last line: how many findings of each severity, in how much. */
export function totalsText(
  findings: readonly Pick<SiteFinding, 'severity'>[],
  { recipes, nodes, overlays, layers }: LintReport['looked'],
): string {
  return [
    `${severitiesText(findings)} in ${counted(recipes, 'recipe')}`,
    ...[counted(nodes, 'node'), counted(overlays, 'overlay'), counted(layers, 'layer')],
  ].join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
