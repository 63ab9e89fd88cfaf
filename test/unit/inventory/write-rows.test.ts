import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../../src/inventory/csv.js';
import { writeRows } from '../../../src/inventory/write-rows.js';

const rowsOf = (text: string) => parseCsv(text, 'nodes.csv').rows.map((row) => row.map((cell) => cell.text));

describe('a row that is written again', () => {
  it.each([
    ['"#x"', '#x'],
    ['" a "', ' a '],
    ['"a;b,"', 'a;b,'],
    ['"say ""hi"""', 'say "hi"'],
  ])('%s stays what it was', (written, read) => {
    const text = `rack,name,mac\n${written},n1,\n`;
    const after = writeRows(text, 'nodes.csv', [{ name: 'n1', mac: '52:54:00:00:00:01' }]);
    expect(rowsOf(after)).toEqual([[read, 'n1', '52:54:00:00:00:01']]);
  });

  it('keeps the line ends of a file from Windows', () => {
    const rows = ['n1', 'n2'].map((name) => ({ name, mac: `m${name}`, group: 'g' }));
    expect(writeRows('name,mac\r\nn1,\r\n', 'nodes.csv', rows)).toBe(
      'name,mac,group\r\nn1,mn1,g\r\nn2,mn2,g\r\n',
    );
  });

  it('keeps a last value that ends like a separator', () => {
    const after = writeRows('name,mac,note\nn1,,a;b;\n', 'nodes.csv', [
      { name: 'n1', mac: '52:54:00:00:00:01' },
    ]);
    expect(rowsOf(after)).toEqual([['n1', '52:54:00:00:00:01', 'a;b;']]);
  });

  it('keeps every other field, whatever is in it', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ' ', '#', ',', ';', '"', "'") });
    fc.assert(
      fc.property(field, field, fc.constantFrom(',', ';'), (first, last, separator) => {
        const quoted = [first, 'n1', '', last].map((text) => `"${text.replaceAll('"', '""')}"`);
        const text = `${['rack', 'name', 'mac', 'note'].join(separator)}\n${quoted.join(separator)}\n`;
        const after = writeRows(text, 'nodes.csv', [{ name: 'n1', mac: 'm' }]);
        const [row = []] = rowsOf(after);
        expect([row[0], row[1], row[2], row[3] ?? '']).toEqual([first, 'n1', 'm', last]);
      }),
    );
  });
});
