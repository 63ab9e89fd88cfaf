import { describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../../src/errors.js';
import type { Ports } from '../../../../src/ports/ports.js';
import { installFresh, sourceStanza } from '../../../../src/stages/root/install-packages.js';
import { SilentProgress } from '../../../support/silent-progress.js';

/** An apt-get that fails as told, the first time. */
function apt(details: readonly string[]) {
  const calls: string[] = [];
  return {
    calls,
    run: async (...args: readonly string[]) => {
      calls.push(args.join(' '));
      if (calls.length === 1)
        throw new MkrootError('Cannot run apt-get', { exitCode: ExitCode.ToolFailed, details });
    },
  };
}

const context = () => {
  const progress = new SilentProgress();
  return { task: progress.task('install'), ports: { progress } as unknown as Ports };
};

describe('installFresh', () => {
  it('fetches new lists when the archive has dropped a version that the cached ones name', async () => {
    const { calls, run } = apt(['  | E: Failed to fetch http://a.test/udev_1.deb  404  Not Found']);
    await installFresh({ run }, ['udev'], context());
    expect(calls).toEqual(['install udev', 'update', 'install udev']);
  });

  it('does not hide another failure', async () => {
    const { calls, run } = apt(['  | E: Unable to locate package nopkg']);
    await expect(installFresh({ run }, ['nopkg'], context())).rejects.toThrow(MkrootError);
    expect(calls).toEqual(['install nopkg']);
  });
});

describe('sourceStanza', () => {
  it('writes deb822 with the key that it is signed by', () => {
    const source = { uris: ['http://a.test/x'], suites: ['stable'], components: ['main', 'extra'] };
    expect(sourceStanza(source, '/etc/apt/keyrings/mkroot-1.asc')).toBe(
      'Types: deb\nURIs: http://a.test/x\nSuites: stable\nComponents: main extra\nSigned-By: /etc/apt/keyrings/mkroot-1.asc\n',
    );
    expect(sourceStanza(source, undefined)).not.toContain('Signed-By');
  });
});
