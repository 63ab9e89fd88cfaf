import { damagedElf, type ElfBytes, ElfNumbers } from './elf-bytes.js';
import type { ByteOrder, ElfClass, MachineIdentity } from './machine.js';

/** What kind of object an ELF file is (e_type). */
export type ElfType = 'none' | 'relocatable' | 'executable' | 'shared' | 'core' | 'other';

/** One program header; offsets and sizes in bytes. Sections play no part: a loader never looks at them. */
export interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly virtualAddress: number;
  readonly fileSize: number;
  readonly alignment: number;
}

/** The ELF header and the program headers, as elf(5) describes them. */
export interface ElfHeader extends MachineIdentity {
  readonly type: ElfType;
  readonly programHeaders: readonly ProgramHeader[];
}

/** Types of program headers (elf(5), p_type). */
export const ProgramHeaderType = { Load: 1, Dynamic: 2, Interpreter: 3, Note: 4 } as const;

const TYPES: readonly ElfType[] = ['none', 'relocatable', 'executable', 'shared', 'core'];
/** A loader's own limit: glibc refuses more than fit a page or two; real files have about a dozen. */
const MAX_PROGRAM_HEADERS = 1024;

/** True if the bytes start as an ELF file does. */
export function hasElfMagic(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/**
 * Reads the ELF header and the program headers.
 * @throws MkrootError that names the file and what is wrong with it.
 */
export function readElfHeader(bytes: ElfBytes): ElfHeader {
  const ident = bytes.head;
  if (!hasElfMagic(ident)) throw damagedElf(bytes.name, 'it does not start with the ELF magic number');
  const elfClass = elfClassOf(bytes);
  const byteOrder = byteOrderOf(bytes);
  const headerSize = elfClass === 64 ? 64 : 52;
  const header = new ElfNumbers(bytes.range(0, headerSize, 'ELF header'), elfClass, byteOrder);
  if (ident[6] !== 1 || header.word(20) !== 1) throw damagedElf(bytes.name, 'its ELF version is not 1');
  const at =
    elfClass === 64 ? { phoff: 32, flags: 48, phentsize: 54 } : { phoff: 28, flags: 36, phentsize: 42 };
  return {
    elfClass,
    byteOrder,
    eMachine: header.half(18),
    flags: header.word(at.flags),
    type: TYPES[header.half(16)] ?? 'other',
    programHeaders: readProgramHeaders(bytes, {
      elfClass,
      byteOrder,
      offset: header.address(at.phoff),
      entrySize: header.half(at.phentsize),
      count: header.half(at.phentsize + 2),
    }),
  };
}

interface ProgramHeaderTable {
  readonly elfClass: ElfClass;
  readonly byteOrder: ByteOrder;
  readonly offset: number;
  readonly entrySize: number;
  readonly count: number;
}

function readProgramHeaders(bytes: ElfBytes, table: ProgramHeaderTable): ProgramHeader[] {
  const { elfClass, byteOrder, offset, entrySize, count } = table;
  if (count === 0) return [];
  const expected = elfClass === 64 ? 56 : 32;
  if (entrySize !== expected) {
    throw damagedElf(bytes.name, `its program headers have ${entrySize} bytes each, not ${expected}`);
  }
  if (count > MAX_PROGRAM_HEADERS) throw damagedElf(bytes.name, `it claims ${count} program headers`);
  const numbers = new ElfNumbers(
    bytes.range(offset, count * entrySize, 'program header table'),
    elfClass,
    byteOrder,
  );
  // Elf64_Phdr has p_flags second, Elf32_Phdr last but one.
  const field =
    elfClass === 64
      ? { offset: 8, vaddr: 16, filesz: 32, align: 48 }
      : { offset: 4, vaddr: 8, filesz: 16, align: 28 };
  return Array.from({ length: count }, (_, index) => {
    const start = index * entrySize;
    return {
      type: numbers.word(start),
      offset: numbers.address(start + field.offset),
      virtualAddress: numbers.address(start + field.vaddr),
      fileSize: numbers.address(start + field.filesz),
      alignment: numbers.address(start + field.align),
    };
  });
}

function elfClassOf(bytes: ElfBytes): ElfClass {
  const value = bytes.head[4];
  if (value === 1) return 32;
  if (value === 2) return 64;
  throw damagedElf(bytes.name, `its class is ${value ?? 'missing'}, neither 1 (32-bit) nor 2 (64-bit)`);
}

function byteOrderOf(bytes: ElfBytes): ByteOrder {
  const value = bytes.head[5];
  if (value === 1) return 'little';
  if (value === 2) return 'big';
  throw damagedElf(bytes.name, `its byte order is ${value ?? 'missing'}, neither 1 (little) nor 2 (big)`);
}
