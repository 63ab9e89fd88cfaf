import { damagedElf, type ElfBytes, ElfNumbers } from './elf-bytes.js';
import type { DynamicSection } from './elf-dynamic.js';
import type { ElfHeader } from './elf-header.js';

/** libLLVM, among the largest libraries there are, has some 50,000. */
const MAX_SYMBOLS = 1_000_000;

/**
 * Which of `names` the file imports: undefined symbols of its dynamic symbol table, in byte order.
 * @throws MkrootError if the tables are damaged.
 */
export function importedSymbols(
  bytes: ElfBytes,
  header: ElfHeader,
  dynamic: DynamicSection,
  names: Iterable<string>,
): string[] {
  const wanted = nameOffsets(dynamic.strings, names);
  if (wanted.size === 0 || dynamic.symbolTable === undefined) return [];
  const size = header.elfClass === 64 ? 24 : 16;
  const count = importCount(bytes, header, dynamic, size);
  if (count > MAX_SYMBOLS) throw damagedElf(bytes.name, `it claims ${count} dynamic symbols`);
  const sectionField = header.elfClass === 64 ? 6 : 14;
  const symbols = new ElfNumbers(
    bytes.range(dynamic.symbolTable, count * size, 'dynamic symbol table'),
    header.elfClass,
    header.byteOrder,
  );
  const found = new Set<string>();
  for (let at = 0; at + size <= symbols.length; at += size) {
    const name = wanted.get(symbols.word(at));
    if (name !== undefined && symbols.half(at + sectionField) === 0) found.add(name);
  }
  return [...found].sort();
}

/** Offsets in the string table at which a wanted name stands; linkers let names share their tails. */
function nameOffsets(strings: Uint8Array, names: Iterable<string>): Map<number, string> {
  const table = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength);
  const offsets = new Map<number, string>();
  for (const name of names) {
    const terminated = Buffer.from(`${name}\0`, 'latin1');
    for (let at = table.indexOf(terminated); at >= 0; at = table.indexOf(terminated, at + 1))
      offsets.set(at, name);
  }
  return offsets;
}

/**
 * How many symbols have to be looked at. No header tells the table's length. A GNU hash table says where the defined symbols
 * start, and imports come before them; the linker writes 1 there if nothing is defined. Then, as for a file with neither
 * table, the table that follows in the file bounds it. That is the string table, unless patchelf has moved it.
 */
function importCount(bytes: ElfBytes, header: ElfHeader, dynamic: DynamicSection, size: number): number {
  const secondWord = (offset: number) =>
    new ElfNumbers(bytes.range(offset, 8, 'symbol hash table'), header.elfClass, header.byteOrder).word(4);
  if (dynamic.sysvHash !== undefined) return secondWord(dynamic.sysvHash);
  const firstDefined = dynamic.gnuHash === undefined ? 0 : secondWord(dynamic.gnuHash);
  if (firstDefined > 1) return firstDefined;
  const { symbolTable: start = 0, symbolTableEnd: end = start } = dynamic;
  return Math.floor((end - start) / size);
}
