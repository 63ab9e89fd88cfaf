import { type ByteSource, integerReader, readElfSections, sectionNamed, stringAt } from './elf-sections.js';

/**
 * Names of the symbols that a module needs from elsewhere: undefined entries of `.symtab` (elf(5)). With those of
 * {@link exportedSymbols} they give the dependencies of a module that has no `depends=`, as depmod(8) computes them.
 */
export function undefinedSymbols(source: ByteSource): string[] {
  const elf = readElfSections(source);
  const table = sectionNamed(source, elf, '.symtab');
  const strings = sectionNamed(source, elf, '.strtab');
  if (table === undefined || strings === undefined) return [];
  const names = Buffer.from(strings);
  const number = integerReader(table, elf.littleEndian);
  const [entry, sectionAt] = elf.is64 ? [24, 6] : [16, 14];
  const found = new Set<string>();
  for (let at = entry; at + entry <= table.length; at += entry) {
    if (number(at + sectionAt, 2) !== 0) continue; // SHN_UNDEF is 0
    // sparc and ppc64 put a '.' before function descriptors' names; exports lack it.
    const name = stringAt(names, number(at, 4)).replace(/^\./, '');
    if (name !== '') found.add(name);
  }
  return [...found];
}

/** Names of the symbols that a module offers to others: its `__ksymtab_strings`. */
export function exportedSymbols(source: ByteSource): string[] {
  const section = sectionNamed(source, readElfSections(source), '__ksymtab_strings');
  return section === undefined
    ? []
    : Buffer.from(section)
        .toString('latin1')
        .split('\0')
        .filter((name) => name !== '');
}
