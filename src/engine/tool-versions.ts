import { toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import type { StatCache } from './stat-cache.js';

/** Versions of the host's tools; a tool is only asked again when its file has changed. */
export class ToolVersions {
  constructor(
    private readonly fs: FileSystem,
    private readonly runner: ProcessRunner,
    private readonly cache: StatCache,
  ) {}

  /**
   * The first word with a digit and a dot that `PROGRAM --version` prints (`1.3.5`), or 'absent' if it is not installed.
   * Running the tool for real then says what to install.
   */
  async version(program: string): Promise<string> {
    const path = this.runner.which(program);
    if (path === undefined) return 'absent';
    const file = toBytePath(path);
    const stat = this.fs.lstat(file);
    const known = stat === undefined ? undefined : this.cache.get(file, stat);
    if (known !== undefined) return known;
    const { stdout } = await this.runner.run({
      argv: [path, '--version'],
      // Asked for its version, Debian's dnf would make an empty rpm database below $HOME.
      env: { HOME: '/dev/null' },
      accept: 'any',
    });
    const version = parseVersion(Buffer.from(stdout).toString('utf8'));
    if (stat !== undefined) this.cache.set(file, stat, version);
    return version;
  }
}

/** Finds the version in what a tool prints about itself; the whole first line if nothing in it looks like one. */
export function parseVersion(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return /\b\d+(\.\d+)+[\w.+~-]*/.exec(line)?.[0].replace(/\.$/, '') ?? line.trim();
}
