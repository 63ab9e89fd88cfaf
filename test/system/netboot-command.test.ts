import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

interface Outcome {
  readonly written: boolean;
  readonly unchanged: number;
  readonly changes: readonly { readonly path: string; readonly change: string }[];
}

let directory: string;
let options: string[];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mkroot-netboot-'));
  const generation = '20261120T041500Z-1a2b3c4d';
  const image = join(directory, 'state/images/compute');
  mkdirSync(join(image, 'generations', generation), { recursive: true });
  mkdirSync(join(image, 'initrds', generation), { recursive: true });
  writeFileSync(join(image, 'generations', generation, 'manifest.json'), '{}');
  writeFileSync(join(image, 'initrds', generation, 'initrd.img'), '');
  symlinkSync(`generations/${generation}`, join(image, 'current'));
  await runMkroot(['init', join(directory, 'site')]);
  options = ['--site', join(directory, 'site'), '--state', join(directory, 'state')];
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('mkroot netboot write: shown first, written, unchanged, one node changed, an edited file kept', async () => {
  const tree = join(directory, 'tree');
  const write = (...more: string[]) => mkrootJson<Outcome>('netboot', 'write', tree, ...options, ...more);

  const shown = await write('--dry-run');
  expect(shown.written).toBe(false);
  expect(existsSync(tree)).toBe(false);
  const first = await write();
  expect(first.changes).toEqual(shown.changes);
  expect(readFileSync(join(tree, 'etc/hosts'), 'utf8')).toContain('n001');
  expect(await write()).toMatchObject({ changes: [], unchanged: first.changes.length });

  expect((await runMkroot(['node', 'set', 'n001', '--boot', 'local', ...options.slice(0, 2)])).exitCode).toBe(
    0,
  );
  const diff = await runMkroot(['netboot', 'write', tree, ...options, '--diff']);
  expect(diff.stdout).toContain('  -DEFAULT mkroot\n  +DEFAULT local\n');
  const { changes } = await write();
  expect(changes.map(({ path }) => path)).toEqual([
    'tftp/grub/grub.cfg-0A010101',
    'tftp/ipxe/10.1.1.1.ipxe',
    'tftp/pxelinux.cfg/0A010101',
  ]);

  writeFileSync(join(tree, 'etc/hosts'), 'edited\n');
  const refused = await runMkroot(['netboot', 'write', tree, ...options]);
  expect(refused.exitCode).toBe(ExitCode.InvalidInput);
  expect(refused.stderr).toContain('etc/hosts: it was changed after mkroot wrote it');
  expect(readFileSync(join(tree, 'etc/hosts'), 'utf8')).toBe('edited\n');
  await write('--force');
  expect(readFileSync(join(tree, 'etc/hosts'), 'utf8')).toContain('n001');
});
