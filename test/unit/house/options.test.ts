import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { filesBelow } from './source-files.js';

const root = resolve(import.meta.dirname, '../../..');

interface Option {
  readonly char?: string;
  readonly hidden?: boolean;
  readonly default?: unknown;
  readonly multiple?: boolean;
  readonly helpValue?: string;
}

/** The options of each command, by its words: `node set`. */
const commands = new Map<string, Readonly<Record<string, Option>>>();

beforeAll(async () => {
  const directory = join(root, 'src/commands');
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    const loaded = await import(join(directory, path));
    const { flags, baseFlags } = loaded.default;
    commands.set(path.replace(/\.ts$/, '').replaceAll('/', ' '), { ...baseFlags, ...flags });
  }
});

/** Pages that users read. */
const pages = () => filesBelow([''], /\.md$/).filter(({ path }) => /^(README\.md$|docs\/[^/]+$)/.test(path));

describe('options in --help', () => {
  test('none has an empty default, nor more dots than three', () => {
    const odd = [...commands].flatMap(([command, options]) =>
      Object.entries(options)
        .filter(
          ([, { default: value, multiple, helpValue }]) =>
            (Array.isArray(value) && value.length === 0) || (multiple && helpValue?.endsWith('...')),
        )
        .map(([name]) => `${command} --${name}`),
    );
    expect(odd).toEqual([]);
  });
});

describe('options in documents', () => {
  test('every option of every command is named in a page', () => {
    const text = pages()
      .map((page) => page.text)
      .join('\n');
    const missing = [...commands].flatMap(([command, options]) =>
      Object.entries(options)
        .filter(
          ([name, { hidden }]) => hidden !== true && !new RegExp(`--(no-)?${name}(?![\\w-])`).test(text),
        )
        .map(([name]) => `${command} --${name}`),
    );
    expect(missing).toEqual([]);
    expect(commands.size).toBeGreaterThan(30);
  });

  test('what pages say to type has options that the command has, and drivers in a form that it takes', () => {
    const wrong = pages().flatMap(({ path, text }) =>
      [...text.matchAll(/(?:`|^ *[#$] |&& )mkroot ((?:[a-z][a-z-]* ?)+)([^`'\n]*)/gm)].flatMap(
        ([, words = '', rest = '']) => {
          const command = [words.trim().split(' ').slice(0, 2).join(' '), words.split(' ')[0]!].find((name) =>
            commands.has(name),
          );
          if (command === undefined) return [];
          const own = rest.split(/ -- |[|;&]|#/)[0]!;
          const options = [...`${words}${own}`.matchAll(/(?<=\s)--([a-z][a-z-]*)/g)].map(([, name]) => name!);
          const known = commands.get(command)!;
          const drivers = [...own.matchAll(/--nic[= ]([^\s]+)/g)].map(([, value]) => value!);
          return [
            ...options.filter(
              (name) =>
                known[name.replace(/^no-/, '')] === undefined &&
                known[name] === undefined &&
                !['help', 'json'].includes(name),
            ),
            ...drivers.filter((value) => !/^([\da-f]{4}(:[\da-f]{4}){1,3}|[\w*?[\]-]+)$/.test(value)),
          ].map((what) => `${path}: mkroot ${command}: ${what}`);
        },
      ),
    );
    expect(wrong).toEqual([]);
  });
});
