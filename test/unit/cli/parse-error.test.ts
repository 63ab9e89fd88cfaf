import { Args, Flags, Parser } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { usageError } from '../../../src/cli/usage-error.js';
import { ExitCode, MkrootError } from '../../../src/errors.js';

const FLAGS = {
  from: Flags.string({ required: true, options: ['dnsmasq.leases', 'ethers'] }),
  nodes: Flags.string({ exclusive: ['storm'] }),
  storm: Flags.string(),
  repeat: Flags.integer({ dependsOn: ['scenario', 'report'] }),
  scenario: Flags.string(),
  report: Flags.string(),
};
const ARGS = {
  initrd: Args.string({ required: true, description: 'initramfs made by mkroot initrd' }),
  path: Args.string({ required: true, description: 'path in it, or the last part of one' }),
};

/** What a user gets who types `mkroot nodes import` with these words, by the parser of oclif itself. */
async function said(...words: string[]): Promise<MkrootError> {
  const parsing = Parser.parse(words, { flags: FLAGS, args: ARGS, strict: true });
  const thrown = await parsing.catch((error: unknown) => error);
  const error = usageError(thrown, ['nodes', 'import', ...words], ['nodes import', 'why']);
  if (!(error instanceof MkrootError)) throw new Error(`not an error of ours: ${String(error)}`);
  expect(error.exitCode).toBe(ExitCode.Usage);
  return error;
}

describe('what the command line lacks or has too much', () => {
  it('names the arguments that are missing, and says what they are', async () => {
    expect(await said('--from', 'ethers')).toMatchObject({
      message: 'Cannot run "mkroot nodes import": INITRD and PATH are missing',
      details: ['  INITRD  initramfs made by mkroot initrd', '  PATH    path in it, or the last part of one'],
      hint: 'To see what it takes: mkroot nodes import --help',
    });
    expect((await said('a', '--from', 'ethers')).message).toMatch(/: PATH is missing$/);
  });

  it.each([
    [['a', 'b', 'c', '--from', 'ethers'], 'Cannot use "c": mkroot nodes import takes no further argument'],
    [['a', 'b', '--from'], 'Cannot use --from: it lacks one of dnsmasq.leases, ethers'],
    [['a', 'b', '--from', 'ethers', '--storm'], 'Cannot use --storm: it lacks a value'],
    [['a', 'b', '--from', 'foo'], 'Cannot use --from foo: it takes one of dnsmasq.leases, ethers'],
    [['a', 'b'], 'Cannot run "mkroot nodes import": --from is missing'],
    [
      ['a', 'b', '--from', 'ethers', '--nodes', '3', '--storm', '2'],
      'Cannot run "mkroot nodes import": --nodes and --storm exclude each other',
    ],
    [
      ['a', 'b', '--nodes', '3', '--storm', '2', '--repeat', '2'],
      'Cannot run "mkroot nodes import": --nodes and --storm exclude each other; --repeat needs --scenario and --report; --from is missing',
    ],
  ])('%j', async (words, message) => {
    expect((await said(...words)).message).toBe(message);
  });

  it('a value that is nearly one of those that an option takes is named', async () => {
    expect((await said('a', 'b', '--from', 'ehters')).hint).toBe('Did you mean --from ethers?');
    expect((await said('a', 'b', '--from', 'x')).hint).toBe(
      'To see what it takes: mkroot nodes import --help',
    );
  });
});
