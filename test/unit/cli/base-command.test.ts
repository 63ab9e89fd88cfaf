import { afterEach, describe, expect, it } from 'vitest';
import { BaseCommand } from '../../../src/cli/base-command.js';

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
    // oclif's own configuration is not looked at by a command that parses nothing.
    const signal = await new Probe([], {} as ConstructorParameters<typeof Probe>[1]).run();
    for (let node = 0; node < 100; node += 1) signal.addEventListener('abort', () => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });
});
