import type { Problem } from '../decode/problem.js';
import { readText } from '../decode/read-text.js';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../ports/file-system.js';
import {
  type DecodedSettings,
  decodeOverlaySettings,
  defaultOverlaySettings,
  SETTINGS_FILE,
} from './overlay-settings.js';
import { OverlayTemplates, PARTIALS_DIRECTORY, TEMPLATE_SUFFIX } from './overlay-templates.js';

/** A file of an overlay's directory and what it becomes. */
export interface OverlaySource {
  /** Path inside the root, without the suffix of templates. */
  readonly path: BytePath;
  /** Path inside the overlay: {@link path} and the suffix of templates. */
  readonly source: BytePath;
  readonly stat: FileStat;
  readonly template: boolean;
}

/** An overlay as it lies in its directory. */
export interface Overlay extends DecodedSettings {
  /** Its name among the overlays. */
  readonly name: string;
  readonly directory: BytePath;
  /** The directory as the user knows it. */
  readonly label: string;
  /** Owner of the directory: what belongs to them belongs to root on the node. */
  readonly keeper: { readonly uid: number; readonly gid: number };
  /** Parents first, in byte order; links are not followed. */
  readonly sources: readonly OverlaySource[];
  readonly templates: OverlayTemplates;
}

/** Where an overlay lies. */
export interface OverlayPlace {
  readonly name: string;
  readonly directory: BytePath;
  readonly label: string;
}

/** Names in an overlay's top that are about the overlay, and files that only keep git from dropping a directory. */
const NOT_COPIED = new Set([`/${SETTINGS_FILE}`, `/${PARTIALS_DIRECTORY}`]);
const GIT_KEEPER = '.gitkeep';

/**
 * Reads an overlay's settings and which files it has; their contents are read when they are needed.
 * @returns the overlay, or everything that is wrong with it; with the overlay too if its settings are known.
 * @throws MkrootError NotFound if there is no such directory.
 */
export function readOverlay(
  fs: ReadFileSystem,
  { name, directory, label }: OverlayPlace,
): Overlay | { readonly problems: readonly Problem[]; readonly overlay?: Overlay } {
  // With "/." a directory that is a link itself is looked through, as everybody expects of a name that they typed.
  const top = fs.lstat(`${directory}/.`);
  if (top?.kind !== 'directory') {
    throw new MkrootError(`Cannot find the overlay "${name}": there is no directory ${label}`, {
      exitCode: ExitCode.NotFound,
      hint: `Make it with: mkdir -p ${label}`,
    });
  }
  const decoded = readSettings(fs, directory, label);
  const sources = readSources(fs, directory, label);
  const problems = doubles(sources, label);
  if ('problems' in decoded) return { problems: [...decoded.problems, ...problems] };
  const overlay: Overlay = {
    ...decoded,
    name,
    directory,
    label,
    keeper: { uid: top.uid, gid: top.gid },
    sources,
    templates: new OverlayTemplates(fs, directory, label),
  };
  return problems.length > 0 ? { problems, overlay } : overlay;
}

function readSettings(fs: ReadFileSystem, directory: BytePath, label: string) {
  const file = `${label}/${SETTINGS_FILE}`;
  const path = `${directory}/${SETTINGS_FILE}`;
  if (fs.lstat(path) === undefined) return defaultOverlaySettings(file);
  return decodeOverlaySettings(
    readText(fs, 'overlay settings', Buffer.from(path, 'latin1').toString('utf8')),
    file,
  );
}

function readSources(fs: ReadFileSystem, directory: BytePath, label: string): OverlaySource[] {
  const sources: OverlaySource[] = [];
  const pending: BytePath[] = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const below: BytePath[] = [];
    for (const name of fs.readdir(`${directory}${at}/.`)) {
      const source = `${at}/${name}`;
      if (NOT_COPIED.has(source) || name === GIT_KEEPER) continue;
      const stat = fs.lstat(`${directory}${source}`);
      if (stat === undefined) throw vanished(label, source);
      const template = stat.kind === 'file' && name.endsWith(TEMPLATE_SUFFIX) && name !== TEMPLATE_SUFFIX;
      sources.push({
        path: template ? source.slice(0, -TEMPLATE_SUFFIX.length) : source,
        source,
        stat,
        template,
      });
      if (stat.kind === 'directory') below.push(source);
    }
    pending.push(...below.reverse());
  }
  return sources;
}

function doubles(sources: readonly OverlaySource[], label: string): Problem[] {
  const seen = new Set<BytePath>();
  return sources.flatMap(({ path, source }) => {
    if (!seen.has(path)) {
      seen.add(path);
      return [];
    }
    return [
      {
        position: { file: `${label}${displayPath(source)}`, line: 1, column: 1 },
        message: `"${displayPath(path)}" is there twice, as a file and as a template`,
        rule: 'file-and-template',
      },
    ];
  });
}

function vanished(label: string, source: BytePath): MkrootError {
  return new MkrootError(
    `Cannot read the overlay file "${label}${displayPath(source)}": it vanished meanwhile`,
    {
      exitCode: ExitCode.Io,
      hint: 'Somebody is changing the overlay; run it again.',
    },
  );
}
