import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.mkroot', 'golden', 'coverage']);

/** A file of the repository. */
export interface SourceFile {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** Every file below some top-level names whose path matches, in alphabetical order. */
export function filesBelow(tops: readonly string[], wanted: RegExp): SourceFile[] {
  const below = (path: string): string[] =>
    readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : below(child);
      return entry.isFile() && wanted.test(child) ? [child] : [];
    });
  return tops
    .flatMap(below)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The TypeScript files of the product. */
export const productFiles = filesBelow(['src'], /\.ts$/);

/** What a file imports: paths relative to the repository for its own files, names for packages. */
export function importsOf({ path, text }: SourceFile): string[] {
  const found = [
    ...text.matchAll(/^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ...text.matchAll(/^import\s+['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g),
  ].map(([, name]) => name!);
  return found.map((name) => (name.startsWith('.') ? normalize(join(dirname(path), name)) : name));
}

/** Lines that match, as `path:line: text`, for messages that can be clicked. */
export function linesMatching(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}
