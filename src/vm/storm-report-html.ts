import { reportPage } from './boot-report-html.js';
import type { StormReport } from './storm-report.js';
import { stormTables } from './storm-summary.js';
import { escapeMarkup } from './timeline-svg.js';

/** The report of storms as one HTML page without scripts or outside files: what failed, and the tables of the terminal. */
export function stormReportHtml(report: StormReport): string {
  const { image, startedAt, result, accelerator, storms } = report;
  const failed = storms.filter(({ reason }) => reason !== undefined);
  const items = failed.map(
    ({ transport, size, reason }) => `<p>${escapeMarkup(`${transport}, ${size} at once: ${reason}`)}</p>`,
  );
  return reportPage(
    `${image} · storms`,
    `<header>
<div><h1>${escapeMarkup(image)}, many nodes at once</h1><p class="muted">${escapeMarkup(startedAt.slice(0, 16).replace('T', ' '))} UTC · QEMU with ${escapeMarkup(accelerator.toUpperCase())} · from power-on to multi-user</p></div>
<span class="verdict ${result}">${result.toUpperCase()}</span>
</header>
${failed.length === 0 ? '' : `<section class="card failed"><h2>Failed</h2>${items.join('\n')}</section>`}
${stormTables(report)
  .map(({ title, rows: [head = [], ...rows] }) => card(title, head, rows))
  .join('\n')}
<footer>mkroot qemu-test · the same data: storm.json · the model: docs/benchmarks.md</footer>`,
  );
}

function card(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeMarkup(cell)}</${tag}>`).join('')}</tr>`;
  return `<section class="card"><h2>${escapeMarkup(title)}</h2><table>${row('th', head)}
${rows.map((cells) => row('td', cells)).join('\n')}</table></section>`;
}
