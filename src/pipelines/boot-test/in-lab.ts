import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { removeStaleLabs, reserveLabDirectory } from '../../stages/boot-test/reserve-lab-directory.js';
import type { LabOptions } from './lab-options.js';

/** A test's lab while it lasts. */
export interface OpenLab {
  /** For the lab's files, which go with it. */
  readonly directory: BytePath;
  /** For what tells why something failed. */
  readonly logs: BytePath;
  /** Something to be undone when the lab is over, whatever happens; what was named last comes first. */
  readonly atEnd: (undo: () => void | Promise<void>) => void;
}

/** What a lab is for, and what is to stay of it. */
export interface LabPurpose<R extends LabReport> extends Pick<LabOptions, 'report' | 'keep' | 'signal'> {
  /** In the words of an error: `the boot test`. */
  readonly what: string;
  /** Where the lab's files are while it lasts. */
  readonly temporaryParent: BytePath;
  /** Makes the directory of the logs where no `report` is wanted. */
  readonly makeLogs: () => BytePath;
  /** Writes the report beside the logs. */
  readonly write: (fs: FileSystem, logs: BytePath, report: R) => void;
}

/** What all reports of labs have. */
export interface LabReport {
  readonly result: 'pass' | 'fail';
  /** Directory of the logs; absent once they are removed. */
  readonly logs?: string;
}

/**
 * Makes a test in a lab with a directory of its own. Whatever happens, nothing of the lab stays behind but what was asked for; logs stay
 * if the test fails or breaks, and after a success for `keep` or `report`.
 * @throws MkrootError Interrupted in place of whatever the abort of `signal` led to.
 */
export async function inLab<R extends LabReport>(
  ports: Ports,
  { what, temporaryParent, makeLogs, write, report: wanted, keep, signal }: LabPurpose<R>,
  test: (lab: OpenLab) => Promise<R>,
): Promise<R> {
  const { fs, progress } = ports;
  const logs = wanted ?? makeLogs();
  fs.mkdir(logs);
  removeStaleLabs(ports, temporaryParent);
  const directory = reserveLabDirectory(ports, temporaryParent);
  const undoing: (() => void | Promise<void>)[] = [];
  let keepLogs = true;
  try {
    const report = await test({ directory, logs, atEnd: (undo) => undoing.unshift(undo) });
    const withLogs = { ...report, logs: displayPath(logs) };
    keepLogs = report.result === 'fail' || keep || wanted !== undefined;
    write(fs, logs, withLogs);
    return keepLogs ? withLogs : report;
  } catch (error) {
    if (!signal?.aborted) throw error;
    keepLogs = wanted !== undefined;
    throw new MkrootError(`Cannot finish ${what}: interrupted`, {
      exitCode: ExitCode.Interrupted,
      cause: error,
    });
  } finally {
    for (const undo of undoing) await undo();
    if (keep) progress.note(`Kept the lab's files: ${displayPath(directory)}`);
    else fs.remove(directory);
    if (!keepLogs || fs.readdir(logs).length === 0) fs.remove(logs);
  }
}
