import type { BytePath } from '../ports/byte-path.js';
import { literalPrefix, matchesWildcard } from '../rootfs/wildcard.js';
import { normalizeAlias, normalizeName } from './module-name.js';
import { badLine, textLines } from './text-lines.js';

/** One `alias` of a module: a pattern that the kernel's requests are matched with. */
export interface ModuleAlias {
  readonly pattern: string;
  readonly module: string;
}

/** The `alias PATTERN MODULE` lines of modules.alias, one after another, nothing kept. */
export function* parseAliases(path: BytePath, text: string): Generator<ModuleAlias> {
  for (const line of textLines(path, text)) {
    // DMI patterns may hold blanks, a module's name may not.
    const split = line.text.lastIndexOf(' ');
    if (!line.text.startsWith('alias ') || split <= 'alias '.length) {
      throw badLine(path, text, line.start, 'it is not of the form "alias PATTERN MODULE"');
    }
    yield {
      pattern: line.text.slice('alias '.length, split),
      module: normalizeName(line.text.slice(split + 1)),
    };
  }
}

/** Modules that have an alias matching the name, in the table's order, each once; as kmod looks them up. */
export function lookUpAlias(aliases: Iterable<ModuleAlias>, name: string): string[] {
  const wanted = normalizeAlias(name);
  const found = new Set<string>();
  for (const { pattern, module } of aliases) {
    if (pattern[0] !== name[0] && pattern[0] !== '*' && pattern[0] !== '?' && pattern[0] !== '[') continue;
    const normal = normalizeAlias(pattern);
    if (wanted.startsWith(literalPrefix(normal)) && matchesWildcard(normal, wanted)) found.add(module);
  }
  return [...found];
}
