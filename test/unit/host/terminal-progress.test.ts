import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LineProgress } from '../../../src/host/line-progress.js';
import { TerminalProgress } from '../../../src/host/terminal-progress.js';

/** What a terminal shows in the end: carriage return, line up and clearing carried out. */
function screen(output: string): string[] {
  const lines = [''];
  let row = 0;
  for (const part of output.split(/(\r|\n|\u001b\[A|\u001b\[J|\u001b\[\d*m)/)) {
    if (part === '\r') continue;
    if (part === '\n') {
      row += 1;
      lines[row] ??= '';
    } else if (part === '\u001b[A') row -= 1;
    else if (part === '\u001b[J') {
      lines.length = row + 1;
      lines[row] = '';
    } else if (!part.startsWith('\u001b')) lines[row] += part;
  }
  return lines;
}

function terminal(rows: number) {
  const stream = Object.assign(new PassThrough(), { columns: 80, rows });
  let output = '';
  stream.on('data', (chunk) => {
    output += chunk;
  });
  const progress = new TerminalProgress(stream as PassThrough & NodeJS.WriteStream, () => 0);
  return { progress, stream, shown: () => screen(output) };
}

describe('progress on a terminal', () => {
  it('has a line for each running task below those that are finished', async () => {
    const { progress, shown } = terminal(24);
    const first = progress.task('n1');
    const second = progress.task('n2');
    first.update('kernel starts');
    progress.note('a plain line');
    expect(shown().map((line) => line.replace(/^\S /, ''))).toEqual([
      'plain line',
      'n1 0.0 s  kernel starts',
      'n2 0.0 s',
    ]);
    first.done('power-off reached');
    second.done();
    expect(shown()).toEqual(['a plain line', '✔ n1: power-off reached (0.0 s)', '✔ n2 (0.0 s)', '']);
  });

  it('makes way for what others write to the terminal, and has its lines below that', () => {
    const { progress, stream, shown } = terminal(24);
    const result = () => progress.aside(() => stream.write('PASS  a\nPASS  b\n'));
    const task = progress.task('n1');
    progress.task('n2');
    result();
    expect(shown().map((line) => line.replace(/^[^\w✔] /, ''))).toEqual([
      'PASS  a',
      'PASS  b',
      'n1 0.0 s',
      'n2 0.0 s',
    ]);
    task.done();
    expect(shown()).toHaveLength(4);
    const none = terminal(24);
    none.progress.aside(() => none.stream.write('PASS  a\n'));
    expect(none.shown()).toEqual(['PASS  a', '']);
  });

  it('draws no line that is wider than the screen: drawn over, it would leave its other half behind', () => {
    const { progress, stream, shown } = terminal(24);
    stream.columns = 30;
    const task = progress.task('Bootstrapping debian trixie (amd64, mmdebstrap)');
    task.update('unpacking mawk');
    progress.note('n');
    expect(shown()).toEqual(['n', expect.stringMatching(/^\S Bootstrapping debian… 0\.0 s$/)]);
    expect(shown()[1]).toHaveLength(29);
    stream.columns = 8;
    progress.note('n');
    expect(shown().at(-1)!.length).toBeLessThan(8);
    // What a task came to stays in one piece: nobody draws over it.
    task.done();
    expect(shown().at(-2)).toBe('✔ Bootstrapping debian trixie (amd64, mmdebstrap) (0.0 s)');
  });

  it('takes a screen of unknown width for one of 80 columns, and a detail of several lines for one', () => {
    const { progress, stream, shown } = terminal(24);
    stream.columns = 0;
    progress.task('n1').update('a\nb\tc');
    progress.note('n');
    expect(shown()).toEqual(['n', expect.stringMatching(/^\S n1 0\.0 s {2}a b c$/)]);
  });

  it('shows no more lines than the screen has', () => {
    const { progress, shown } = terminal(5);
    const tasks = Array.from({ length: 9 }, (_, index) => progress.task(`n${index}`));
    expect(shown()).toHaveLength(4);
    expect(shown()[0]).toBe('and 6 more');
    for (const task of tasks) task.done();
    expect(shown()).toHaveLength(10);
  });
});

describe('progress without a terminal', () => {
  it('has a line for each update of a task that is followed, and of no other', () => {
    const lines: string[] = [];
    const progress = new LineProgress(
      (line) => lines.push(line),
      () => 0,
    );
    progress.task('n1', { follow: true }).update('kernel starts');
    progress.task('build').update('unpacking');
    expect(lines).toEqual(['n1 ...', '  n1: kernel starts', 'build ...']);
  });
});
