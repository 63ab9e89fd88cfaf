import { createRequire } from 'node:module';

/** The part of elfy's parser that works for every file: header and program headers, no section table needed. */
interface ElfyParser {
  parseHeader(bytes: Buffer): { class: string; endian: string; type: string };
  parsePrograms(
    bytes: Buffer,
    header: object,
  ): readonly { readonly offset: number; readonly vaddr: number; readonly filesz: number }[];
}

/** What elfy, an independent reader, finds in an ELF file; in our words. */
export interface ElfyHeaders {
  readonly class: number;
  readonly order: 'little' | 'big';
  readonly type: string;
  /** Offset, address and size of each program header. */
  readonly programs: readonly (readonly number[])[];
}

const TYPES: Readonly<Record<string, string>> = { exec: 'executable', dyn: 'shared', rel: 'relocatable' };

// elfy has no types and is CommonJS.
const { Parser } = createRequire(import.meta.url)('elfy') as { Parser: new () => ElfyParser };

/** Reads an ELF file with elfy. */
export function elfyHeaders(bytes: Uint8Array): ElfyHeaders {
  const parser = new Parser();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = parser.parseHeader(buffer);
  return {
    class: Number(header.class),
    order: header.endian === 'lsb' ? 'little' : 'big',
    type: TYPES[header.type] ?? header.type,
    programs: parser
      .parsePrograms(buffer, header)
      .map(({ offset, vaddr, filesz }) => [offset, vaddr, filesz].map(Number)),
  };
}
