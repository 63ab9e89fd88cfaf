import { ExitCode, MkrootError } from '../errors.js';

/** What a text in ClusterShell's syntax stands for, or why it stands for nothing. */
export type NodeSet = { readonly names: readonly string[] } | { readonly problem: string };

/** More than this is a slip of the keyboard, and would only fill the memory. */
const MOST_NAMES = 100_000;

/**
 * Expands names in ClusterShell's syntax (clustershell.readthedocs.io, "Node sets"): `n[001-128]` keeps its leading zeros,
 * `n[1-4,7]`, steps as in `n[0-30/2]`, several brackets as in `rack[1-2]n[01-40]` (the last one counts fastest), and lists
 * with commas. The names come in the order in which they are written, because addresses are counted up in that order; a name
 * that comes twice is a problem. Set operators (`!`, `&`, `^`), groups (`@`) and wildcards are not for inventories.
 */
export function expandNodeSet(text: string): NodeSet {
  const operands = splitOutsideBrackets(text);
  if ('problem' in operands) return operands;
  const names = new Set<string>();
  for (const operand of operands.parts) {
    if (operand === '') return { problem: text === '' ? 'it is empty' : 'a name is missing beside a comma' };
    const operator = /[!&^@*?\s]/.exec(operand.replace(/\[[^\]]*\]/g, ''));
    if (operator !== null) {
      return {
        problem: `"${operator[0]}" cannot be used here; only names, commas and ranges in brackets can`,
      };
    }
    const expanded = expandOperand(operand, MOST_NAMES - names.size);
    if ('problem' in expanded) return expanded;
    for (const name of expanded.names) {
      if (names.has(name)) return { problem: `${name} comes twice` };
      names.add(name);
    }
  }
  return { names: [...names] };
}

/**
 * The names that somebody has typed as an argument.
 * @param action what cannot be done with them: `find nodes`.
 * @throws MkrootError Usage for a text that {@link expandNodeSet} cannot read.
 */
export function typedNames(text: string, action: string): readonly string[] {
  const set = expandNodeSet(text);
  if ('names' in set) return set.names;
  throw new MkrootError(`Cannot ${action} "${text}": ${set.problem}`, { exitCode: ExitCode.Usage });
}

function splitOutsideBrackets(text: string): { parts: string[] } | { problem: string } {
  const parts = [''];
  let open = false;
  for (const character of text) {
    if (character === '[' && open) return { problem: 'a bracket is opened inside a bracket' };
    if (character === ']' && !open) return { problem: 'a bracket is closed that was not opened' };
    if (character === '[') open = true;
    if (character === ']') open = false;
    if (character === ',' && !open) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return open ? { problem: 'a bracket is not closed' } : { parts: parts.map((part) => part.trim()) };
}

function expandOperand(operand: string, most: number): NodeSet {
  // Alternates between plain text and what stands in brackets.
  const pieces = operand.split(/[[\]]/);
  let names: string[] = [pieces[0]!];
  for (let at = 1; at < pieces.length; at += 2) {
    const numbers = expandRange(pieces[at]!, most);
    if ('problem' in numbers) return numbers;
    if (names.length * numbers.names.length > most)
      return { problem: `it means more than ${MOST_NAMES} names` };
    const suffix = pieces[at + 1]!;
    names = names.flatMap((name) => numbers.names.map((number) => `${name}${number}${suffix}`));
  }
  return { names };
}

/** What stands between brackets: `1-4,7,10-20/2`. */
function expandRange(text: string, most: number): NodeSet {
  const numbers: string[] = [];
  for (const part of text.split(',').map((one) => one.trim())) {
    const [, first, last = first, step = '1'] =
      /^(\d{1,15})(?:-(\d{1,15})(?:\/(\d{1,15}))?)?$/.exec(part) ?? [];
    if (first === undefined || last === undefined) {
      return { problem: `[${part}] is not a range, such as 1-4 or 001-128 or 0-30/2` };
    }
    const padded = [first, last].some((digits) => digits.length > 1 && digits.startsWith('0'));
    if (padded && first.length !== last.length) {
      return { problem: `[${part}] has ${first.length} digits on one side and ${last.length} on the other` };
    }
    const [from, to, by] = [Number(first), Number(last), Number(step)];
    if (from > to) return { problem: `[${part}] counts down` };
    if (by === 0) return { problem: `[${part}] has steps of 0` };
    if (numbers.length + Math.floor((to - from) / by) + 1 > most) {
      return { problem: `it means more than ${MOST_NAMES} names` };
    }
    for (let number = from; number <= to; number += by) {
      numbers.push(padded ? String(number).padStart(first.length, '0') : String(number));
    }
  }
  return { names: numbers };
}
