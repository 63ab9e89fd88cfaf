import { DiskFileSystem } from '../host/disk-file-system.js';
import { ExecaRunner } from '../host/execa-runner.js';
import { LineProgress } from '../host/line-progress.js';
import { startThread } from '../host/second-thread.js';
import { systemClock } from '../host/system-clock.js';
import { TerminalProgress } from '../host/terminal-progress.js';
import type { Ports } from '../ports/ports.js';

/** The real machine behind the ports. This is the one place where they are wired. */
export function hostPorts({ verbose = false }: { verbose?: boolean } = {}): Ports {
  const { stderr } = process;
  const monotonicMs = () => systemClock.monotonicMs();
  return {
    fs: new DiskFileSystem(),
    runner: new ExecaRunner(),
    clock: systemClock,
    startThread,
    progress:
      stderr.isTTY && !verbose
        ? new TerminalProgress(stderr, monotonicMs)
        : new LineProgress((line) => stderr.write(`${line}\n`), monotonicMs, verbose),
  };
}
