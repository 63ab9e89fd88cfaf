import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Config, Errors, run } from '@oclif/core';
import { watchOutput } from './closed-output.js';
import { reportError } from './report-error.js';
import { misplacedOption, usageError } from './usage-error.js';

/**
 * V8 lets the heap become up to four times as large before it collects garbage again. An inventory of 10,000 nodes makes much of it
 * and keeps little: twice as large takes a tenth less memory than three times as large, for some five percent more time. Small
 * commands never get that far.
 */
const HEAP_GROWTH = '--heap-growing-percent=100';

/** Entry point of `bin/mkroot.js`: runs one command and sets the exit code. */
export async function main(typed: string[]): Promise<void> {
  setFlagsFromString(HEAP_GROWTH);
  watchOutput();
  const config = await Config.load(fileURLToPath(new URL('../../package.json', import.meta.url)));
  const argv = asOptions(typed);
  const commands = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  try {
    const misplaced = misplacedOption(argv, commands);
    if (misplaced !== undefined) throw misplaced;
    await run(argv, config);
  } catch (error) {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? 0;
      return;
    }
    const report = reportError(usageError(error, argv, commands));
    process.stderr.write(`${report.text}\n`);
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(report.json, null, 2)}\n`);
    process.exitCode = report.exitCode;
  }
}

/** `mkroot help build` and `mkroot version`, which many people type first, as the options that they are. */
function asOptions(typed: string[]): string[] {
  const [first, ...rest] = typed;
  if (first === 'help') return [...rest, '--help'];
  return first === 'version' && rest.length === 0 ? ['--version'] : typed;
}
