import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import { isWildcard, matchesFileName } from '../rootfs/wildcard.js';

const CONFIGURATION = '/etc/ld.so.conf';
/** More files than this is an include that runs wild. */
const MAX_FILES = 1000;
const MAX_DIRECTORIES = 1000;
/** Bytes; a real one has some hundred. */
const MAX_FILE_SIZE = 1024 * 1024;

/**
 * The directories that the root's /etc/ld.so.conf names, in order, each once: what ldconfig(8) would put into its cache
 * before the default directories. Empty if there is no such file.
 * @throws MkrootError if the files include each other without end.
 */
export function ldSoConfDirectories(sysroot: Sysroot): BytePath[] {
  const directories = new Set<BytePath>();
  const seen = new Set<BytePath>();
  const visit = (path: BytePath): void => {
    const resolved = sysroot.resolve(path);
    if (resolved?.stat.kind !== 'file' || seen.has(resolved.path)) return;
    seen.add(resolved.path);
    if (seen.size > MAX_FILES || resolved.stat.size > MAX_FILE_SIZE || directories.size > MAX_DIRECTORIES)
      throw new MkrootError(
        `Cannot read "${displayPath(path)}": it, or what it includes, is too large for a linker configuration`,
        { hint: 'Look at the include lines of /etc/ld.so.conf in the root.' },
      );
    const text = Buffer.from(sysroot.fs.readFile(resolved.hostPath)).toString('latin1');
    for (const line of parseLdSoConf(text)) {
      if (line.kind === 'directory') directories.add(line.path);
      else for (const included of expandInclude(sysroot, path, line.pattern)) visit(included);
    }
  };
  visit(CONFIGURATION);
  return [...directories];
}

/** One line of ld.so.conf that means something. */
export type LdSoConfLine =
  | { readonly kind: 'directory'; readonly path: BytePath }
  | { readonly kind: 'include'; readonly pattern: BytePath };

/**
 * The lines of an ld.so.conf as ldconfig reads them: `#` starts a comment anywhere, leading blanks do not count, `include`
 * takes several patterns between blanks or tabs, `hwcap` is ignored, a directory may carry an old `=TYPE` and trailing
 * slashes. A relative directory is dropped, as ldconfig does.
 */
export function parseLdSoConf(text: string): LdSoConfLine[] {
  return text.split('\n').flatMap((raw): LdSoConfLine[] => {
    const line = raw.replace(/#.*$/s, '').replace(/^[ \t\n\v\f\r]+/, '');
    if (/^include[ \t]/.test(line)) {
      const patterns = line
        .slice('include'.length)
        .split(/[ \t]+/)
        .map((pattern) => pattern.replace(/\r$/, ''));
      return patterns.filter((pattern) => pattern !== '').map((pattern) => ({ kind: 'include', pattern }));
    }
    if (/^hwcap[ \t]/i.test(line)) return [];
    const path = trimEnd(line.replace(/=[^=/]*$/, ''));
    return path.startsWith('/') ? [{ kind: 'directory', path }] : [];
  });
}

/** Without blanks, then slashes, at the end; a loop, because a regular expression would need quadratic time. */
function trimEnd(path: BytePath): BytePath {
  let end = path.length;
  while (end > 0 && ' \t\r\v\f'.includes(path[end - 1]!)) end -= 1;
  while (end > 1 && path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

/** Files that an include pattern matches, in byte order as glob(3) gives them. */
function expandInclude(sysroot: Sysroot, from: BytePath, pattern: BytePath): BytePath[] {
  const absolute = pattern.startsWith('/') ? pattern : `${from.slice(0, from.lastIndexOf('/'))}/${pattern}`;
  let found: BytePath[] = [''];
  for (const component of absolute.split('/').filter((part) => part !== '')) {
    found = isWildcard(component)
      ? found.flatMap((directory) =>
          sysroot
            .list(directory === '' ? '/' : directory)
            .filter((name) => matchesFileName(component, name))
            .map((name) => `${directory}/${name}`),
        )
      : found.map((directory) => `${directory}/${component}`);
    if (found.length > MAX_FILES) return found.slice(0, MAX_FILES + 1);
  }
  return found;
}
