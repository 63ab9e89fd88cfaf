import { Errors } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';
import { nearestTo } from './nearest-name.js';
import { parseError } from './parse-error.js';

/**
 * What oclif throws at a command or an option that there is not, as an error that names the nearest one, and at what the
 * command does not take; anything else is returned as it is.
 * @param argv what was typed.
 * @param commands names of all commands, such as `recipe check`.
 */
export function usageError(error: unknown, argv: readonly string[], commands: readonly string[]): unknown {
  if (!(error instanceof Errors.CLIError)) return error;
  if (/^command .* not found\.?$/is.test(error.message)) {
    const words = wordsOf(argv);
    return words.length === 0 ? noCommand(argv, error) : unknownCommand(words, commands, error);
  }
  const unusable = /^Parsing (--\S+)\s+(.*)$/s.exec(error.message);
  if (unusable !== null) return unusableValue(unusable[1]!, unusable[2]!, error);
  if (isUnknownOption(error)) return unknownOption(error);
  return parseError(error, commandOf(argv, commands)) ?? error;
}

/** The words of what was typed that are a command. */
function commandOf(argv: readonly string[], commands: readonly string[]): string {
  return [argv.slice(0, 2).join(' '), argv[0] ?? ''].find((name) => commands.includes(name)) ?? '';
}

/**
 * An option where the second word of a command belongs, as in `mkroot nodes --group x`: oclif would show the help of `nodes` and end well.
 * @param argv what was typed.
 * @param commands names of all commands.
 */
export function misplacedOption(
  argv: readonly string[],
  commands: readonly string[],
): MkrootError | undefined {
  const [topic = '', option = ''] = argv;
  if (!option.startsWith('-') || !topicsOf(commands).has(topic) || commands.includes(topic)) return undefined;
  if (argv.some((word) => word === '--help' || word === '-h')) return undefined;
  return new MkrootError(`Cannot use "${option}" here: "mkroot ${topic}" takes a command first`, {
    exitCode: ExitCode.Usage,
    hint: `To see them: mkroot ${topic} --help`,
  });
}

/** First words of commands of two. */
function topicsOf(commands: readonly string[]): Set<string> {
  return new Set(commands.filter(isOfTopic).map((name) => name.split(' ')[0]!));
}

/** oclif puts what it expected on a line of its own, and `See more help` on another. */
function unusableValue(option: string, what: string, cause: unknown): MkrootError {
  const [first = ''] = what.split('\n');
  return new MkrootError(`Cannot use ${option}: ${first.replace('Expected', 'expected')}`, {
    exitCode: ExitCode.Usage,
    cause,
    hint: 'Run the command with --help to see what it takes.',
  });
}

/** oclif's NonExistentFlagsError, which its main module does not export. */
interface UnknownOption extends Errors.CLIError {
  readonly flags: readonly string[];
  readonly parse: { readonly input: { readonly flags: Readonly<Record<string, unknown>> } };
}

function isUnknownOption(error: Errors.CLIError): error is UnknownOption {
  return error.constructor.name === 'NonExistentFlagsError';
}

/** Words before the first option: the command, and perhaps arguments. `mkroot help buidl` asks about buidl. */
function wordsOf(argv: readonly string[]): string[] {
  const option = argv.findIndex((word) => word.startsWith('-'));
  return argv.slice(0, option < 0 ? undefined : option);
}

function noCommand(argv: readonly string[], cause: unknown): MkrootError {
  return new MkrootError(`Cannot use "${argv[0] ?? ''}" here: the command comes first`, {
    exitCode: ExitCode.Usage,
    cause,
    hint: 'To see all commands: mkroot --help',
  });
}

function unknownCommand(words: readonly string[], commands: readonly string[], cause: unknown): MkrootError {
  // To oclif, what follows a command that takes no arguments is a part of its name.
  const known = commands.find((name) => [words[0], words.slice(0, 2).join(' ')].includes(name));
  if (known !== undefined) {
    const rest = words.slice(known.split(' ').length).join(' ');
    return new MkrootError(`Cannot use "${rest}": mkroot ${known} takes no arguments`, {
      exitCode: ExitCode.Usage,
      cause,
      hint: `To see what it takes: mkroot ${known} --help`,
    });
  }
  const topics = topicsOf(commands);
  const topic = topics.has(words[0] ?? '') ? words[0] : undefined;
  const typed = topic === undefined ? (words[0] ?? '') : words.slice(0, 2).join(' ');
  const nearest =
    nearestTo(words.slice(0, 2).join(' '), words.length < 2 ? [] : commands.filter(isOfTopic)) ??
    (topic === undefined
      ? nearestTo(words[0] ?? '', [...commands.filter((name) => !isOfTopic(name)), ...topics])
      : undefined);
  return new MkrootError(`Cannot run "mkroot ${typed}": there is no such command`, {
    exitCode: ExitCode.Usage,
    cause,
    hint:
      nearest === undefined
        ? `To see all: mkroot ${topic === undefined ? '' : `${topic} `}--help`
        : `Did you mean: mkroot ${nearest}`,
  });
}

function isOfTopic(name: string): boolean {
  return name.includes(' ');
}

function unknownOption(error: UnknownOption): MkrootError {
  const known = Object.keys(error.parse.input.flags).map((name) => `--${name}`);
  const nearest = error.flags.map((flag) => nearestTo(flag, known)).filter((name) => name !== undefined);
  return new MkrootError(`Cannot use "${error.flags.join(' ')}": the command has no such option`, {
    exitCode: ExitCode.Usage,
    cause: error,
    hint:
      nearest.length > 0
        ? `Did you mean ${[...new Set(nearest)].join(', ')}?`
        : 'Run the command with --help to see what it takes.',
  });
}
