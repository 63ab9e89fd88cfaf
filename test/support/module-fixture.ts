/** What a made-up kernel module contains. */
export interface ModuleFixture {
  /** `.modinfo` strings, `key=value`; undefined leaves the section out. */
  readonly modinfo?: readonly string[];
  /** Symbols that it needs from elsewhere. */
  readonly needs?: readonly string[];
  /** Symbols that it exports. */
  readonly exports?: readonly string[];
  readonly bits?: 32 | 64;
  readonly bigEndian?: boolean;
}

/** A minimal ELF relocatable object with the sections that a module reader looks at; see elf(5). */
export function moduleFixture(fixture: ModuleFixture = {}): Buffer {
  const { modinfo, needs = [], exports: exported = [], bits = 64, bigEndian = false } = fixture;
  const is64 = bits === 64;
  const put = (buffer: Buffer, at: number, size: number, value: number) => {
    if (size === 8) {
      const [high, low] = bigEndian ? [at, at + 4] : [at + 4, at];
      put(buffer, high, 4, 0);
      put(buffer, low, 4, value);
    } else if (bigEndian) buffer.writeUIntBE(value, at, size);
    else buffer.writeUIntLE(value, at, size);
  };
  const strings = Buffer.from(`\0${needs.map((name) => `${name}\0`).join('')}`, 'latin1');
  const entry = is64 ? 24 : 16;
  const symbols = Buffer.alloc(entry * (needs.length + 1));
  for (const [index, name] of needs.entries()) {
    put(symbols, entry * (index + 1), 4, strings.indexOf(`\0${name}\0`) + 1);
  }
  const sections: [name: string, type: number, data: Buffer][] = [
    ['', 0, Buffer.alloc(0)],
    ['.gnu.linkonce.this_module', 1, Buffer.alloc(8)],
    ['.symtab', 2, symbols],
    ['.strtab', 3, strings],
    ['__ksymtab_strings', 1, Buffer.from(exported.map((name) => `${name}\0`).join(''))],
  ];
  if (modinfo !== undefined) {
    sections.push(['.modinfo', 1, Buffer.from(modinfo.map((line) => `${line}\0`).join(''), 'latin1')]);
  }
  const names = Buffer.from(`${sections.map(([name]) => `${name}\0`).join('')}.shstrtab\0`);
  sections.push(['.shstrtab', 3, names]);

  const headerSize = is64 ? 64 : 52;
  const tableEntry = is64 ? 64 : 40;
  const bodies = sections.map(([, , data]) => data);
  const tableOffset = headerSize + bodies.reduce((sum, data) => sum + data.length, 0);
  const header = Buffer.alloc(headerSize);
  header.write('\x7fELF', 'latin1');
  header.set([is64 ? 2 : 1, bigEndian ? 2 : 1, 1], 4);
  put(header, 16, 2, 1);
  put(header, is64 ? 40 : 32, is64 ? 8 : 4, tableOffset);
  for (const [i, value] of [tableEntry, sections.length, sections.length - 1].entries()) {
    put(header, (is64 ? 58 : 46) + 2 * i, 2, value);
  }
  const table = Buffer.alloc(tableEntry * sections.length);
  let offset = headerSize;
  let nameOffset = 0;
  for (const [index, [name, type, data]] of sections.entries()) {
    const at = index * tableEntry;
    put(table, at, 4, nameOffset);
    put(table, at + 4, 4, type);
    put(table, at + (is64 ? 24 : 16), is64 ? 8 : 4, offset);
    put(table, at + (is64 ? 32 : 20), is64 ? 8 : 4, data.length);
    offset += data.length;
    nameOffset += name.length + 1;
  }
  return Buffer.concat([header, ...bodies, table]);
}
