import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { fittingScenarios } from '../../../../src/pipelines/boot-test/run-scenarios.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const everywhere = { name: 'everywhere', title: 'T', items: [] };
const sysv = { name: 'sysv', title: 'T', items: [], needs: ['/etc/inittab'] };
const containers = { name: 'containers', title: 'T', items: [], needs: ['/bin/busybox', '/bin/podman'] };

describe('scenarios that are about programs', () => {
  const fs = memoryFileSystem({
    '/root/bin': { link: 'usr/bin' },
    '/root/usr/bin/busybox': 'program',
    '/root/etc/inittab': 'id:2:initdefault:\n',
    '/bin/podman': 'of the host, which does not count',
  });

  it('are run where the root has them, and left out of all with what it lacks', () => {
    const { fitting, leftOut } = fittingScenarios(fs, '/root', [everywhere, sysv, containers], ['all']);
    expect(fitting.map(({ name }) => name)).toEqual(['everywhere', 'sysv']);
    expect(leftOut).toEqual([{ name: 'containers', lacks: '/bin/podman' }]);
  });

  it('are an error where they were asked for by name', () => {
    try {
      fittingScenarios(fs, '/root', [containers], ['containers']);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        message: 'Cannot run the scenario "containers": the root has no /bin/podman',
        exitCode: ExitCode.NotFound,
      });
    }
  });
});
