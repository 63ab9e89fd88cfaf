import { expect, test } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { nodeStatus } from '../../../../src/pipelines/serve/node-status.js';
import type { ProcessRunner } from '../../../../src/ports/process-runner.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

test('a range that cannot be read is a wrong argument of mkroot status, whatever was published', async () => {
  const none = () => {
    throw new Error('nothing is run');
  };
  const runner: ProcessRunner = { which: none, run: none, start: none };
  const ports = { fs: memoryFileSystem({}), runner } as unknown as Parameters<typeof nodeStatus>[0];
  for (const names of ['n[1', '']) {
    await expect(nodeStatus(ports, { state: '/state', names, failed: false })).rejects.toMatchObject({
      exitCode: ExitCode.Usage,
    });
  }
});
