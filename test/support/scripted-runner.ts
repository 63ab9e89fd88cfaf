import { ExitCode, MkrootError } from '../../src/errors.js';
import type { Command, Completed, ProcessRunner, RunningProcess } from '../../src/ports/process-runner.js';

/** What a scripted program does: its output, or a function that decides by the command. */
export interface ScriptedAnswer {
  readonly exitCode?: number;
  readonly stdout?: string | Uint8Array;
  readonly stderr?: string;
}

/** A process runner that runs nothing: it notes each command and answers from a script keyed by program name. */
export class ScriptedRunner implements ProcessRunner {
  readonly commands: Command[] = [];

  constructor(
    private readonly script: Readonly<
      Record<string, ScriptedAnswer | ((command: Command) => ScriptedAnswer)>
    > = {},
  ) {}

  which(program: string): string | undefined {
    return program in this.script ? `/usr/bin/${program}` : undefined;
  }

  async run(command: Command): Promise<Completed> {
    this.commands.push(command);
    const entry = this.script[command.argv[0]];
    if (entry === undefined) {
      throw new MkrootError(`Cannot run "${command.argv[0]}": it is not installed`, {
        exitCode: ExitCode.MissingTool,
      });
    }
    const { exitCode = 0, stdout = '', stderr = '' } = typeof entry === 'function' ? entry(command) : entry;
    const text = typeof stdout === 'string' ? Buffer.from(stdout) : stdout;
    if (typeof stdout === 'string' && stdout !== '') {
      for (const line of stdout.replace(/\n$/, '').split('\n')) command.onLine?.(line, 'stdout');
    }
    if (stderr !== '')
      for (const line of stderr.replace(/\n$/, '').split('\n')) command.onLine?.(line, 'stderr');
    if (exitCode !== 0 && command.accept !== 'any' && !command.accept?.includes(exitCode)) {
      throw new MkrootError(`Cannot run "${command.argv[0]}": it failed with exit code ${exitCode}`, {
        exitCode: ExitCode.ToolFailed,
        details: stderr.split('\n'),
      });
    }
    return { exitCode, signal: undefined, stdout: text, stderr, durationMs: 1 };
  }

  async start(command: Command): Promise<RunningProcess> {
    const exited = this.run({ ...command, accept: 'any' });
    return { pid: 1, write: () => {}, closeInput: () => {}, kill: () => {}, exited };
  }
}
