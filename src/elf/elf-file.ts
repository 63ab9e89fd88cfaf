import type { BytePath } from '../ports/byte-path.js';
import { type DlopenRequest, dlopenRequests } from './dlopen-notes.js';
import { damagedElf, ElfBytes, type ElfLocation, stringAt } from './elf-bytes.js';
import { DynamicFlag1, type DynamicSection, readDynamicSection } from './elf-dynamic.js';
import { type ElfHeader, ProgramHeaderType, readElfHeader } from './elf-header.js';
import { readElfNotes } from './elf-notes.js';
import { importedSymbols } from './elf-symbols.js';

/** Linux refuses a longer interpreter path (PATH_MAX). */
const MAX_INTERPRETER = 4096;

/** How a file is started. */
export type Linkage =
  /** Asks for a dynamic loader (PT_INTERP). */
  | 'dynamic'
  /** Has no loader and needs none. */
  | 'static'
  /** Has no loader, relocates itself (DF_1_PIE). */
  | 'static-pie'
  /** Loaded by others. */
  | 'library';

/** An ELF file as a loader sees it: program headers, dynamic section, notes. Section headers are never looked at. */
export class ElfFile {
  readonly header: ElfHeader;
  readonly #bytes: ElfBytes;
  #interpreter: BytePath | undefined | null = null;
  #dynamic: DynamicSection | undefined | null = null;

  /**
   * Reads the header and the program headers; the rest is read when it is asked for.
   * @throws MkrootError, here and from every member, that names the file and what is wrong with it.
   */
  constructor(location: ElfLocation) {
    this.#bytes = new ElfBytes(location);
    this.header = readElfHeader(this.#bytes);
  }

  /** The dynamic loader that the file asks for (PT_INTERP). */
  get interpreter(): BytePath | undefined {
    if (this.#interpreter === null) this.#interpreter = readInterpreter(this.#bytes, this.header);
    return this.#interpreter;
  }

  /** What the file wants to be loaded with it (PT_DYNAMIC). klibc's programs have a loader and no such section. */
  get dynamic(): DynamicSection | undefined {
    if (this.#dynamic === null) this.#dynamic = readDynamicSection(this.#bytes, this.header);
    return this.#dynamic;
  }

  get linkage(): Linkage {
    if (this.interpreter !== undefined) return 'dynamic';
    if (this.header.type !== 'shared') return 'static';
    const pie = ((this.dynamic?.flags1 ?? 0) & DynamicFlag1.Pie) !== 0;
    return pie ? 'static-pie' : 'library';
  }

  /** Libraries that the program may open at run time (`.note.dlopen`). */
  dlopenRequests(): DlopenRequest[] {
    return dlopenRequests(readElfNotes(this.#bytes, this.header), this.#bytes.name);
  }

  /** Which of `names` the file takes from other objects, in byte order. */
  imports(names: Iterable<string>): string[] {
    return this.dynamic === undefined ? [] : importedSymbols(this.#bytes, this.header, this.dynamic, names);
  }

  /** True if `name` is in the dynamic string table: a symbol, a version such as GLIBC_2.34, a library. */
  mentions(name: string): boolean {
    const strings = this.dynamic?.strings;
    if (strings === undefined) return false;
    const table = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength);
    return table.includes(`\0${name}\0`, 0, 'latin1');
  }
}

function readInterpreter(bytes: ElfBytes, header: ElfHeader): BytePath | undefined {
  const segment = header.programHeaders.find(({ type }) => type === ProgramHeaderType.Interpreter);
  if (segment === undefined) return undefined;
  if (segment.fileSize > MAX_INTERPRETER)
    throw damagedElf(bytes.name, `the name of its dynamic loader claims to have ${segment.fileSize} bytes`);
  const path = stringAt(bytes.range(segment.offset, segment.fileSize, 'interpreter name'), 0);
  if (path === undefined || path === '')
    throw damagedElf(bytes.name, 'the name of its dynamic loader (PT_INTERP) has no end or is empty');
  return path;
}
