/** A run of names that differ in one number. */
interface Series {
  readonly before: string;
  readonly after: string;
  /** Digits with leading zeros; 0 where numbers are not padded. */
  readonly width: number;
  readonly numbers: number[];
}

/**
 * Names as ClusterShell and pdsh write them: `n[001-128,130],head`. Sorted, each name once. Only the last number of a name is
 * folded, since older versions of both tools know one bracket per name.
 */
export function foldNodeSet(names: Iterable<string>): string {
  const distinct = [...new Set(names)].sort();
  const padded = new Set(
    distinct.flatMap((name) => {
      const { before, digits, after } = split(name);
      return digits.length > 1 && digits.startsWith('0') ? [`${before}/${digits.length}/${after}`] : [];
    }),
  );
  const items = new Map<string, Series>();
  for (const name of distinct) {
    const { before, digits, after } = split(name);
    const width = padded.has(`${before}/${digits.length}/${after}`) ? digits.length : 0;
    const key = `${before}/${width}/${after}/${digits === ''}`;
    const series = items.get(key);
    if (series === undefined) {
      items.set(key, { before, after, width, numbers: digits === '' ? [] : [Number(digits)] });
    } else series.numbers.push(Number(digits));
  }
  return [...items.values()].map(seriesText).join(',');
}

function split(name: string) {
  const match = /^(.*?)(\d{1,15})(\D*)$/.exec(name);
  return match === null
    ? { before: name, digits: '', after: '' }
    : { before: match[1]!, digits: match[2]!, after: match[3]! };
}

function seriesText({ before, after, width, numbers }: Series): string {
  const text = (number: number) => String(number).padStart(width, '0');
  if (numbers.length === 0) return before;
  if (numbers.length === 1) return `${before}${text(numbers[0]!)}${after}`;
  const runs: [first: number, last: number][] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] + 1 === number) run[1] = number;
    else runs.push([number, number]);
  }
  const ranges = runs.map(([first, last]) => (first === last ? text(first) : `${text(first)}-${text(last)}`));
  return `${before}[${ranges.join(',')}]${after}`;
}
