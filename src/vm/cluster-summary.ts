import { textTable } from '../ports/text-table.js';
import type { BootReport } from './boot-report.js';
import { failureLines } from './boot-summary.js';
import type { ClusterReport, NodeTestReport } from './cluster-report.js';

const HEAD = [
  'node',
  'group',
  'address',
  'firmware',
  'image',
  'kernel',
  'multi-user',
  'end',
  'checks',
  '',
] as const;
/** Cells that a narrow terminal does without, in this order: nodes.yaml and the report have them. */
const DISPENSABLE: readonly string[] = ['firmware', 'address', 'group', 'image'];

/**
 * A test of several nodes for the terminal: their checks, what failed, a table with a line per boot, PASS or FAIL last.
 * @param columns width of the terminal; the table keeps all its cells without it.
 */
export function clusterSummary(
  { result, nodes, during, replaced, logs }: ClusterReport,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const boots = nodes.flatMap((node) => node.boots.map((boot, index) => ({ node, boot, index })));
  const passed = nodes.filter((node) => node.result === 'pass').length;
  return [
    ...boots.flatMap(({ node, boot, index }) => [
      `${nameOf(node, index)}:`,
      ...boot.checks.map(
        ({ name, passed: holds, detail }) => `  ${holds ? 'pass' : 'FAIL'}  ${name}: ${detail}`,
      ),
      '',
    ]),
    ...boots.flatMap(({ node, boot, index }) =>
      boot.failure === undefined ? [] : [`${nameOf(node, index)} failed`, ...failureLines(boot.failure), ''],
    ),
    ...(during.length === 0 ? [] : ['While they were up:', ...during.map((command) => `  ${command}`), '']),
    ...(replaced.length === 0
      ? []
      : ['In the lab in place of what is published:', ...replaced.map((what) => `  ${what}`), '']),
    ...fitting([HEAD, ...boots.map(({ node, boot, index }) => row(node, boot, index))], columns),
    ...(logs === undefined ? [] : [`Logs and report: ${logs}`]),
    `${result === 'pass' ? 'PASS' : 'FAIL'}  ${passed} of ${nodes.length} nodes`,
  ];
}

function nameOf({ node, boots }: NodeTestReport, index: number): string {
  return boots.length === 1 ? node : `${node}, boot ${index + 1}`;
}

function row(node: NodeTestReport, boot: BootReport, index: number): string[] {
  const at = (id: string) => {
    const ms = boot.milestones.find((milestone) => milestone.id === id)?.atMs;
    return ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`;
  };
  const passed = boot.checks.filter((check) => check.passed).length;
  return [
    nameOf(node, index),
    node.group,
    node.address,
    node.firmware,
    boot.image,
    at('kernel'),
    at('multi-user'),
    boot.endedMs === undefined ? '-' : `${(boot.endedMs / 1000).toFixed(1)} s`,
    `${passed} of ${boot.checks.length}`,
    boot.result,
  ];
}

function fitting(rows: readonly (readonly string[])[], columns: number): string[] {
  for (let left = 0; ; left += 1) {
    const without = DISPENSABLE.slice(0, left);
    const kept = rows.map((cells) => cells.filter((_, index) => !without.includes(HEAD[index]!)));
    const lines = textTable(kept);
    if (left === DISPENSABLE.length || lines.every((line) => line.length <= columns)) return lines;
  }
}
