import type { Problem } from '../decode/problem.js';
import { type BytePath, displayPath, toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { AccountIds } from '../rootfs/account-ids.js';
import { isWildcard } from '../rootfs/wildcard.js';
import { type LayerEntry, pathsAbove } from './layer-entry.js';
import { LayerTree } from './layer-tree.js';
import { type LayerView, layerKind } from './layer-view.js';
import type { OverlayAttributes } from './overlay-settings.js';
import type { TemplateVariables } from './overlay-templates.js';
import { findPaths, matchesPath } from './path-pattern.js';
import type { Overlay, OverlaySource } from './read-overlay.js';
import { settleLayer } from './settle-layer.js';

/** What an overlay is rendered with. */
export interface RenderContext {
  readonly variables: TemplateVariables;
  /** Users and groups of the image, by name. */
  readonly accounts: AccountIds;
  /** What lies below: where patterns of deletions are looked up. */
  readonly below: LayerView;
}

/** What an overlay came to. */
export interface RenderedOverlay {
  readonly tree: LayerTree;
  /** Deletions that meant nothing of the layers below, as they stand in overlay.yaml. */
  readonly idleDeletions: readonly { readonly pattern: string; readonly index: number }[];
  readonly problems: readonly Problem[];
}

/** File in a layer that carries the serial of each overlay in it, by the overlay's name. */
const SERIALS = '/etc/mkroot/serial';

/** Makes a layer out of an overlay. Nothing is written; all problems are told at once. */
export function renderOverlay(fs: ReadFileSystem, overlay: Overlay, context: RenderContext): RenderedOverlay {
  const tree = new LayerTree(overlay.label);
  const problems: Problem[] = [];
  const attributes = resolveAttributes(overlay, context.accounts, problems);
  const idleDeletions = deleteBelow(overlay, context.below, tree);
  for (const source of overlay.sources) {
    tree.put(entryOf(fs, overlay, source, context.variables, problems));
  }
  if (overlay.settings.serial !== undefined) {
    tree.put({
      ...plainFile(`${SERIALS}/${toBytePath(overlay.name.replaceAll('/', '-'))}`, overlay.label),
      content: { data: Buffer.from(`${overlay.settings.serial}\n`) },
    });
  }
  settleLayer(tree, context.below);
  applyAttributes(overlay, attributes, tree, context.below, problems);
  return { tree, idleDeletions, problems };
}

function deleteBelow(overlay: Overlay, below: LayerView, tree: LayerTree): RenderedOverlay['idleDeletions'] {
  return overlay.settings.delete.flatMap((pattern, index) => {
    const found = findPaths(toBytePath(pattern), below);
    for (const path of found) {
      if (path === '/') continue;
      tree.put({ kind: 'whiteout', path, mode: 0, uid: 0, gid: 0, origin: `${overlay.label}/overlay.yaml` });
    }
    return found.length === 0 ? [{ pattern, index }] : [];
  });
}

function entryOf(
  fs: ReadFileSystem,
  overlay: Overlay,
  { path, source, stat, template }: OverlaySource,
  variables: TemplateVariables,
  problems: Problem[],
): LayerEntry {
  const { keeper } = overlay;
  const origin = `${overlay.label}${displayPath(source)}`;
  const base = {
    path,
    mode: stat.mode,
    uid: stat.uid === keeper.uid ? 0 : stat.uid,
    gid: stat.gid === keeper.gid ? 0 : stat.gid,
    origin,
  };
  const hostPath = `${overlay.directory}${source}`;
  const kind = layerKind(stat);
  switch (kind) {
    case 'directory':
      return { ...base, kind, declared: false, clears: false };
    case 'symlink':
      return { ...base, kind, target: fs.readlink(hostPath) };
    case 'whiteout':
      return { ...base, kind };
    case 'special':
      return { ...base, kind, what: stat.kind as 'character' | 'block' | 'fifo' | 'socket' };
    case 'file': {
      if (!template) return { ...base, kind, declared: false, content: { source: hostPath } };
      const rendered = overlay.templates.render(source, variables);
      if ('text' in rendered) {
        return { ...base, kind, declared: false, content: { data: Buffer.from(rendered.text) } };
      }
      const { scope } = overlay.settings;
      problems.push(
        ...rendered.problems.map(({ message, ...problem }) => ({
          ...problem,
          message: message.startsWith('unknown variable') ? `${message} (rendered per ${scope})` : message,
        })),
      );
      return { ...base, kind, declared: false, content: { data: new Uint8Array() }, broken: true };
    }
  }
}

interface ResolvedAttributes extends Pick<OverlayAttributes, 'mode'> {
  readonly index: number;
  readonly path: BytePath;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

function resolveAttributes(
  { settings, position }: Overlay,
  accounts: AccountIds,
  problems: Problem[],
): ResolvedAttributes[] {
  const resolve = (name: string | undefined, index: number, field: 'owner' | 'group') => {
    if (name === undefined || /^\d+$/.test(name)) return name === undefined ? undefined : Number(name);
    const id = field === 'owner' ? accounts.users.get(name)?.uid : accounts.groups.get(name);
    if (id === undefined && name !== 'root') {
      problems.push({
        position: position(['attributes', index, field]),
        message: `attributes[${index}].${field} "${name}" is not known in the image; is the package that brings it installed there?`,
        rule: 'unknown-account',
      });
    }
    return id ?? 0;
  };
  return settings.attributes.map(({ path, mode, owner, group }, index) => ({
    index,
    path: toBytePath(path),
    mode,
    uid: resolve(owner, index, 'owner'),
    gid: resolve(group, index, 'group'),
  }));
}

function applyAttributes(
  { label, position }: Overlay,
  attributes: readonly ResolvedAttributes[],
  tree: LayerTree,
  below: LayerView,
  problems: Problem[],
): void {
  for (const { path } of attributes) addDirectory(path, tree, below, label);
  const paths = tree.entries().map((entry) => entry.path);
  for (const { index, path, mode, uid, gid } of attributes) {
    const meant = (isWildcard(path) ? paths.filter((one) => matchesPath(path, one)) : [path]).flatMap(
      (one) => tree.get(one) ?? [],
    );
    if (meant.length === 0) {
      problems.push({
        position: position(['attributes', index, 'path']),
        message: `attributes[${index}].path "${displayPath(path)}" is neither in the overlay nor a directory of the image`,
        rule: 'idle-attributes',
      });
    }
    for (const entry of meant) {
      const owned = { uid: uid ?? entry.uid, gid: gid ?? entry.gid, mode: mode ?? entry.mode };
      if (entry.kind === 'symlink') tree.put({ ...entry, uid: owned.uid, gid: owned.gid });
      else if (entry.kind === 'directory' || entry.kind === 'file') {
        tree.put({ ...entry, ...owned, declared: true });
      }
    }
  }
}

/** A directory of the layers below may be given another owner or mode although the overlay has nothing in it. */
function addDirectory(path: BytePath, tree: LayerTree, below: LayerView, origin: string): void {
  if (isWildcard(path) || tree.get(path) !== undefined) return;
  if (below.entry(path)?.kind !== 'directory') return;
  tree.put({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0, declared: false, clears: false, origin });
  settleLayer(tree, below, [...pathsAbove(path), path]);
}

function plainFile(path: BytePath, origin: string) {
  return { kind: 'file', path, mode: 0o644, uid: 0, gid: 0, declared: false, origin } as const;
}
