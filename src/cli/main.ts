import { fileURLToPath } from 'node:url';
import { Config, Errors, run } from '@oclif/core';
import { reportError } from './report-error.js';
import { usageError } from './usage-error.js';

/** Entry point of `bin/mkroot.js`: runs one command and sets the exit code. */
export async function main(typed: string[]): Promise<void> {
  const config = await Config.load(fileURLToPath(new URL('../../package.json', import.meta.url)));
  const argv = asOptions(typed);
  try {
    await run(argv, config);
  } catch (error) {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? 0;
      return;
    }
    const commands = config.commandIDs.map((id) => id.replaceAll(':', ' '));
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
