import { fileURLToPath } from 'node:url';
import { Errors, run } from '@oclif/core';
import { reportError } from './report-error.js';

/** Entry point of `bin/mkroot.js`: runs one command and sets the exit code. */
export async function main(argv: string[]): Promise<void> {
  try {
    await run(argv, fileURLToPath(new URL('../../package.json', import.meta.url)));
  } catch (error) {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? 0;
      return;
    }
    const report = reportError(error);
    process.stderr.write(`${report.text}\n`);
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(report.json, null, 2)}\n`);
    process.exitCode = report.exitCode;
  }
}
