import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planImport } from '../../../src/inventory/import-nodes.js';
import { loadInventory, type Site } from '../../../src/inventory/load-inventory.js';
import { createSite } from '../../../src/inventory/new-site.js';
import { originTable } from '../../../src/inventory/node-table.js';
import { resolveNode } from '../../../src/inventory/resolve-node.js';
import { setNode } from '../../../src/inventory/set-node.js';
import { writeImport } from '../../../src/inventory/write-import.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

test('docs/inventory.md shows what `mkroot nodes show` prints, line by line', () => {
  const page = readFileSync(new URL('../../../docs/inventory.md', import.meta.url), 'utf8');
  const shown = /^\$ mkroot nodes show n003\n([\s\S]*?)^```/m.exec(page)?.[1];
  const fs = memoryFileSystem();
  const images = ['compute', 'compute-bookworm'];
  const site: Site = { directory: '/mycluster', workingDirectory: '/mycluster', images };
  createSite(fs, site.directory, { 'recipes/compute.yaml': new TextEncoder().encode('name: compute\n') });
  const names = ['n001', 'n002', 'n003', 'n004'];
  const seen = [1, 2, 3, 7].map((last, index) => ({ mac: `52:54:00:00:00:0${last}`, line: index + 1 }));
  writeImport(fs, site, planImport(loadInventory(fs, site), seen, { names }).nodes);
  setNode(fs, site, 'n003', { values: [{ field: 'image', value: 'compute-bookworm' }] });
  expect(`${originTable(resolveNode(loadInventory(fs, site), 'n003')).join('\n')}\n`).toBe(shown);
});
