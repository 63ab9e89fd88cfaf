import type { BootReport, ReportedFile } from './boot-report.js';
import { STYLE } from './boot-report-style.js';
import { spans } from './timeline.js';
import { escapeMarkup, PHASE_TITLES, phases, timelineSvg } from './timeline-svg.js';

/** The report of a boot test as one HTML page without scripts or outside files; follows the reader's light or dark theme. */
export function bootReportHtml(report: BootReport): string {
  return reportPage(
    `${report.image} · boot test`,
    `${header(report)}
${failureCard(report)}
${figures(report)}
${timelineCard(report)}
${checksCard(report)}
${notTested(report)}
${files(report)}
<footer>mkroot qemu-test · the same data: timeline.json · console: console.log</footer>`,
  );
}

/** A page of a report: head, style, and the body as markup. */
export function reportPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

/** The boot as a picture, with the colours of its phases. */
export function timelineCard(report: BootReport): string {
  return `<section class="card">
<h2>Timeline</h2>
${legend(report)}
${timelineSvg(report.milestones, report.failure?.milestone)}
</section>`;
}

function header({ result, image, startedAt, network, accelerator, fallback }: BootReport): string {
  const facts = [
    `${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    network === 'lab' ? 'PXE lab: DHCP, TFTP, NFS' : 'QEMU’s own network: DHCP, TFTP',
    `QEMU with ${accelerator.toUpperCase()}`,
  ];
  return `<header>
<div><h1>${escapeMarkup(image)}</h1><p class="muted">${facts.map(escapeMarkup).join(' · ')}</p>
${fallback === undefined ? '' : `<p class="muted">Given up first: ${escapeMarkup(fallback)}</p>`}</div>
<span class="verdict ${result}">${result.toUpperCase()}</span>
</header>`;
}

/** What did not come, or does not hold, and the end of the console; empty after a success. */
export function failureCard({ failure: what }: BootReport): string {
  if (what === undefined) return '';
  return `<section class="card failed">
<h2>${what.milestone === undefined ? 'A check failed' : `Did not come: ${escapeMarkup(what.milestone)}`}</h2>
<p>${escapeMarkup(what.reason)}</p>
<pre>${what.console.length === 0 ? '(nothing was printed)' : what.console.map(escapeMarkup).join('\n')}</pre>
</section>`;
}

/** Stretches of the boot that people ask for first. */
const FIGURES: readonly (readonly [title: string, from: string, to: string])[] = [
  ['power-on to power-off', 'power-on', 'power-off'],
  ['firmware and boot loader', 'power-on', 'kernel'],
  ['kernel start to switch_root', 'kernel', 'init-90-switch-root'],
  ['switch_root to multi-user', 'init-90-switch-root', 'multi-user'],
];

function figures({ milestones }: BootReport): string {
  const at = (id: string) => milestones.find((milestone) => milestone.id === id)?.atMs;
  const tiles = FIGURES.flatMap(([title, fromId, toId]) => {
    const [from, to] = [at(fromId), at(toId)];
    if (from === undefined || to === undefined) return [];
    return [
      `<div class="card figure"><b>${((to - from) / 1000).toFixed(1)}<small> s</small></b><span>${title}</span></div>`,
    ];
  });
  return tiles.length === 0 ? '' : `<section class="figures">${tiles.join('\n')}</section>`;
}

function legend({ milestones }: BootReport): string {
  const seen = new Set(phases(spans(milestones)).map(({ phase }) => phase));
  const items = [...seen].map(
    (phase) => `<li><i style="background:var(--${phase})"></i>${PHASE_TITLES[phase]}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}

/** What the node found when it looked at itself. */
export function checksCard({ checks: list }: BootReport): string {
  if (list.length === 0) return '';
  const rows = list.map(
    ({ name, passed, detail }) =>
      `<tr><td class="mark ${passed ? 'pass' : 'fail'}">${passed ? '✓' : '✗'}</td><th scope="row">${escapeMarkup(name.replaceAll('-', ' '))}</th><td>${escapeMarkup(detail)}</td></tr>`,
  );
  return `<section class="card"><h2>Checks</h2><table>${rows.join('\n')}</table></section>`;
}

function notTested({ notTested: list }: BootReport): string {
  if (list.length === 0) return '';
  const items = list.map((what) => `<li>${escapeMarkup(what)}</li>`);
  return `<section class="card"><h2>Not tested</h2><ul>${items.join('')}</ul></section>`;
}

function files({ root, kernel, initrd, driverSegment }: BootReport): string {
  const rows: (readonly [string, ReportedFile | undefined])[] = [
    ['kernel', kernel],
    ['initrd', initrd],
    ['driver, lab only', driverSegment],
  ];
  return `<section class="card"><h2>What was booted</h2><table>
<tr><th scope="row">root</th><td>${escapeMarkup(root)}</td></tr>
${rows.flatMap(([name, file]) => (file === undefined ? [] : [fileRow(name, file)])).join('\n')}
</table></section>`;
}

function fileRow(name: string, { path, size, sha256 }: ReportedFile): string {
  return `<tr><th scope="row">${name}</th><td>${escapeMarkup(path)}<br><span class="muted">${size.toLocaleString('en')} bytes · sha256 <code>${sha256}</code></span></td></tr>`;
}
