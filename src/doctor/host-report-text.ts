import type { Finding, HostReport } from './check-host.js';
import { PURPOSES, type Purpose } from './requirement.js';

const HEAD = ['', 'found', 'needed by (better with)', 'for what'] as const;
/** `found`: at most, and where the terminal is narrow. */
const DETAIL_WIDTH = 26;
const LEAST_DETAIL_WIDTH = 6;
/** With less room than this, `for what` says nothing. */
const LEAST_WHY_WIDTH = 24;
const MARK_WIDTH = 2;
const GAP = '  ';
const INDENT = '    ';
const MARKS = { ok: '✔', unchecked: '?', missing: '✘' } as const;

/** How the report is shown. */
export interface TextStyle {
  readonly colour: boolean;
  /** Width of the terminal; lines are not cut without it. */
  readonly columns?: number | undefined;
}

/** The report as a table for people: what is there of what was asked about, what is missing, what needs it, how to get it. */
export function hostReportText(report: HostReport, { colour, columns = 1000 }: TextStyle): string {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const shown = report.findings.filter(({ wanted }) => wanted);
  const needed = (finding: Finding) => neededBy(finding, report.purposes);
  const nameWidth = longest([HEAD[0], ...shown.map(({ requirement }) => requirement.name)]);
  const neededWidth = longest([HEAD[2], ...shown.map(needed)]);
  const room = columns - MARK_WIDTH - nameWidth - neededWidth - 2 * GAP.length;
  const details = [HEAD[1], ...shown.map(({ detail }) => cutPath(detail, DETAIL_WIDTH))];
  const whyWidth = room - longest(details) - GAP.length;
  const detailWidth = whyWidth < LEAST_WHY_WIDTH ? Math.max(LEAST_DETAIL_WIDTH, room) : longest(details);
  const line = (mark: string, name: string, detail: string, uses: string, why: string) => {
    const start = [name.padEnd(nameWidth), cutPath(detail, detailWidth).padEnd(detailWidth), uses].join(GAP);
    if (whyWidth < LEAST_WHY_WIDTH) return `${mark} ${start}`.trimEnd();
    const padding = ' '.repeat(neededWidth - uses.length);
    return `${mark} ${start}${padding}${GAP}${paint(2, cut(why, whyWidth))}`;
  };
  const lines = shown.flatMap((finding) => {
    const { requirement, presence, detail } = finding;
    const colourOfMark = { ok: 32, unchecked: 33, optional: 33, missing: 31 }[stateOf(finding)];
    const mark = paint(colourOfMark, MARKS[presence]);
    const below = [
      ...(whyWidth < LEAST_WHY_WIDTH ? [{ code: 2, text: requirement.why }] : []),
      { code: 33, text: howToGet(finding) },
    ];
    return [
      line(mark, requirement.name, detail, needed(finding), requirement.why),
      ...(presence === 'ok' ? [] : below).flatMap(({ code, text }) =>
        folded(text, columns - INDENT.length).map((part) => `${INDENT}${paint(code, part)}`),
      ),
    ];
  });
  return [line(' ', ...HEAD), ...lines, '', ...summary(report)].join('\n');
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}

/** Lines of at most so many characters, broken between words; a word that is longer has a line for itself. */
function folded(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
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

/** Those of the purposes that cannot do without it, and in parentheses those that are better with it. */
function neededBy(
  { requirement: { requiredFor, usefulFor } }: Finding,
  purposes: readonly Purpose[],
): string {
  const asked = (purpose: Purpose) => purposes.includes(purpose);
  return [...requiredFor.filter(asked), ...usefulFor.filter(asked).map((purpose) => `(${purpose})`)].join(
    ' ',
  );
}

function* summary({
  purposes,
  accelerators,
  missingPackages,
  packageManager,
  ready,
  findings,
}: HostReport): Iterable<string> {
  const others = findings.filter(({ wanted }) => !wanted).length;
  if (others > 0) {
    const rest = PURPOSES.filter((purpose) => !purposes.includes(purpose));
    yield `${others} more are for other work (--for ${rest.join(', ')}).`;
  }
  if (purposes.includes('qemu-test')) yield `Accelerators for qemu-test: ${accelerators.join(', ')}`;
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
  const superuser = findings.find(({ requirement }) => requirement.probe.kind === 'superuser');
  const asRoot = (purpose: Purpose) =>
    superuser?.presence === 'missing' && superuser.requirement.usefulFor.includes(purpose);
  yield ready
    ? `This host is ready for ${purposes.map((purpose) => `${purpose}${asRoot(purpose) ? ' (as root)' : ''}`).join(', ')}.`
    : `Missing: ${lacking.map(({ requirement }) => requirement.name).join(', ')}.`;
}
