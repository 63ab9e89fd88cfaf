import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../../src/decode/json-schema.js';
import { DiskFileSystem } from '../../../src/host/disk-file-system.js';
import { listRecipes, loadRecipe } from '../../../src/recipe/load-recipe.js';
import { recipeJsonSchema } from '../../../src/recipe/recipe-json-schema.js';
import { recipeReference } from '../../../src/recipe/recipe-reference.js';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const recipes = new URL('recipes', root).pathname;
const fs = new DiskFileSystem();

describe('files generated from the schema (npm run docs)', () => {
  test('docs/recipe-reference.md is current', () => {
    expect(read('docs/recipe-reference.md')).toBe(recipeReference());
  });

  test('recipes/recipe.schema.json is current', () => {
    expect(JSON.parse(read('recipes/recipe.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(recipeJsonSchema())),
    );
  });

  test('every field has a description', () => {
    const bare: string[] = [];
    const visit = (schema: JsonSchema, path: string) => {
      for (const [name, field] of Object.entries(schema.properties ?? {})) {
        if (field.description === undefined) bare.push(`${path}${name}`);
        visit(field, `${path}${name}.`);
        if (field.items !== undefined) visit(field.items, `${path}${name}[].`);
      }
    };
    visit(recipeJsonSchema(), '');
    expect(bare).toEqual([]);
  });
});

describe('recipes that come with mkroot', () => {
  const listed = listRecipes(fs, [recipes]);

  test('are at least compute, compute-bookworm, compute-arm64 and minimal', () => {
    expect(listed.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['compute', 'compute-bookworm', 'compute-arm64', 'minimal']),
    );
  });

  test.each(listed.map(({ name, file }) => [name, file] as const))(
    '%s decodes, is named like its file and tells editors its schema',
    (name, file) => {
      const { recipe } = loadRecipe(fs, file, {
        workingDirectory: recipes,
        directories: [],
        hostArchitecture: 'amd64',
      });
      expect(recipe.name).toBe(name);
      expect(readFileSync(file, 'utf8')).toMatch(
        /^# yaml-language-server: \$schema=\.\/recipe\.schema\.json\n/,
      );
    },
  );

  test('hold no name of a mirror: those of Debian no address at all, others only lists of mirrors and keys', () => {
    for (const name of readdirSync(recipes)) {
      const text = read(`recipes/${name}`);
      const rpm = /^rpm:$/m.test(text);
      const addresses = text
        .split('\n')
        .filter((line) => /https?:\/\/(?!json-schema\.org)/.test(line))
        .filter((line) => !rpm || !/^ +(metalink|mirrorlist|keys): \[?https:/.test(line));
      expect(addresses, name).toEqual([]);
    }
  });
});
