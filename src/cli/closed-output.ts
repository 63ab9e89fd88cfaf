import { ExitCode } from '../errors.js';
import { ioError, isCode } from '../host/io-error.js';
import { reportError } from './report-error.js';

/**
 * Sees to what happens when nothing can be written to standard output any more. Whoever closed a pipe (`mkroot status | head`) has
 * seen enough, and nothing is said. Anything else, such as a full disk, is told once and becomes the exit code; what is under way is
 * brought to its end, and only its words are lost. To be called once, after oclif was loaded: its own listener throws.
 */
export function watchOutput(): void {
  let isTold = false;
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', (error) => {
    if (isTold || isCode(error, 'EPIPE')) return;
    isTold = true;
    process.stderr.write(`${reportError(ioError('write to', 'standard output', error)).text}\n`);
    process.exitCode = ExitCode.Io;
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => {});
}
