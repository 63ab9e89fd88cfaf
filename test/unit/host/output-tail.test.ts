import { describe, expect, it } from 'vitest';
import { OutputTail } from '../../../src/host/output-tail.js';

/** The lines that come out when the text arrives in pieces of `size` bytes. */
function linesOf(text: string, size: number): string[] {
  const lines: string[] = [];
  const tail = new OutputTail(2, (line) => lines.push(line));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) tail.push(bytes.subarray(at, at + size), 'stdout');
  tail.end();
  expect(tail.lines).toEqual(lines.slice(-2));
  return lines;
}

describe('OutputTail', () => {
  it.each([1, 2, 3, 5, 100])('cuts lines and keeps characters whole, %i bytes at a time', (size) => {
    expect(linesOf('Größe: 3 €\r\nfertig ✔\n\nRest', size)).toEqual(['Größe: 3 €', 'fertig ✔', '', 'Rest']);
  });

  it('keeps what each stream says apart until its line ends', () => {
    const tail = new OutputTail(5);
    tail.push(Buffer.from('out'), 'stdout');
    tail.push(Buffer.from('error\n'), 'stderr');
    tail.push(Buffer.from('put\n'), 'stdout');
    expect(tail.lines).toEqual(['error', 'output']);
  });
});
