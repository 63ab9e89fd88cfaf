import { stripVTControlCharacters } from 'node:util';
import type { Errors } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';
import { nearestTo } from './nearest-name.js';

/** oclif's RequiredArgsError and UnexpectedArgsError; its main module exports no class of the parser, so they go by their names. */
interface RequiredArguments extends Errors.CLIError {
  readonly args: readonly { readonly name: string; readonly description?: string }[];
}
interface UnexpectedArguments extends Errors.CLIError {
  readonly args: readonly string[];
}

/**
 * What oclif's parser throws at words that a command does not take, or does not take together, in our words; undefined for anything else.
 * @param command its words, such as `nodes import`.
 */
export function parseError(error: Errors.CLIError, command: string): MkrootError | undefined {
  const usage = (message: string, hint?: string, details: readonly string[] = []) =>
    new MkrootError(message, {
      exitCode: ExitCode.Usage,
      cause: error,
      details,
      hint: hint ?? `To see what it takes: mkroot ${command} --help`,
    });
  switch (error.constructor.name) {
    case 'RequiredArgsError': {
      const { args } = error as RequiredArguments;
      const names = args.map(({ name }) => name.toUpperCase());
      const width = Math.max(...names.map((name) => name.length));
      return usage(
        `Cannot run "mkroot ${command}": ${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} missing`,
        undefined,
        args.map(({ description = '' }, index) => `  ${names[index]!.padEnd(width)}  ${description}`),
      );
    }
    case 'UnexpectedArgsError':
      return usage(
        `Cannot use "${(error as UnexpectedArguments).args.join(' ')}": mkroot ${command} takes no further argument`,
      );
    case 'FlagInvalidOptionError': {
      const parts = /^Expected (--[\w-]+)=([\s\S]*) to be one of: (.*)$/m.exec(error.message);
      if (parts === null) return undefined;
      const [, option = '', value = '', list = ''] = parts;
      const nearest = nearestTo(value, list.split(', '));
      return usage(
        `Cannot use ${option} ${value}: it takes one of ${list}`,
        nearest === undefined ? undefined : `Did you mean ${option} ${nearest}?`,
      );
    }
    case 'FailedFlagValidationError': {
      const [, ...reasons] = stripVTControlCharacters(error.message)
        .replace(/\nSee more help with --help$/, '')
        .split('\n')
        .map((line) => line.trim());
      return usage(`Cannot run "mkroot ${command}": ${[...new Set(reasons.map(ofOptions))].join('; ')}`);
    }
    default: {
      const lacking = /^Flag (--[\w-]+) expects (?:a value|one of these values: (.*))$/.exec(error.message);
      if (lacking === null) return undefined;
      const [, option = '', list] = lacking;
      return usage(`Cannot use ${option}: it lacks ${list === undefined ? 'a value' : `one of ${list}`}`);
    }
  }
}

/** What oclif says about options of one command line, shorter; what is not known stays as it is. */
function ofOptions(reason: string): string {
  const required = /^Missing required flag (\S+)$/.exec(reason);
  if (required !== null) return `--${required[1]} is missing`;
  const exclusive = /^(--[\w-]+)(?:=.*)? cannot also be provided when using (--[\w-]+)$/s.exec(reason);
  if (exclusive !== null) return `${[exclusive[2], exclusive[1]].sort().join(' and ')} exclude each other`;
  const needs = /^(All|One) of the following must be provided when using (--[\w-]+): (.*)$/.exec(reason);
  if (needs === null) return reason;
  return `${needs[2]} needs ${needs[3]!.replaceAll(', ', needs[1] === 'All' ? ' and ' : ' or ')}`;
}
