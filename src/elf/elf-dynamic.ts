import type { BytePath } from '../ports/byte-path.js';
import { damagedElf, type ElfBytes, ElfNumbers, stringAt } from './elf-bytes.js';
import { type ElfHeader, type ProgramHeader, ProgramHeaderType } from './elf-header.js';

/** The part of the dynamic section that decides what is loaded and from where (elf(5), ld.so(8)). */
export interface DynamicSection {
  /** DT_NEEDED, in the file's order. */
  readonly needed: readonly BytePath[];
  /** DT_SONAME. */
  readonly soname?: BytePath;
  /** DT_RPATH as it stands, colons and tokens included. */
  readonly rpath?: BytePath;
  /** DT_RUNPATH as it stands. */
  readonly runpath?: BytePath;
  /** DT_FLAGS. */
  readonly flags: number;
  /** DT_FLAGS_1. */
  readonly flags1: number;
  /** Symbol and version names (DT_STRTAB). */
  readonly strings: Uint8Array;
  /** File offsets of the symbol table and of its hash tables, where the file has them. */
  readonly symbolTable?: number;
  /** Where the next table begins, or the segment ends: the symbol table does not reach beyond. */
  readonly symbolTableEnd?: number;
  readonly gnuHash?: number;
  readonly sysvHash?: number;
}

/** Bits of DT_FLAGS_1. */
export const DynamicFlag1 = { NoDefaultLibraries: 0x800, Pie: 0x0800_0000 } as const;

const Tag = {
  Null: 0,
  Needed: 1,
  Hash: 4,
  StringTable: 5,
  SymbolTable: 6,
  StringTableSize: 10,
  Soname: 14,
  Rpath: 15,
  Runpath: 29,
  Flags: 30,
  GnuHash: 0x6ffffef5,
  Flags1: 0x6ffffffb,
} as const;

/** Tags whose values are addresses of tables, of which one may follow the symbol table (elf.h). */
const TABLES: readonly number[] = [
  ...[3, Tag.Hash, Tag.StringTable, 7, 12, 13, 17, 23, 25, 26, 32], // PLTGOT, RELA, INIT, FINI, REL, JMPREL, INIT_, FINI_, PREINIT_ARRAY
  ...[Tag.GnuHash, 0x6ffffff0, 0x6ffffffc, 0x6ffffffe], // VERSYM, VERDEF, VERNEED
];

/** A dynamic section of a megabyte would name some 65,000 libraries. */
const MAX_DYNAMIC_SIZE = 1024 * 1024;

/**
 * Reads the dynamic section by way of the program headers: PT_DYNAMIC's address, mapped through PT_LOAD as a loader does
 * it, so that a file without a section table reads like any other. Undefined if the file has none (a static program).
 * @throws MkrootError that names the file and what is wrong with it.
 */
export function readDynamicSection(bytes: ElfBytes, header: ElfHeader): DynamicSection | undefined {
  const segment = header.programHeaders.find(({ type }) => type === ProgramHeaderType.Dynamic);
  if (segment === undefined) return undefined;
  const { needed, firstOf } = readEntries(bytes, header, segment);
  const first = (tag: number) => firstOf.get(tag);
  const strings = readStrings(bytes, header, first(Tag.StringTable), first(Tag.StringTableSize));
  const text = (offset: number, what: string): BytePath => {
    const found = stringAt(strings, offset);
    if (found === undefined) throw damagedElf(bytes.name, `its ${what} points outside the string table`);
    return found;
  };
  const optionalText = (tag: number, what: string) => {
    const offset = first(tag);
    return offset === undefined ? undefined : text(offset, what);
  };
  const optionalOffset = (tag: number) => {
    const address = first(tag);
    return address === undefined ? undefined : fileOffset(header, address);
  };
  const symbols = first(Tag.SymbolTable);
  return {
    needed: needed.map((offset) => text(offset, 'DT_NEEDED')),
    flags: first(Tag.Flags) ?? 0,
    flags1: first(Tag.Flags1) ?? 0,
    strings,
    ...defined({
      soname: optionalText(Tag.Soname, 'DT_SONAME'),
      rpath: optionalText(Tag.Rpath, 'DT_RPATH'),
      runpath: optionalText(Tag.Runpath, 'DT_RUNPATH'),
    }),
    ...defined({
      symbolTable: optionalOffset(Tag.SymbolTable),
      symbolTableEnd: symbols === undefined ? undefined : endOfTable(header, symbols, TABLES.map(first)),
      gnuHash: optionalOffset(Tag.GnuHash),
      sysvHash: optionalOffset(Tag.Hash),
    }),
  };
}

interface DynamicEntries {
  /** String offsets of every DT_NEEDED. */
  readonly needed: readonly number[];
  /** First value of every tag. */
  readonly firstOf: ReadonlyMap<number, number>;
}

function readEntries(bytes: ElfBytes, header: ElfHeader, segment: ProgramHeader): DynamicEntries {
  const { elfClass, byteOrder } = header;
  const offset = fileOffset(header, segment.virtualAddress);
  if (offset === undefined)
    throw damagedElf(bytes.name, 'its dynamic section (PT_DYNAMIC) is in no loaded segment (PT_LOAD)');
  if (segment.fileSize > MAX_DYNAMIC_SIZE)
    throw damagedElf(bytes.name, `its dynamic section claims to have ${segment.fileSize} bytes`);
  const numbers = new ElfNumbers(
    bytes.range(offset, segment.fileSize, 'dynamic section'),
    elfClass,
    byteOrder,
  );
  const size = elfClass / 4;
  const needed: number[] = [];
  const firstOf = new Map<number, number>();
  for (let at = 0; at + size <= numbers.length; at += size) {
    const tag = numbers.address(at);
    if (tag === Tag.Null) return { needed, firstOf };
    const value = numbers.address(at + size / 2);
    if (tag === Tag.Needed) needed.push(value);
    if (!firstOf.has(tag)) firstOf.set(tag, value);
  }
  throw damagedElf(bytes.name, 'its dynamic section has no end (DT_NULL)');
}

function readStrings(
  bytes: ElfBytes,
  header: ElfHeader,
  address: number | undefined,
  size: number | undefined,
): Uint8Array {
  if (address === undefined || size === undefined)
    throw damagedElf(bytes.name, 'its dynamic section names no string table (DT_STRTAB, DT_STRSZ)');
  const offset = fileOffset(header, address);
  if (offset === undefined)
    throw damagedElf(bytes.name, 'its string table is in no loaded segment (PT_LOAD)');
  return bytes.range(offset, size, 'string table');
}

/** File offset at which a table ends at the latest: where one of `others` begins, or its segment ends. */
function endOfTable(
  header: ElfHeader,
  address: number,
  others: readonly (number | undefined)[],
): number | undefined {
  const segment = loadedSegment(header, address);
  if (segment === undefined) return undefined;
  const { virtualAddress, fileSize, offset } = segment;
  const following = others.filter((other) => other !== undefined && other > address) as number[];
  return Math.min(virtualAddress + fileSize, ...following) - virtualAddress + offset;
}

/** Where the byte at a virtual address lies in the file; undefined if no PT_LOAD brings it from there. */
function fileOffset(header: ElfHeader, address: number): number | undefined {
  const segment = loadedSegment(header, address);
  return segment === undefined ? undefined : address - segment.virtualAddress + segment.offset;
}

function loadedSegment(header: ElfHeader, address: number): ProgramHeader | undefined {
  return header.programHeaders.find(
    ({ type, virtualAddress, fileSize }) =>
      type === ProgramHeaderType.Load && address >= virtualAddress && address < virtualAddress + fileSize,
  );
}

function defined<T extends Record<string, unknown>>(
  properties: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
