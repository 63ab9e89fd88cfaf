import { describe, expect, it } from 'vitest';
import { ExecaRunner } from '../../../src/host/execa-runner.js';

const node = (script: string): [string, ...string[]] => [process.execPath, '-e', script];

describe('ExecaRunner', () => {
  it('outlives a log that cannot be written: the program ends, and its output is there', async () => {
    const lines: string[] = [];
    const { exitCode, stdout } = await new ExecaRunner().run({
      argv: node('console.log("one"); setTimeout(() => console.log("two"), 50)'),
      logFile: '/dev/full',
      onLine: (line) => lines.push(line),
    });
    expect(exitCode).toBe(0);
    expect(lines).toEqual(['one', 'two']);
    expect(Buffer.from(stdout).toString()).toBe('one\ntwo\n');
  });
});
