import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { filesBelow } from './source-files.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const documents = filesBelow([''], /\.md$/);

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function anchorsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => anchor(heading!));
}

describe('documents', () => {
  test('every link to a file or a heading of the repository leads somewhere', () => {
    const broken = documents.flatMap(({ path, text }) => {
      const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
      const links = [...prose.matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(([, md, html]) => md ?? html!);
      return links
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => {
          const [file = '', heading] = link.split('#');
          const target = file === '' ? path : join(dirname(path), file);
          if (!existsSync(join(root, target))) return true;
          if (heading === undefined || !target.endsWith('.md')) return false;
          const linked = documents.find((one) => one.path === target);
          return !anchorsOf(linked?.text ?? '').includes(heading);
        })
        .map((link) => `${path}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  test('docs/exit-codes.md lists exactly the exit codes of src/errors.ts', () => {
    const table = documents.find(({ path }) => path === 'docs/exit-codes.md')?.text ?? '';
    const rows = [...table.matchAll(/^\| (\d+) \| `?(\w+)`? \|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ]);
    expect(Object.fromEntries(rows)).toEqual({ Success: 0, ...ExitCode });
  });
});
