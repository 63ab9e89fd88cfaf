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

/** The last line: how many findings of each severity, in how much. */
export function totalsText(
  findings: readonly Pick<SiteFinding, 'severity'>[],
  { recipes, nodes, overlays, layers }: LintReport['looked'],
): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return [
    `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`,
    `in ${counted(recipes, 'recipe')}, ${counted(nodes, 'node')}, ${counted(overlays, 'overlay')}, ${counted(layers, 'layer')}`,
  ].join(' ');
}
