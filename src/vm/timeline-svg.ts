import type { BootPhase } from './milestones.js';
import { type Reached, type Span, spans } from './timeline.js';

/** Text as it may stand in HTML, SVG and their attributes. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** What the phases are called in the picture, in their order. */
export const PHASE_TITLES: Readonly<Record<BootPhase, string>> = {
  firmware: 'firmware',
  loader: 'boot loader',
  kernel: 'kernel',
  initramfs: 'initramfs',
  system: 'system',
};

/** Sizes in user units, which are CSS pixels at full width. */
const WIDTH = 960;
const LABELS = 210;
const NUMBERS = 116;
const ROW = 26;
const BAR = 14;
const STRIP_TOP = 22;
const STRIP = 30;
const ROWS_TOP = 104;
const AXIS = 30;

/** A strip shows a phase's name only where it fits. */
const STRIP_TEXT_MIN = 74;

/**
 * The boot as a picture: above, how the time divides among the phases; below, one row per milestone with the stretch that
 * led to it, on a common axis, and a last one for the milestone that did not come. Colours are CSS variables (`--firmware` ...) of the page that it stands in.
 */
export function timelineSvg(reached: readonly Reached[], missing?: string): string {
  const stretches = spans(reached);
  const total = Math.max(stretches.at(-1)?.toMs ?? 0, 1);
  const scale = (ms: number) => LABELS + (ms / total) * (WIDTH - LABELS - NUMBERS);
  const bottom = ROWS_TOP + (stretches.length + (missing === undefined ? 0 : 1)) * ROW;
  const height = bottom + AXIS;
  const label = `Timeline of the boot: ${(total / 1000).toFixed(1)} seconds, ${reached.length} milestones`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}" xmlns="http://www.w3.org/2000/svg">`,
    ...phaseStrip(stretches, total),
    `<text class="small" x="${WIDTH}" y="${ROWS_TOP - 6}" text-anchor="end">at, s</text>`,
    ...axis(total, scale, bottom),
    ...stretches.map((span, index) => row(span, ROWS_TOP + index * ROW, scale)),
    ...(missing === undefined ? [] : [missingRow(missing, ROWS_TOP + stretches.length * ROW, scale(total))]),
    '</svg>',
  ].join('\n');
}

function phaseStrip(stretches: readonly Span[], total: number): string[] {
  const parts = phases(stretches);
  const x = (ms: number) => (ms / total) * WIDTH;
  return [
    `<clipPath id="strip"><rect x="0" y="${STRIP_TOP}" width="${WIDTH}" height="${STRIP}" rx="7"/></clipPath>`,
    `<g clip-path="url(#strip)">`,
    ...parts.map(
      ({ phase, fromMs, toMs }) =>
        `<rect x="${round(x(fromMs))}" y="${STRIP_TOP}" width="${round(x(toMs) - x(fromMs))}" height="${STRIP}" fill="var(--${phase})"><title>${PHASE_TITLES[phase]}: ${seconds(toMs - fromMs)}</title></rect>`,
    ),
    '</g>',
    ...parts.flatMap(({ phase, fromMs, toMs }) => {
      if (x(toMs) - x(fromMs) < STRIP_TEXT_MIN) return [];
      const middle = round((x(fromMs) + x(toMs)) / 2);
      return [
        `<text class="on-colour" x="${middle}" y="${STRIP_TOP + 20}" text-anchor="middle">${PHASE_TITLES[phase]}</text>`,
        `<text class="small" x="${middle}" y="${STRIP_TOP + STRIP + 17}" text-anchor="middle">${seconds(toMs - fromMs)}</text>`,
      ];
    }),
  ];
}

/** How long each phase took. A stretch belongs to the phase that was running, which is that of the milestone before it. */
export function phases(
  stretches: readonly Span[],
): readonly { readonly phase: BootPhase; readonly fromMs: number; readonly toMs: number }[] {
  const parts: { phase: BootPhase; fromMs: number; toMs: number }[] = [];
  for (const { running, fromMs, toMs } of stretches) {
    const last = parts.at(-1);
    if (last?.phase === running) last.toMs = toMs;
    else parts.push({ phase: running, fromMs, toMs });
  }
  return parts;
}

function axis(total: number, scale: (ms: number) => number, bottom: number): string[] {
  const step = axisStep(total);
  const lines: string[] = [];
  for (let ms = 0; ms <= total; ms += step) {
    const x = round(scale(ms));
    lines.push(
      `<line class="grid" x1="${x}" y1="${ROWS_TOP - 8}" x2="${x}" y2="${bottom}"/>`,
      `<text class="small" x="${x}" y="${bottom + 18}" text-anchor="middle">${ms / 1000} s</text>`,
    );
  }
  return lines;
}

/** Milliseconds between two lines of the axis: a round number that gives four to ten of them. */
function axisStep(total: number): number {
  const steps = [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000];
  return steps.find((step) => total / step <= 9) ?? 300_000;
}

function row({ milestone, running, fromMs, toMs }: Span, top: number, scale: (ms: number) => number): string {
  const x = scale(fromMs);
  const width = Math.max(scale(toMs) - x, 2);
  const middle = top + ROW / 2;
  const hover = `${milestone.title} at ${seconds(toMs)}${milestone.detail === '' ? '' : `: ${milestone.detail}`}`;
  return [
    `<g><title>${escapeMarkup(hover)}</title>`,
    `<text x="${LABELS - 14}" y="${middle + 4}" text-anchor="end">${escapeMarkup(milestone.title)}</text>`,
    `<rect x="${round(x)}" y="${middle - BAR / 2}" width="${round(width)}" height="${BAR}" rx="3" fill="var(--${running})"/>`,
    `<text class="small" x="${round(x + width + 7)}" y="${middle + 4}">${seconds(toMs - fromMs)}</text>`,
    `<text class="number" x="${WIDTH}" y="${middle + 4}" text-anchor="end">${(toMs / 1000).toFixed(2)}</text></g>`,
  ].join('');
}

function missingRow(title: string, top: number, x: number): string {
  const middle = top + ROW / 2;
  return [
    `<g class="missing"><text x="${LABELS - 14}" y="${middle + 4}" text-anchor="end">${escapeMarkup(title)}</text>`,
    `<line x1="${LABELS}" y1="${middle}" x2="${round(x)}" y2="${middle}"/>`,
    `<text x="${WIDTH}" y="${middle + 4}" text-anchor="end">did not come</text></g>`,
  ].join('');
}

function seconds(ms: number): string {
  return ms < 995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
