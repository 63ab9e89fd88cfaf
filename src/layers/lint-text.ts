import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { AccountIds } from '../rootfs/account-ids.js';
import { parseShebang } from '../rootfs/shebang.js';
import { followLinks } from './follow-links.js';
import type { LayerFile } from './layer-entry.js';
import type { LayerTree } from './layer-tree.js';
import type { LayerView } from './layer-view.js';
import type { Report } from './lint-place.js';

/** What the text of a file is held against. */
export interface TextContext {
  readonly tree: LayerTree;
  /** The layer over what lies below it. */
  readonly merged: LayerView;
  /** Whether the image is known. */
  readonly image: boolean;
  readonly accounts: AccountIds;
}

/** Where services and login shells look for programs. */
const SEARCH_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Words that only a template of mkroot has. */
const TEMPLATE_WORDS =
  /\{\{-?\s*(node|cluster|group|variables)\.|\{%-?\s*for\s+\w+\s+in\s+(nodes|groups|cluster\.)/;

/** Files of which some rule reads the text wherever it comes from. */
const READ_BY_PATH: ReadonlySet<BytePath> = new Set([
  '/etc/fstab',
  '/etc/hosts',
  '/etc/passwd',
  '/etc/group',
]);

/** How many names a message lists. */
const FEW = 5;

/** What is wrong with what a file says. */
export function lintText(entry: LayerFile, bytes: Uint8Array, context: TextContext, report: Report): void {
  const { path } = entry;
  lintScript(entry, bytes, context, report);
  if (path === '/etc/ld.so.conf' || /^\/etc\/ld\.so\.conf\.d\/[^/]+\.conf$/.test(path)) {
    if (context.tree.get('/etc/ld.so.cache') === undefined) {
      report('stale-ld-cache', 'ld.so.cache is that of the image, and nothing makes another one at boot');
    }
  }
  const isCopied = 'source' in entry.content;
  // Of what mkroot has put together nothing else is asked.
  if (!isCopied && !READ_BY_PATH.has(path)) return;
  const text = Buffer.from(bytes).toString('latin1');
  if (isCopied) {
    const at = TEMPLATE_WORDS.exec(text)?.index;
    if (at !== undefined) report('forgotten-suffix', 'it is copied as it is', lineOf(text, at));
  }
  if (path === '/etc/fstab') {
    const at = /^[ \t]*[^#\s]\S*[ \t]+\/[ \t]/m.exec(text)?.index;
    if (at !== undefined) {
      report('fstab-root', '/init drops it: the root is mounted already', lineOf(text, at));
    }
  }
  if (path === '/etc/hosts' && !/^[ \t]*127\.0\.0\.1[ \t]+([^\n#]*[ \t])?localhost([ \t#]|$)/m.test(text)) {
    report('hosts-without-localhost', 'no line says 127.0.0.1 localhost');
  }
  if (context.image) lintAccounts(path, text, context.accounts, report);
}

function lintScript(
  { mode }: LayerFile,
  bytes: Uint8Array,
  { merged, image }: TextContext,
  report: Report,
): void {
  const shebang = parseShebang(bytes);
  if (shebang === undefined) return;
  const end = bytes.indexOf(10);
  if (end > 0 && bytes[end - 1] === 13) {
    report('crlf-script', `the kernel looks for "${displayPath(shebang.interpreter)}"`, 1);
    return;
  }
  if (!image || (mode & 0o111) === 0) return;
  const { interpreter, program } = shebang;
  const isThere = (path: BytePath) => followLinks(merged, path) !== undefined;
  if (interpreter.startsWith('/') && !isThere(interpreter)) {
    report('missing-interpreter', `there is no ${displayPath(interpreter)}`, 1);
  } else if (program !== undefined) {
    const places = program.startsWith('/') ? [program] : SEARCH_PATH.map((place) => `${place}/${program}`);
    if (!places.some(isThere)) report('missing-interpreter', `there is no ${displayPath(program)}`, 1);
  }
}

/** Programs of the image run as users that only its own files know. */
function lintAccounts(path: BytePath, text: string, accounts: AccountIds, report: Report): void {
  if (path !== '/etc/passwd' && path !== '/etc/group') return;
  const there = new Set(text.split('\n').map((line) => line.slice(0, Math.max(0, line.indexOf(':')))));
  const known = path === '/etc/passwd' ? accounts.users : accounts.groups;
  const lost = [...known.keys()].filter((name) => !there.has(name));
  if (lost.length === 0) return;
  const more = lost.length > FEW ? ` and ${lost.length - FEW} more` : '';
  report('accounts-lost', `it lacks ${lost.slice(0, FEW).join(', ')}${more}`);
}

/** Counted from 1. */
function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
