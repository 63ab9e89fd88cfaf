import { afterEach, describe, expect, it } from 'vitest';
import { BaseCommand } from '../../../src/cli/base-command.js';

/** oclif's own configuration is not looked at by a command that parses nothing. */
const CONFIG = {} as ConstructorParameters<typeof BaseCommand>[1];

class Probe extends BaseCommand {
  async run(): Promise<AbortSignal> {
    return this.interrupted;
  }
}

const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);

afterEach(() => process.off('warning', onWarning));

describe('the signal of Ctrl-C', () => {
  it('may be waited for by a hundred nodes without a word of Node.js about it', async () => {
    process.on('warning', onWarning);
    const signal = await new Probe([], CONFIG).run();
    for (let node = 0; node < 100; node += 1) signal.addEventListener('abort', () => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });
});

class NodeCreate extends BaseCommand {
  static override id = 'node:create';

  async run() {
    return this.worker;
  }
}

describe('who holds a lock', () => {
  it('is told by the command as it can be typed, and ended by Ctrl-C', async () => {
    const { signal, ...worker } = await new NodeCreate(['n 1', '--group=compute'], CONFIG).run();
    expect(worker).toEqual({ pid: process.pid, command: "mkroot node create 'n 1' --group=compute" });
    expect(signal.aborted).toBe(false);
  });
});
