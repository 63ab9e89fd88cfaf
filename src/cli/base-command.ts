import { setMaxListeners } from 'node:events';
import { Command, Flags } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';
import type { Ports } from '../ports/ports.js';
import { shellQuote } from '../ports/process-runner.js';
import { hostPorts } from './host-ports.js';

/** Where generations, caches and locks live unless the user says otherwise. */
const DEFAULT_STATE = '/var/lib/mkroot';

/**
 * What all commands share: the ports, --json, --verbose, --state, and an abort signal that Ctrl-C pulls. A command parses
 * its arguments, calls one pipeline and prints what comes back: results to standard output, everything else to standard error.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    verbose: Flags.boolean({ char: 'v', description: 'say everything that happens', helpGroup: 'GLOBAL' }),
  };

  /** --state, for commands that keep something. */
  static readonly stateFlag = Flags.string({
    description: 'directory of generations, caches and locks',
    env: 'MKROOT_STATE',
    default: DEFAULT_STATE,
    parse: notEmpty('--state'),
    helpValue: 'DIR',
  });

  /** --site, for commands about a cluster. */
  static readonly siteFlag = Flags.string({
    description: 'directory with nodes.yaml, recipes/ and overlays/',
    env: 'MKROOT_SITE',
    default: '.',
    parse: notEmpty('--site'),
    helpValue: 'DIR',
  });

  readonly #interrupt = interruption();

  /** Aborts on Ctrl-C and SIGTERM; hand it to everything that takes long. A second Ctrl-C ends mkroot at once. */
  protected get interrupted(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Who works, for locks: so others are told by what they are kept waiting. Hand it to everything that takes one. */
  protected get worker(): { readonly pid: number; readonly command: string; readonly signal: AbortSignal } {
    const words = (this.id ?? '').split(':');
    return {
      pid: process.pid,
      command: shellQuote(['mkroot', ...words, ...this.argv]),
      signal: this.interrupted,
    };
  }

  protected ports({ verbose = false }: { verbose?: boolean } = {}): Ports {
    const ports = hostPorts({ verbose });
    const onSignal = () => {
      if (this.#interrupt.signal.aborted) process.exit(ExitCode.Interrupted);
      ports.progress.note('mkroot: interrupted, cleaning up (Ctrl-C again to stop at once)');
      this.#interrupt.abort();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    return ports;
  }

  protected override async catch(error: Error): Promise<never> {
    // Reporting is main's business, for every kind of error and in one form.
    throw error;
  }
}

/** Any number of nodes and servers may wait at the same time for Ctrl-C; Node.js takes more than ten listeners for a leak, and says so. */
function interruption(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** What `--state "$UNSET"` says is not the current directory. */
function notEmpty(option: string): (name: string) => Promise<string> {
  return async (name) => {
    if (name !== '') return name;
    throw new MkrootError(`Cannot use ${option}: it is empty`, {
      exitCode: ExitCode.Usage,
      hint: `For the current directory: ${option} .`,
    });
  };
}
