import type { BytePath } from '../ports/byte-path.js';
import { damagedElf } from './elf-bytes.js';
import type { ElfNote } from './elf-notes.js';

/** How much a program misses something that it can do without, in the words of the dlopen metadata specification. */
export type Priority = 'required' | 'recommended' | 'suggested';

/** A library that a program opens at run time, if it is there (https://uapi-group.org/specifications/specs/elf_dlopen_metadata/). */
export interface DlopenRequest {
  /** What the library is good for; empty if the note does not say. */
  readonly feature: string;
  readonly priority: Priority;
  /** In order of preference: the first that exists is taken. */
  readonly sonames: readonly BytePath[];
}

const OWNER = 'FDO';
const TYPE = 0x407c0c0a;
const PRIORITIES: readonly string[] = ['required', 'recommended', 'suggested'] satisfies Priority[];

/**
 * The libraries named by dlopen notes. A note without a priority means `recommended`, as in the specification.
 * @param file for messages
 * @throws MkrootError if a note is not the JSON that the specification asks for.
 */
export function dlopenRequests(notes: readonly ElfNote[], file: BytePath): DlopenRequest[] {
  return notes
    .filter(({ owner, type }) => owner === OWNER && type === TYPE)
    .flatMap(({ description }) => parseNote(description, file));
}

function parseNote(description: Uint8Array, file: BytePath): DlopenRequest[] {
  const text = Buffer.from(description).toString('utf8').replace(/\0+$/, '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damagedElf(file, 'its dlopen note is not JSON');
  }
  if (!Array.isArray(value)) throw damagedElf(file, 'its dlopen note is not a JSON array');
  return value.map((entry: unknown) => parseRequest(entry, file));
}

function parseRequest(entry: unknown, file: BytePath): DlopenRequest {
  if (typeof entry !== 'object' || entry === null)
    throw damagedElf(file, 'an entry of its dlopen note is no object');
  const { soname, feature, priority } = entry as Record<string, unknown>;
  if (
    !Array.isArray(soname) ||
    soname.length === 0 ||
    !soname.every((name) => typeof name === 'string' && name !== '')
  )
    throw damagedElf(file, 'an entry of its dlopen note has no list of names in "soname"');
  return {
    feature: typeof feature === 'string' ? feature : '',
    priority: isPriority(priority) ? priority : 'recommended',
    sonames: soname.map((name: string) => Buffer.from(name, 'utf8').toString('latin1')),
  };
}

function isPriority(value: unknown): value is Priority {
  return typeof value === 'string' && PRIORITIES.includes(value);
}
