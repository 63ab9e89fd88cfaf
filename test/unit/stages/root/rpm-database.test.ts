import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import type { Ports } from '../../../../src/ports/ports.js';
import { settleRpmDatabase } from '../../../../src/stages/root/rpm-database.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const PACKAGES = 'bash\t0:5-1\tx86_64\nrpm\t0:4-1\tx86_64\n';

/** A root whose own rpm looks at `place`, and sees `known` before and `imported` after an import of headers. */
function root({ place = '/usr/lib/sysimage/rpm', known = PACKAGES, imported = PACKAGES, withRpm = true }) {
  const fs = memoryFileSystem({
    '/r/var/lib/rpm/rpmdb.sqlite': 'database',
    '/r/var/lib/rpm/.rpm.lock': '',
    ...(withRpm ? { '/r/usr/bin/rpm': 'program' } : {}),
  });
  const commands: string[] = [];
  let answer = known;
  const completed = (text: string) => ({
    exitCode: 0,
    signal: undefined,
    stdout: Buffer.from(text),
    stderr: '',
    durationMs: 1,
  });
  const tree = {
    hostPath: '/r',
    run: async (argv: readonly string[], { input }: { readonly input?: unknown } = {}) => {
      commands.push(argv.slice(0, 2).join(' '));
      if (argv.includes('--eval')) return completed(`${place}\n`);
      if (argv.includes('--importdb')) {
        expect(input).toEqual(Buffer.from('headers'));
        answer = imported;
      }
      return completed(answer);
    },
    runOnHost: async (argv: readonly string[]) => {
      commands.push(argv.slice(0, 2).join(' '));
      return completed('headers');
    },
  };
  const runner = new ScriptedRunner({ cp: {}, rpm: { stdout: PACKAGES } });
  const ports = { fs, runner } as unknown as Ports;
  return {
    fs,
    commands,
    settle: () => settleRpmDatabase(tree, '/var/lib/rpm', { ports, scratch: '/scratch', logFile: '/log' }),
  };
}

describe('the rpm database', () => {
  it("goes where the root's own rpm looks, and nothing stays behind", async () => {
    const { fs, settle } = root({});
    await settle();
    expect(Buffer.from(fs.readFile('/r/usr/lib/sysimage/rpm/rpmdb.sqlite')).toString()).toBe('database');
    expect(fs.readdir('/r/usr/lib/sysimage/rpm')).toEqual(['rpmdb.sqlite']);
    expect(fs.lstat('/r/var/lib/rpm')).toBeUndefined();
  });

  it('stays where it is if the root has no rpm, or one that looks there', async () => {
    for (const kind of [{ withRpm: false }, { place: '/var/lib/rpm' }]) {
      const { fs, settle } = root(kind);
      await settle();
      expect(fs.readdir('/r/var/lib/rpm')).toEqual(['rpmdb.sqlite']);
    }
  });

  it('is written anew by an rpm that does not know its format', async () => {
    const { fs, commands, settle } = root({ known: '' });
    await settle();
    expect(commands.filter((line) => line.startsWith('rpmdb'))).toEqual([
      'rpmdb --dbpath=/r/usr/lib/sysimage/rpm',
      'rpmdb --importdb',
    ]);
    expect(fs.lstat('/r/usr/lib/sysimage/rpm/rpmdb.sqlite')).toBeUndefined();
  });

  it('that rpm does not understand in any way is an error', async () => {
    await expect(root({ known: '', imported: 'bash\t0:5-1\tx86_64\n' }).settle()).rejects.toThrow(
      expect.objectContaining({
        exitCode: ExitCode.ToolFailed,
        message: expect.stringContaining('knows 1 packages, not 2'),
      }),
    );
  });
});
