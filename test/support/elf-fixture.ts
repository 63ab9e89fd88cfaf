import { machineByArchitecture } from '../../src/elf/machine.js';

/** What a tiny ELF file shall say. */
export interface ElfFixture {
  /** Debian architecture; default amd64. */
  readonly architecture?: string;
  /** e_type: 2 executable, 3 shared (default), 1 relocatable. */
  readonly type?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly soname?: string;
  readonly rpath?: string;
  readonly runpath?: string;
  readonly flags1?: number;
  /** Undefined symbols of the dynamic symbol table. */
  readonly imports?: readonly string[];
  /** Defined symbols. */
  readonly exports?: readonly string[];
  /** How the symbols are indexed; default `gnu`. `none` leaves the reader to the distance of the tables. */
  readonly hash?: 'gnu' | 'sysv' | 'none';
  readonly notes?: readonly { readonly owner: string; readonly type: number; readonly text: string }[];
  /** No PT_DYNAMIC: a static program. */
  readonly static?: boolean;
  /** So many bytes lie between the symbols and their names, as patchelf leaves them; table of versions first. */
  readonly distance?: number;
  /** Bytes that follow everything else. */
  readonly trailer?: Uint8Array;
}

const BASE = 0x40_0000;
/** Data lies elsewhere in memory than in the file, as linkers do it, so that only a look at PT_LOAD finds it. */
const DATA_SHIFT = 0x1000;

/** The bytes of a valid ELF file with program headers and without any section table. */
export function buildElf(fixture: ElfFixture = {}): Uint8Array {
  const machine = machineByArchitecture(fixture.architecture ?? 'amd64');
  if (machine === undefined) throw new Error(`no such machine: ${fixture.architecture}`);
  const is64 = machine.elfClass === 64;
  const out = new Writer(is64, machine.byteOrder === 'little');
  const hasDynamic = fixture.static !== true;
  const notes = fixture.notes ?? [];
  const count =
    2 + (hasDynamic ? 1 : 0) + (fixture.interpreter === undefined ? 0 : 1) + (notes.length > 0 ? 1 : 0);
  const headerSize = is64 ? 64 : 52;
  const headers: { type: number; offset: number; address: number; size: number }[] = [];

  out.skip(headerSize + count * (is64 ? 56 : 32));
  if (fixture.interpreter !== undefined) {
    const offset = out.bytes(cString(fixture.interpreter));
    headers.push({ type: 3, offset, address: BASE + offset, size: out.length - offset });
  }
  if (notes.length > 0) {
    out.align(4);
    const offset = out.length;
    for (const { owner, type, text } of notes) {
      const [name, description] = [cString(owner), cString(text)];
      out.word(name.length).word(description.length).word(type);
      out.bytes(name);
      out.align(4);
      out.bytes(description);
      out.align(4);
    }
    headers.push({ type: 4, offset, address: BASE + offset, size: out.length - offset });
  }
  const strings = new StringTable();
  const entries: [number, number][] = [];
  for (const name of fixture.needed ?? []) entries.push([1, strings.add(name)]);
  if (fixture.soname !== undefined) entries.push([14, strings.add(fixture.soname)]);
  if (fixture.rpath !== undefined) entries.push([15, strings.add(fixture.rpath)]);
  if (fixture.runpath !== undefined) entries.push([29, strings.add(fixture.runpath)]);
  if (fixture.flags1 !== undefined) entries.push([0x6ffffffb, fixture.flags1]);

  const symbols = [
    ...(fixture.imports ?? []).map((name) => ({ name, section: 0 })),
    ...(fixture.exports ?? []).map((name) => ({ name, section: 1 })),
  ];
  out.align(8);
  const hashOffset = out.length;
  const firstDefined = (fixture.exports ?? []).length > 0 ? 1 + (fixture.imports ?? []).length : 1;
  if (fixture.hash === 'sysv')
    out
      .word(1)
      .word(symbols.length + 1)
      .word(0)
      .word(0);
  else if (fixture.hash !== 'none') out.word(1).word(firstDefined).word(1).word(0);
  out.align(8);
  const symbolTable = out.length;
  for (const { name, section } of [{ name: '', section: 0 }, ...symbols]) {
    const offset = name === '' ? 0 : strings.add(name);
    if (is64) out.word(offset).half(0x12).half(section).address(0).address(0);
    else out.word(offset).word(0).word(0).half(0x12).half(section);
  }
  if (fixture.distance !== undefined) {
    entries.push([0x6ffffff0, BASE + out.length]);
    out.skip(fixture.distance);
  }
  const stringTable = out.bytes(strings.data());
  out.align(8);
  const dynamic = out.length;
  if (hasDynamic) {
    if (fixture.hash === 'sysv') entries.push([4, BASE + hashOffset]);
    else if (fixture.hash !== 'none') entries.push([0x6ffffef5, BASE + hashOffset]);
    entries.push([5, BASE + stringTable], [6, BASE + symbolTable], [10, strings.data().length], [0, 0]);
    for (const [tag, value] of entries) out.address(tag).address(value);
    const size = out.length - dynamic;
    headers.push({ type: 2, offset: dynamic, address: BASE + DATA_SHIFT + dynamic, size });
  }
  headers.push({ type: 1, offset: 0, address: BASE, size: dynamic });
  headers.push({
    type: 1,
    offset: dynamic,
    address: BASE + DATA_SHIFT + dynamic,
    size: out.length - dynamic,
  });
  if (fixture.trailer !== undefined) out.bytes(fixture.trailer);

  out.seek(0);
  out.bytes(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, machine.byteOrder === 'little' ? 1 : 2, 1));
  out.seek(16);
  out
    .half(fixture.type ?? 3)
    .half(machine.eMachine)
    .word(1)
    .address(0)
    .address(headerSize)
    .address(0);
  out
    .word(machine.flags?.value ?? 0)
    .half(headerSize)
    .half(is64 ? 56 : 32)
    .half(count);
  out.seek(headerSize);
  for (const { type, offset, address, size } of headers) {
    if (is64)
      out
        .word(type)
        .word(4)
        .address(offset)
        .address(address)
        .address(address)
        .address(size)
        .address(size)
        .address(type === 4 ? 4 : 8);
    else out.word(type).word(offset).word(address).word(address).word(size).word(size).word(4).word(4);
  }
  return out.result();
}

/** A program of glibc. */
export function buildProgram(fixture: ElfFixture = {}): Uint8Array {
  const loader = machineByArchitecture(fixture.architecture ?? 'amd64')?.glibcLoader ?? '';
  return buildElf({ interpreter: loader, needed: ['libc.so.6'], ...fixture });
}

/** A loader of glibc that looks into these directories by default. */
export function buildGlibcLoader(directories: readonly string[], architecture = 'amd64'): Uint8Array {
  const trailer = Buffer.from(
    `\0\0${directories.map((directory) => `${directory}/\0`).join('')}\0\0`,
    'latin1',
  );
  return buildElf({ architecture, trailer });
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf8');
}

class StringTable {
  #text = '\0';

  add(name: string): number {
    const at = this.#text.length;
    this.#text += `${name}\0`;
    return at;
  }

  data(): Uint8Array {
    return Buffer.from(this.#text, 'latin1');
  }
}

class Writer {
  #buffer = Buffer.alloc(4096);
  #at = 0;
  length = 0;

  constructor(
    private readonly is64: boolean,
    private readonly little: boolean,
  ) {}

  seek(at: number): void {
    this.#at = at;
  }

  skip(count: number): void {
    this.bytes(new Uint8Array(count));
  }

  align(to: number): void {
    this.skip((to - (this.#at % to)) % to);
  }

  /** Returns where the bytes start. */
  bytes(data: Uint8Array): number {
    while (this.#at + data.length > this.#buffer.length)
      this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(this.#buffer.length)]);
    const start = this.#at;
    this.#buffer.set(data, start);
    this.#at += data.length;
    this.length = Math.max(this.length, this.#at);
    return start;
  }

  half(value: number): this {
    const data = Buffer.alloc(2);
    if (this.little) data.writeUInt16LE(value);
    else data.writeUInt16BE(value);
    this.bytes(data);
    return this;
  }

  word(value: number): this {
    const data = Buffer.alloc(4);
    if (this.little) data.writeUInt32LE(value >>> 0);
    else data.writeUInt32BE(value >>> 0);
    this.bytes(data);
    return this;
  }

  address(value: number): this {
    if (!this.is64) return this.word(value);
    return this.little ? this.word(value).word(0) : this.word(0).word(value);
  }

  result(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.length));
  }
}
