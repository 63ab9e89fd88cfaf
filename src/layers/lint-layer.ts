import { join } from 'node:path/posix';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { AccountIds } from '../rootfs/account-ids.js';
import { followLinks, MOUNTED_AT_BOOT } from './follow-links.js';
import {
  type LayerDirectory,
  type LayerEntry,
  type LayerFile,
  type LayerLink,
  parentPath,
  pathsAbove,
} from './layer-entry.js';
import { LAYER_RULES, type LayerFinding, type LayerRuleId } from './layer-rules.js';
import type { LayerTree } from './layer-tree.js';
import { type LayerView, StackView, type ViewedEntry } from './layer-view.js';
import { lintPlace, missingUnit, type Report } from './lint-place.js';
import { lintText, type TextContext } from './lint-text.js';
import { isIdentityPath, isSecretPath, LOOKED_AT, secretIn } from './secrets.js';

/** What a layer is held against. */
export interface LintContext {
  /** More than one node sees it. */
  readonly shared: boolean;
  /** The layers below. Without an image nothing is known of them: {@link image} is false. */
  readonly below: LayerView;
  /** Whether the image is part of {@link below}. */
  readonly image: boolean;
  /** False if the layers lack overlays that could not be read: what is missing may be in these. */
  readonly complete: boolean;
  /** Users and groups of the image. */
  readonly accounts: AccountIds;
  /** Directories of this machine that no link of a node can mean: the site, the state directory. */
  readonly hostDirectories: readonly BytePath[];
}

const MERGED_USR = new Set(['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libo32', '/libx32']);
const POINTERS = new Set(['/hopeless.root', '/hopeless.overlay']);
const SETUID_SETGID = 0o6000;

/** Rules about files that neither the image nor the layers have. */
const ABOUT_WHAT_LACKS: ReadonlySet<LayerRuleId> = new Set([
  'dangling-link',
  'unit-missing',
  'missing-interpreter',
  'stale-ld-cache',
]);

/** Everything that is wrong with a layer, in the order of its paths. */
export function lintLayer(fs: ReadFileSystem, tree: LayerTree, context: LintContext): LayerFinding[] {
  const known = knownIds(context.accounts);
  const merged = new StackView([tree, context.below]);
  const around: TextContext = { tree, merged, image: context.image, accounts: context.accounts };
  return tree.entries().flatMap((entry) => {
    if (entry.kind === 'whiteout' || entry.path === '/') return [];
    const found: LayerFinding[] = [];
    const report: Report = (rule, what, line) => found.push(finding(rule, entry, what, line));
    const covered = context.below.entry(entry.path);
    lintName(entry, context, report);
    lintPlace(entry, merged, context.shared, report);
    lintKind(entry, covered, report);
    if (context.image && !(known.users.has(entry.uid) && known.groups.has(entry.gid))) {
      report('unknown-owner', `it belongs to ${entry.uid}:${entry.gid}`);
    }
    if (entry.kind === 'directory') lintDirectory(entry, covered, report);
    const unit = context.image ? missingUnit(entry.path, merged) : undefined;
    if (unit !== undefined) report('unit-missing', `there is no unit "${displayPath(unit)}"`);
    else if (entry.kind === 'symlink') lintLink(entry, merged, context, report);
    if (entry.kind === 'file') {
      const bytes = contentOf(fs, entry);
      lintFile(entry, bytes, covered, context, report);
      if (entry.broken !== true) lintText(entry, bytes, around, report);
    }
    return context.complete ? found : found.filter(({ rule }) => !ABOUT_WHAT_LACKS.has(rule));
  });
}

function finding(rule: LayerRuleId, { path, origin }: LayerEntry, what: string, line?: number): LayerFinding {
  const { severity, remedy } = LAYER_RULES[rule];
  const at = line === undefined ? {} : { line };
  return { rule, severity, path: displayPath(path), origin, ...at, what, remedy };
}

function lintName({ path, kind }: LayerEntry, { shared }: LintContext, report: Report): void {
  const [, top = '/'] = pathsAbove(path);
  if (MOUNTED_AT_BOOT.has(top)) report('hidden-by-mount', `${top} is a mount of its own at boot`);
  if (shared && POINTERS.has(path)) report('shared-pointer', 'it is only read from host layers');
  if (shared && kind !== 'directory' && isIdentityPath(path)) {
    report('shared-identity', 'it tells one node from another');
  }
  if (/[\u0000-\u001f\u007f]/.test(path) || displayPath(path).includes('\\x')) {
    report('odd-name', 'its name is not plain UTF-8');
  }
}

const WORDS: Readonly<Record<LayerEntry['kind'], string>> = {
  directory: 'a directory',
  file: 'a file',
  symlink: 'a link',
  whiteout: 'a deletion',
  special: 'a special file',
};

const SPECIAL_WORDS = {
  character: 'character device',
  block: 'block device',
  fifo: 'pipe',
  socket: 'socket',
} as const;

function lintKind(entry: LayerEntry, covered: ViewedEntry | undefined, report: Report): void {
  if (entry.kind === 'special') report('special-file', `it is a ${SPECIAL_WORDS[entry.what]}`);
  if (covered === undefined || entry.kind === 'special') return;
  if (entry.kind === 'directory' && covered.kind === 'symlink' && MERGED_USR.has(entry.path)) {
    report('usr-merge', `it is a directory, in the image a link to ${displayPath(covered.target ?? '')}`);
    return;
  }
  const plain = (kind: LayerEntry['kind']) => kind === 'file' || kind === 'symlink' || kind === 'special';
  const links = entry.kind === 'symlink' || covered.kind === 'symlink';
  if (entry.kind === covered.kind || (plain(entry.kind) && plain(covered.kind))) return;
  const target = links && covered.kind === 'symlink' ? ` to ${displayPath(covered.target ?? '')}` : '';
  report('type-conflict', `it is ${WORDS[entry.kind]}, below it lies ${WORDS[covered.kind]}${target}`);
}

function lintDirectory(entry: LayerDirectory, covered: ViewedEntry | undefined, report: Report): void {
  if ((entry.mode & 0o002) !== 0 && (entry.mode & 0o1000) === 0) {
    report('world-writable', `its mode is ${octal(entry.mode)}`);
  }
  if (covered?.kind !== 'directory') return;
  const same = entry.mode === covered.mode && entry.uid === covered.uid && entry.gid === covered.gid;
  if (same) return;
  const what = `${ownership(entry)}, below it ${ownership(covered)}`;
  report((covered.mode & 0o005 & ~entry.mode) === 0 ? 'directory-drift' : 'directory-locked', what);
}

function lintLink(entry: LayerLink, merged: LayerView, context: LintContext, report: Report): void {
  const { target, path } = entry;
  const host = context.hostDirectories.find((one) => target === one || target.startsWith(`${one}/`));
  if (host !== undefined) {
    report('link-leaves-root', `it leads to ${displayPath(target)}, which is a path of this machine`);
    return;
  }
  const climbs = !target.startsWith('/') && /^\.\.(\/|$)/.test(join(`.${parentPath(path)}`, target));
  if (climbs) {
    report('link-leaves-root', `it leads to ${displayPath(target)}, above the root`);
    return;
  }
  if (context.image && followLinks(merged, path) === undefined)
    report('dangling-link', `it leads to ${displayPath(target)}`);
}

function lintFile(
  entry: LayerFile,
  bytes: Uint8Array,
  covered: ViewedEntry | undefined,
  { shared }: LintContext,
  report: Report,
): void {
  const setId = entry.mode & SETUID_SETGID;
  const coveredSetId = covered?.kind === 'file' ? covered.mode & SETUID_SETGID : 0;
  if ((setId & ~coveredSetId) !== 0 && !entry.declared)
    report('setuid-new', `its mode is ${octal(entry.mode)}`);
  if ((coveredSetId & ~setId) !== 0) {
    report('setuid-lost', `its mode is ${octal(entry.mode)}, in the image ${octal(covered!.mode)}`);
  }
  if ((entry.mode & 0o002) !== 0) report('world-writable', `its mode is ${octal(entry.mode)}`);
  const secretPath = isSecretPath(entry.path);
  const secret = secretIn(bytes);
  if (shared) {
    if (secretPath) report('secret-path', 'it is where secrets live');
    if (secret !== undefined) report('secret-content', `it contains ${secret}`);
  } else if ((secretPath || secret !== undefined) && (entry.mode & 0o004) !== 0) {
    report('secret-readable', `its mode is ${octal(entry.mode)}`);
  }
}

function contentOf(fs: ReadFileSystem, { content }: LayerFile): Uint8Array {
  if ('data' in content) return content.data;
  const size = fs.lstat(content.source)?.size ?? 0;
  return fs.readRange(content.source, 0, Math.min(size, LOOKED_AT));
}

interface KnownIds {
  readonly users: ReadonlySet<number>;
  readonly groups: ReadonlySet<number>;
}

/** Thousands of layers lie on one image. */
const idsOfImages = new WeakMap<AccountIds, KnownIds>();

function knownIds(accounts: AccountIds): KnownIds {
  let known = idsOfImages.get(accounts);
  if (known === undefined) {
    const { users, groups } = accounts;
    known = {
      users: new Set([0, ...[...users.values()].map(({ uid }) => uid)]),
      groups: new Set([0, ...groups.values()]),
    };
    idsOfImages.set(accounts, known);
  }
  return known;
}

function ownership({ mode, uid, gid }: Pick<LayerEntry, 'mode' | 'uid' | 'gid'>): string {
  return `${octal(mode)} ${uid}:${gid}`;
}

/** 0644 */
function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
