import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';

const EXECUTABLE = fileURLToPath(new URL('../../../bin/mkroot.js', import.meta.url));

it('a Node.js that is too old, as that of Debian 12, is said before anything else', () => {
  const older =
    'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } })';
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ['--import', older, EXECUTABLE, '--version'],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stdout, stderr }).toEqual({
    status: ExitCode.MissingTool,
    stdout: '',
    stderr: `mkroot: Cannot run on Node.js 18.20.4 (${process.execPath}): it takes 20 or newer\nhint: Debian 13 has it as nodejs; for others it comes from nodejs.org.\n`,
  });
});

it('a clone that is not compiled says where to compile it, with a documented exit code', () => {
  const clone = mkdtempSync(join(tmpdir(), 'mkroot-clone-'));
  try {
    cpSync(EXECUTABLE, join(clone, 'bin/mkroot.js'));
    cpSync(join(EXECUTABLE, '../../package.json'), join(clone, 'package.json'));
    const { status, stderr } = spawnSync(process.execPath, [join(clone, 'bin/mkroot.js'), 'build'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({
      status: ExitCode.MissingTool,
      stderr: `mkroot: Cannot run: it is not compiled yet\nhint: Run in ${clone}/: npm ci && npm run build\n`,
    });
  } finally {
    rmSync(clone, { recursive: true });
  }
});
