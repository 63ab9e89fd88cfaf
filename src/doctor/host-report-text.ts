import type { Finding, HostReport } from './check-host.js';

const HEAD = ['', 'found', 'needed by (better with)', 'for what'];
const DETAIL_WIDTH = 26;
const MARKS = { ok: '✔', unchecked: '?', missing: '✘' } as const;

/** How the report is shown. */
export interface TextStyle {
  readonly colour: boolean;
  /** Width of the terminal; lines are not cut without it. */
  readonly columns?: number | undefined;
}

/** The report as a table for people: what is there, what is missing, what needs it, how to get it. */
export function hostReportText(report: HostReport, { colour, columns = 1000 }: TextStyle): string {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const rows = report.findings.map((finding) => ({
    mark: paint(
      { ok: 32, unchecked: 33, optional: 33, missing: 31 }[stateOf(finding)],
      MARKS[finding.presence],
    ),
    cells: [
      finding.requirement.name,
      cutPath(finding.detail, DETAIL_WIDTH),
      neededBy(finding),
      finding.requirement.why,
    ],
    finding,
  }));
  const table = [{ mark: ' ', cells: HEAD, finding: undefined }, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map(({ cells }) => cells[column]!.length)));
  const lines = table.flatMap(({ mark, cells, finding }) => {
    const [name, detail, needed, why] = cells.map((cell, column) => cell.padEnd(widths[column]!));
    const start = `${name}  ${detail}  ${needed}  `;
    const line = `${mark} ${start}${paint(2, cut(why!.trimEnd(), columns - start.length - 2))}`;
    return finding === undefined || finding.presence === 'ok'
      ? [line]
      : [line, `    ${paint(33, howToGet(finding))}`];
  });
  return [...lines, '', ...summary(report)].join('\n');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** The end of a path says more than its start. */
function cutPath(text: string, width: number): string {
  if (text.length <= width) return text;
  return text.startsWith('/') ? `…${text.slice(text.length - width + 1)}` : cut(text, width);
}

/** One line on how to get something that is missing, for both families of distributions. */
export function howToGet({ requirement }: Finding): string {
  const { debian, el, advice } = requirement;
  if (debian.length === 0 && el.length === 0) return advice ?? '';
  return `Debian: ${debian.join(' ')}; EL: ${el.join(' ')}`;
}

function stateOf({ presence, required }: Finding): 'ok' | 'unchecked' | 'optional' | 'missing' {
  return presence === 'missing' && !required ? 'optional' : presence;
}

function neededBy({ requirement: { requiredFor, usefulFor } }: Finding): string {
  return [...requiredFor, ...usefulFor.map((purpose) => `(${purpose})`)].join(' ');
}

function* summary({
  purposes,
  accelerators,
  missingPackages,
  packageManager,
  ready,
  findings,
}: HostReport): Iterable<string> {
  yield `Accelerators for qemu-test: ${accelerators.join(', ')}`;
  const command = { apt: 'apt-get install --no-install-recommends', dnf: 'dnf install' };
  const install = (packages: readonly string[]) =>
    packageManager === undefined
      ? packages.join(' ')
      : `${command[packageManager]} ${packages.map((name) => name.replace(/ \(.*\)$/, '')).join(' ')}`;
  if (missingPackages.required.length > 0)
    yield `To install what is required:  ${install(missingPackages.required)}`;
  if (missingPackages.useful.length > 0)
    yield `To install what is optional:  ${install(missingPackages.useful)}`;
  const lacking = findings.filter(({ presence, required }) => presence === 'missing' && required);
  yield ready
    ? `This host is ready for ${purposes.join(', ')}.`
    : `Missing: ${lacking.map(({ requirement }) => requirement.name).join(', ')}.`;
}
