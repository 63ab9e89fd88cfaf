import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { DiskFileSystem } from '../../../../src/host/disk-file-system.js';
import { createSite } from '../../../../src/inventory/new-site.js';
import { lintSite } from '../../../../src/pipelines/lint/lint-site.js';
import { listRecipes } from '../../../../src/recipe/load-recipe.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'mkroot-shipped-'));
afterAll(() => rmSync(directory, { recursive: true }));

const SITES = readdirSync(join(root, 'docs/examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const fs = new DiskFileSystem();

function lint(site: string) {
  const directories = [join(site, 'recipes'), join(root, 'recipes')];
  return lintSite(fs, {
    site: {
      directory: site,
      workingDirectory: site,
      images: listRecipes(fs, directories).map(({ name }) => name),
    },
    recipes: { workingDirectory: site, directories, hostArchitecture: 'amd64' },
    state: join(directory, 'state'),
    version: '',
  });
}

describe('mkroot lint finds nothing', () => {
  test('in what mkroot init writes, with every recipe that comes with mkroot', () => {
    const site = join(directory, 'site');
    createSite(fs, site, {});
    cpSync(join(root, 'recipes'), join(site, 'recipes'), { recursive: true });
    const { findings, looked } = lint(site);
    expect(findings).toEqual([]);
    expect(looked).toMatchObject({ recipes: 7, overlays: 1, nodes: 4 });
  });

  test.each(SITES)('in the example %s', (name) => {
    const { findings, looked } = lint(join(root, 'docs/examples', name));
    expect(findings).toEqual([]);
    expect(looked.nodes).toBeGreaterThan(0);
  });
});
