import { type BytePath, displayPath, toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { AccountIds } from '../rootfs/account-ids.js';
import { editSettings, type WrittenAttributes } from './edit-settings.js';
import { parentPath, pathsAbove } from './layer-entry.js';
import type { LayerView } from './layer-view.js';
import { SETTINGS_FILE } from './overlay-settings.js';
import { matchesPath } from './path-pattern.js';
import type { Overlay, OverlaySource } from './read-overlay.js';
import type { ChangedPath, SessionChanges } from './session-changes.js';

/** What changes are kept in, and what is known around it. */
export interface KeepContext {
  /** As it was read before the session. */
  readonly overlay: Overlay;
  /** The layers below the overlay. */
  readonly below: LayerView;
  /** Users and groups of the image. */
  readonly accounts: AccountIds;
  /** Directory for files that cannot go into the overlay because a template makes them. */
  readonly conflicts: BytePath;
}

/** What became of a session's changes. */
export interface KeptChanges {
  /** The overlay's new serial; absent if nothing was to be kept. */
  readonly serial?: number;
  /** Files whose template was left as it is, and where the session's version lies. */
  readonly conflicts: readonly {
    readonly path: BytePath;
    readonly keptAt: BytePath;
    readonly template: string;
  }[];
}

/**
 * Makes a session's changes those of an overlay's directory. Files are copied; what a directory under version control
 * cannot hold (owners, modes, deletions) is written to overlay.yaml, whose comments stay.
 */
export function keepChanges(fs: FileSystem, changes: SessionChanges, context: KeepContext): KeptChanges {
  const { overlay, below } = context;
  const sources = new Map(overlay.sources.map((source) => [source.path, source]));
  const conflicts: KeptChanges['conflicts'][number][] = [];
  const attributes: WrittenAttributes[] = [];
  const restore: string[] = [];
  for (const path of changes.deleted) removeSources(fs, overlay, path);
  for (const change of changes.changed) {
    const source = sources.get(change.path);
    if (source?.template) {
      conflicts.push(keepBeside(fs, change, source, context));
      continue;
    }
    copyInto(fs, overlay, change);
    if (change.kind !== 'directory') restore.push(literalPattern(change.path));
    if (needsAttributes(change, context)) attributes.push(attributesOf(change, context.accounts));
  }
  const deleted = changes.deleted.filter((path) => below.entry(path) !== undefined).map(literalPattern);
  const kept = changes.changed.length - conflicts.length + changes.deleted.length;
  if (kept === 0) return { conflicts };
  const serial = (overlay.settings.serial ?? 0) + 1;
  const file = `${overlay.directory}/${SETTINGS_FILE}`;
  const text = fs.lstat(file) === undefined ? '' : Buffer.from(fs.readFile(file)).toString('utf8');
  fs.writeFile(file, editSettings(text, { delete: deleted, restore, attributes, serial }));
  fs.chown(file, overlay.keeper.uid, overlay.keeper.gid);
  return { serial, conflicts };
}

/** A path as a pattern of overlay.yaml that means this path only; bytes that are no UTF-8 become `?`. */
export function literalPattern(path: BytePath): string {
  const escaped = path.replace(/[*?[\\]/g, '\\$&');
  const text = Buffer.from(escaped, 'latin1').toString('utf8');
  return Buffer.from(text, 'utf8').toString('latin1') === escaped
    ? text
    : escaped.replace(/[\u0080-\u00ff]/g, '?');
}

function removeSources(fs: FileSystem, overlay: Overlay, path: BytePath): void {
  for (const { path: own, source } of overlay.sources) {
    if (own === path || own.startsWith(`${path}/`)) fs.remove(`${overlay.directory}${source}`);
  }
}

function keepBeside(
  fs: FileSystem,
  change: ChangedPath,
  { source }: OverlaySource,
  { overlay, conflicts }: KeepContext,
): KeptChanges['conflicts'][number] {
  const keptAt = `${conflicts}${change.path}`;
  fs.mkdir(parentPath(keptAt), 0o700);
  if (change.kind === 'file') copyFile(fs, change.hostPath, keptAt);
  return { path: change.path, keptAt, template: `${overlay.label}${displayPath(source)}` };
}

function copyInto(fs: FileSystem, { directory, keeper }: Overlay, change: ChangedPath): void {
  const target = `${directory}${change.path}`;
  makeParents(fs, directory, change.path, keeper);
  const existing = fs.lstat(target)?.kind;
  if (existing !== undefined && (existing === 'directory') !== (change.kind === 'directory'))
    fs.remove(target);
  if (change.kind === 'directory') fs.mkdir(target);
  else if (change.kind === 'file') copyFile(fs, change.hostPath, target);
  else {
    fs.remove(target);
    fs.symlink(change.target ?? '', target);
  }
  fs.chown(target, change.uid === 0 ? keeper.uid : change.uid, change.gid === 0 ? keeper.gid : change.gid);
  if (change.kind !== 'symlink') fs.chmod(target, change.mode);
}

function makeParents(fs: FileSystem, directory: BytePath, path: BytePath, keeper: Overlay['keeper']): void {
  // From the top: a link on the way would lead out of the overlay.
  for (const above of pathsAbove(path).slice(1)) {
    const target = `${directory}${above}`;
    if (fs.lstat(target)?.kind === 'directory') continue;
    fs.remove(target);
    fs.mkdir(target);
    fs.chown(target, keeper.uid, keeper.gid);
  }
}

function copyFile(fs: FileSystem, from: BytePath, to: BytePath): void {
  const output = fs.create(to, 0o600);
  try {
    for (const chunk of fs.readChunks(from)) output.write(chunk);
    output.commit();
  } catch (error) {
    output.abort();
    throw error;
  }
}

/** Whether a checkout of the overlay somewhere else would lose what the session gave the path. */
function needsAttributes(change: ChangedPath, { overlay, below }: KeepContext): boolean {
  const { kind, mode, uid, gid, path } = change;
  if (overlay.settings.attributes.some((one) => matchesPath(toBytePath(one.path), path))) return true;
  const foreign = uid !== 0 || gid !== 0;
  if (kind === 'symlink') return foreign;
  if (kind === 'file') return foreign || (mode !== 0o644 && mode !== 0o755);
  const covered = below.entry(path);
  return covered?.kind === 'directory'
    ? mode !== covered.mode || uid !== covered.uid || gid !== covered.gid
    : foreign || mode !== 0o755;
}

function attributesOf(
  { path, mode, uid, gid }: ChangedPath,
  { users, groups }: AccountIds,
): WrittenAttributes {
  const user = [...users].find(([, account]) => account.uid === uid)?.[0];
  const group = [...groups].find(([, id]) => id === gid)?.[0];
  return {
    path: literalPattern(path),
    mode: mode.toString(8).padStart(4, '0'),
    owner: user ?? String(uid),
    group: group ?? String(gid),
  };
}
