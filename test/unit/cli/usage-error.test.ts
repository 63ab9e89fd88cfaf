import { Errors } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { misplacedOption, usageError } from '../../../src/cli/usage-error.js';
import { ExitCode, MkrootError } from '../../../src/errors.js';

const COMMANDS = ['build', 'initrd', 'why', 'nodes check', 'nodes list', 'overlay diff', 'recipe check'];

function said(...argv: string[]): MkrootError {
  const error = usageError(new Errors.CLIError(`command ${argv.join(':')} not found`), argv, COMMANDS);
  if (!(error instanceof MkrootError)) throw new Error('no MkrootError');
  return error;
}

describe('usageError', () => {
  it.each([
    [['buidl'], 'mkroot build'],
    [['biuld', 'compute', '--plan'], 'mkroot build'],
    [['inird'], 'mkroot initrd'],
    [['recipes', 'check', './my.yaml'], 'mkroot recipe check'],
    [['recipe', 'chek', 'compute'], 'mkroot recipe check'],
    [['node', 'lst'], 'mkroot nodes list'],
    [['overlays'], 'mkroot overlay'],
  ])('%j: names the nearest command', (argv, nearest) => {
    expect(said(...argv).hint).toBe(`Did you mean: ${nearest}`);
  });

  it('where none is near, says where all are listed', () => {
    expect(said('bake', 'compute')).toMatchObject({
      message: 'Cannot run "mkroot bake": there is no such command',
      hint: 'To see all: mkroot --help',
      exitCode: ExitCode.Usage,
    });
    expect(said('overlay', 'paint')).toMatchObject({
      message: 'Cannot run "mkroot overlay paint": there is no such command',
      hint: 'To see all: mkroot overlay --help',
    });
  });

  it.each([
    [['why', 'not', 'this'], 'Cannot use "not this": mkroot why takes no arguments'],
    [['nodes', 'list', 'n1'], 'Cannot use "n1": mkroot nodes list takes no arguments'],
  ])('%j: an argument too many is not taken for a part of the name', (argv, message) => {
    expect(said(...argv).message).toBe(message);
  });

  it('wants the command first', () => {
    expect(said('--state', '/srv', 'build').message).toBe(
      'Cannot use "--state" here: the command comes first',
    );
  });

  it('says in one line what an option cannot take', () => {
    const parsing = new Errors.CLIError(
      'Parsing --timeout \n\tExpected an integer but received: abc\nSee more help with --help',
    );
    expect(usageError(parsing, ['qemu-test', '--timeout', 'abc'], COMMANDS)).toMatchObject({
      message: 'Cannot use --timeout: expected an integer but received: abc',
      exitCode: ExitCode.Usage,
    });
  });

  it('leaves other errors alone', () => {
    for (const error of [new Error('x'), new Errors.CLIError('something else')]) {
      expect(usageError(error, ['initrd'], COMMANDS)).toBe(error);
    }
  });
});

describe('misplacedOption', () => {
  it('refuses an option where the second word of a command belongs', () => {
    expect(misplacedOption(['nodes', '--foo'], COMMANDS)).toMatchObject({
      message: 'Cannot use "--foo" here: "mkroot nodes" takes a command first',
      hint: 'To see them: mkroot nodes --help',
      exitCode: ExitCode.Usage,
    });
  });

  it.each([
    [['nodes']],
    [['nodes', '--help']],
    [['nodes', '-h']],
    [['nodes', 'list', '--foo']],
    [['build', '--foo']],
    [[]],
  ])('has nothing to say to %j', (argv) => expect(misplacedOption(argv, COMMANDS)).toBeUndefined());
});
