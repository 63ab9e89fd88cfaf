import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const skeleton = join(root, 'initramfs-skel');

/** The message of each call of `die` and `trouble`, as the shell source has it. */
function messages(): { file: string; message: string }[] {
  return readdirSync(skeleton, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ parentPath, name }) =>
      readFileSync(join(parentPath, name), 'utf8')
        .split('\n')
        .filter((line) => !/^\s*#/.test(line))
        .flatMap((line) => {
          const call = /\b(?:die|trouble) (?:-|[\w$]\S*|"(?:[^"\\]|\\.)*") "((?:[^"\\]|\\.)*)"/.exec(line);
          return call === null ? [] : [{ file: name, message: call[1]! }];
        }),
    );
}

/** The longest clause of a message that is the same for every node: what lies between variables and punctuation. */
function fixedPart(message: string): string {
  const parts = message.split(/\$\{[^}]*\}|\$\(\([^)]*\)\)|\$\w+|\\"|[:,;()] ?/).map((part) => part.trim());
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '');
}

it('docs/troubleshooting.md has a remedy for every failure that /init can tell', () => {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const told = messages().map(({ file, message }) => ({ file, fixed: fixedPart(message) }));
  expect(told.length).toBeGreaterThan(20);
  // With less of its own than two words a message repeats those of the kernel or a server, which have rows too.
  const absent = told.filter(({ fixed }) => fixed.length > 10 && !page.includes(fixed));
  expect(absent).toEqual([]);
});
