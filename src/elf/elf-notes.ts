import { damagedElf, type ElfBytes, ElfNumbers } from './elf-bytes.js';
import { type ElfHeader, ProgramHeaderType } from './elf-header.js';

/** One note: who defined its type, the type, and the raw description. */
export interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

/** Build ids and properties take some hundred bytes, systemd's largest program a few KiB of dlopen notes. 1 MiB. */
const MAX_NOTE_SEGMENT = 1024 * 1024;

/**
 * Every note of the file's PT_NOTE segments, in file order.
 * @throws MkrootError if a note runs out of its segment.
 */
export function readElfNotes(bytes: ElfBytes, header: ElfHeader): ElfNote[] {
  const notes: ElfNote[] = [];
  for (const segment of header.programHeaders) {
    if (segment.type !== ProgramHeaderType.Note) continue;
    if (segment.fileSize > MAX_NOTE_SEGMENT)
      throw damagedElf(bytes.name, `a note segment claims to have ${segment.fileSize} bytes`);
    const data = bytes.range(segment.offset, segment.fileSize, 'note segment');
    const numbers = new ElfNumbers(data, header.elfClass, header.byteOrder);
    // NT_GNU_PROPERTY_TYPE_0 segments of 64-bit files pad to 8 bytes and say so; everything else pads to 4.
    const padding = segment.alignment === 8 ? 8 : 4;
    for (let at = 0; at + 12 <= data.length; ) {
      const nameSize = numbers.word(at);
      const descriptionSize = numbers.word(at + 4);
      const nameStart = at + 12;
      const descriptionStart = at + align(12 + nameSize, padding);
      if (descriptionStart + descriptionSize > data.length)
        throw damagedElf(bytes.name, `a note at ${segment.offset + at} runs out of its segment`);
      notes.push({
        owner: Buffer.from(data.subarray(nameStart, nameStart + nameSize))
          .toString('latin1')
          .replace(/\0+$/, ''),
        type: numbers.word(at + 8),
        description: data.subarray(descriptionStart, descriptionStart + descriptionSize),
      });
      at = align(descriptionStart + descriptionSize, padding);
    }
  }
  return notes;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
