import { displayPath } from '../ports/byte-path.js';
import { describeReason, type Reason } from './reason.js';
import type { Sidecar, SidecarEntry } from './sidecar.js';

/** One step of an answer to "why is this here": an entry and the reason that brought it. */
export interface WhyStep {
  readonly entry: SidecarEntry;
  readonly reason: Reason;
}

/** An entry in the tree of reasons, below the entry that brought it. */
export interface ExplainedEntry {
  readonly entry: SidecarEntry;
  readonly reason: Reason;
  readonly brought: readonly ExplainedEntry[];
  /** Bytes of the entry and of everything that it brought. */
  readonly totalSize: number;
}

/** Everything that goes back to one of the user's own words, or to what every initrd has. */
export interface ExplainedRoot {
  readonly reason: Reason;
  readonly brought: readonly ExplainedEntry[];
  readonly totalSize: number;
}

/**
 * The chains of reasons from an entry up to recipe lines, options and fixed parts: one chain per reason of the entry;
 * further up the first reason is followed. Empty if the archive has no such entry.
 */
export function explainEntry(sidecar: Sidecar, path: string): WhyStep[][] {
  const index = indexEntries(sidecar);
  const entry = index.byPath.get(path);
  if (entry === undefined) return [];
  return entry.reasons.map((reason) => {
    const chain: WhyStep[] = [{ entry, reason }];
    const seen = new Set([entry]);
    for (let above = entryBehind(reason, index); above !== undefined; ) {
      const next = above.reasons[0];
      if (next === undefined || seen.has(above)) break;
      seen.add(above);
      chain.push({ entry: above, reason: next });
      above = entryBehind(next, index);
    }
    return chain;
  });
}

/** The whole archive as a tree of first reasons, largest branches first. Directories made for what lies below are left out. */
export function explainSidecar(sidecar: Sidecar): ExplainedRoot[] {
  const index = indexEntries(sidecar);
  const children = new Map<SidecarEntry, WhyStep[]>();
  const roots = new Map<string, { reason: Reason; steps: WhyStep[] }>();
  for (const entry of sidecar.entries) {
    const reason = entry.reasons[0];
    if (reason === undefined || reason.kind === 'parent') continue;
    const above = entryBehind(reason, index);
    if (above !== undefined && above !== entry) {
      children.set(above, [...(children.get(above) ?? []), { entry, reason }]);
    } else {
      const text = describeReason(reason);
      const root = roots.get(text) ?? { reason, steps: [] };
      root.steps.push({ entry, reason });
      roots.set(text, root);
    }
  }
  const placed = new Set<SidecarEntry>();
  const grow = ({ entry, reason }: WhyStep): ExplainedEntry => {
    placed.add(entry);
    const brought = (children.get(entry) ?? []).filter((step) => !placed.has(step.entry)).map(grow);
    return { entry, reason, brought: bySize(brought), totalSize: entry.size + total(brought) };
  };
  const explained = [...roots.values()].map(({ reason, steps }) => rootOf(reason, steps.map(grow)));
  // A circle of reasons hangs on no root; show it rather than lose it.
  for (const steps of children.values()) {
    for (const step of steps) if (!placed.has(step.entry)) explained.push(rootOf(step.reason, [grow(step)]));
  }
  return bySize(explained);
}

function rootOf(reason: Reason, brought: readonly ExplainedEntry[]): ExplainedRoot {
  return { reason, brought: bySize(brought), totalSize: total(brought) };
}

/** The tree as indented lines with sizes; directories, links and devices that bring nothing are counted, not listed. */
export function renderExplanation(roots: readonly ExplainedRoot[]): string {
  const lines: string[] = [];
  const visit = (node: ExplainedEntry, depth: number, showReason: boolean) => {
    const name = `${'  '.repeat(depth)}${displayPath(node.entry.path)}`;
    lines.push(row(node.totalSize, showReason ? `${name}  (${describeReason(node.reason)})` : name));
    for (const child of node.brought.filter(weighs)) visit(child, depth + 1, true);
  };
  for (const root of roots) {
    lines.push(row(root.totalSize, describeReason(root.reason)));
    const listed = root.brought.filter(weighs);
    for (const node of listed) visit(node, 1, false);
    const rest = root.brought.length - listed.length;
    if (rest > 0) lines.push(row(0, `  and ${rest} directories, links or devices`));
  }
  return lines.join('\n');
}

function weighs({ entry, brought }: ExplainedEntry): boolean {
  return entry.kind === 'file' || brought.length > 0;
}

/** A chain as lines: the entry first, then each "because". */
export function renderChain(chain: readonly WhyStep[]): string {
  return chain
    .map(({ entry, reason }, depth) =>
      [
        ...(depth === 0 ? [`${displayPath(entry.path)} (${formatSize(entry.size)})`] : []),
        `${'  '.repeat(depth + 1)}because: ${describeReason(reason)}`,
      ].join('\n'),
    )
    .join('\n');
}

/** Bytes for people, in decimal units. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}

interface EntryIndex {
  readonly byPath: ReadonlyMap<string, SidecarEntry>;
  /** Module files by the module's name. */
  readonly byModule: ReadonlyMap<string, SidecarEntry>;
}

function indexEntries(sidecar: Sidecar): EntryIndex {
  const byPath = new Map(sidecar.entries.map((entry) => [entry.path, entry]));
  const modules = sidecar.entries.filter(({ path }) => path.endsWith('.ko'));
  return { byPath, byModule: new Map(modules.map((entry) => [moduleOf(entry.path), entry])) };
}

/** The entry that a reason speaks of, if the archive has it; the user's own words have none. */
function entryBehind(reason: Reason, { byPath, byModule }: EntryIndex): SidecarEntry | undefined {
  switch (reason.kind) {
    case 'needed':
    case 'interpreter':
    case 'dlopen':
    case 'libgcc':
    case 'data':
    case 'parent':
    case 'link':
      return byPath.get(reason.of);
    case 'module-dependency':
    case 'softdep':
    case 'phy':
    case 'firmware':
      return byModule.get(reason.of);
    default:
      return undefined;
  }
}

function moduleOf(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.slice(0, file.indexOf('.')).replaceAll('-', '_');
}

function row(size: number, text: string): string {
  return `${formatSize(size).padStart(10)}  ${text}`;
}

function total(nodes: readonly { readonly totalSize: number }[]): number {
  return nodes.reduce((sum, { totalSize }) => sum + totalSize, 0);
}

function bySize<T extends { readonly totalSize: number }>(nodes: readonly T[]): T[] {
  return [...nodes].sort((a, b) => b.totalSize - a.totalSize);
}
