import { describe, expect, test } from 'vitest';
import { filesBelow } from './source-files.js';

/** What docs/test-matrix.md has to answer for, by its headings. */
const WANTED: Readonly<Record<string, readonly RegExp[]>> = {
  'Bad input': [
    ...[
      /not a root/i,
      /no kernel/i,
      /wrong kernel/i,
      /NIC/,
      /as ELF/,
      /as module/,
      /as modules\.dep/,
      /as cpio/,
    ],
    ...[/as recipe/, /link loops/i, /links out of the root/i, /newlines, spaces, non-UTF-8/, /5 GiB/],
    ...[/unreadable/i, /missing tool/i, /killed/i, /no partial output/i, /exit code/i],
  ],
  'Closures and archive': Array.from({ length: 15 }, (_, index) => new RegExp(`^${index + 1}\\. `)),
  'Done when': [/^2\. /, /^4\. /, /^6\. /],
};

interface Row {
  readonly section: string;
  /** Empty in a row that belongs to the one above. */
  readonly what: string;
  readonly name: string;
  readonly file: string;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const [matrix] = filesBelow(['docs'], /^docs\/test-matrix\.md$/);
const tests = new Map(filesBelow(['test'], /\.test\.ts$/).map(({ path, text }) => [path, text]));

const rows: Row[] = (matrix?.text ?? '').split(/^## /m).flatMap((part) => {
  const section = part.slice(0, part.indexOf('\n'));
  return [...part.matchAll(/^\| (.*?) ?\| `(.*)` \| \[.*\]\(\.\.\/(.*)\) \|$/gm)].map(
    ([, what = '', name = '', file = '']) => ({ section, what, name, file }),
  );
});

describe('docs/test-matrix.md', () => {
  test('names only files and tests that exist', () => {
    const missing = rows.filter(({ name, file }) => {
      const text = tests.get(file) ?? '';
      // A title is the first argument of a call, on its line or on the next one.
      return !["'", '"', '`'].some((quote) =>
        new RegExp(`\\(\\s*${quote}${escaped(name)}${quote}`).test(text),
      );
    });
    expect(missing.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
  });

  test('has every case of bad input and every numbered case', () => {
    for (const [section, wanted] of Object.entries(WANTED)) {
      const here = rows.filter((row) => row.section === section).map(({ what }) => what);
      expect(wanted.filter((one) => !here.some((what) => one.test(what))).map(String), section).toEqual([]);
    }
  });

  test('has no table row that this test cannot read', () => {
    const lines = (matrix?.text ?? '')
      .split('\n')
      .filter((line) => /^\| (?!(Input|Case|Criterion) )/.test(line));
    expect(lines).toHaveLength(rows.length);
  });
});
