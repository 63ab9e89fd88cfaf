import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const GOLDEN = fileURLToPath(new URL('../golden', import.meta.url));

/**
 * Compares files with those below test/golden/NAME, byte by byte and in both directions. `npm run golden` writes them
 * instead; what changed is then seen in git diff.
 */
export function expectGolden(name: string, files: ReadonlyMap<string, string>): void {
  const directory = join(GOLDEN, name);
  if (process.env['MKROOT_UPDATE_GOLDEN'] === '1') {
    rmSync(directory, { recursive: true, force: true });
    for (const [path, text] of files) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return;
  }
  const stored = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  expect([...files.keys()].sort()).toEqual(stored.sort());
  for (const [path, text] of files) {
    expect(text, `${path} is not as in test/golden/${name}; if it should change: npm run golden`).toBe(
      readFileSync(join(directory, path), 'utf8'),
    );
  }
}
