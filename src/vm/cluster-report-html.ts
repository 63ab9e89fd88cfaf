import type { BootReport } from './boot-report.js';
import { checksCard, failureCard, reportPage, timelineCard } from './boot-report-html.js';
import type { ClusterReport, NodeTestReport } from './cluster-report.js';
import { escapeMarkup } from './timeline-svg.js';

/** The report of a test of several nodes as one HTML page without scripts or outside files: a table, then each node's boots. */
export function clusterReportHtml(report: ClusterReport): string {
  const { nodes, startedAt, result } = report;
  const groups = [...new Set(nodes.map(({ group }) => group))];
  const title = `${nodes.length} nodes of ${groups.join(', ')}`;
  return reportPage(
    `${title} · boot test`,
    `<header>
<div><h1>${escapeMarkup(title)}</h1><p class="muted">${escapeMarkup(startedAt.slice(0, 16).replace('T', ' '))} UTC · booted at once from what is published, by mkroot serve</p></div>
<span class="verdict ${result}">${result.toUpperCase()}</span>
</header>
${overview(nodes)}
${list('While the nodes were up', report.during)}
${nodes.flatMap((node) => node.boots.map((boot, index) => bootSection(node, boot, index))).join('\n')}
${list('In the lab in place of what is published', report.replaced)}
<footer>mkroot qemu-test · the same data: timeline.json · consoles: NODE/console.log</footer>`,
  );
}

function overview(nodes: readonly NodeTestReport[]): string {
  const rows = nodes.map((node) => {
    const { result, address, firmware, group, boots } = node;
    const facts = [group, address, firmware.toUpperCase(), ...boots.map(({ image }) => image)];
    return `<tr><td class="mark ${result}">${result === 'pass' ? '✓' : '✗'}</td><th scope="row"><a href="#${escapeMarkup(node.node)}">${escapeMarkup(node.node)}</a></th>${facts
      .map((fact) => `<td>${escapeMarkup(fact)}</td>`)
      .join('')}</tr>`;
  });
  return `<section class="card"><h2>Nodes</h2><table>${rows.join('\n')}</table></section>`;
}

function bootSection({ node, boots }: NodeTestReport, boot: BootReport, index: number): string {
  const number = boots.length === 1 ? '' : ` · boot ${index + 1}`;
  return `<h2 class="node"${index === 0 ? ` id="${escapeMarkup(node)}"` : ''}>${escapeMarkup(`${node}${number} · ${boot.image}`)} <span class="${boot.result}">${boot.result.toUpperCase()}</span></h2>
${failureCard(boot)}
${timelineCard(boot)}
${checksCard(boot)}`;
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  return `<section class="card"><h2>${title}</h2><ul>${items.map((item) => `<li>${escapeMarkup(item)}</li>`).join('')}</ul></section>`;
}
