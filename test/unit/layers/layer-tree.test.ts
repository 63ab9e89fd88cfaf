import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { childPath, type LayerEntry } from '../../../src/layers/layer-entry.js';
import { LayerTree } from '../../../src/layers/layer-tree.js';
import { type LayerView, StackView } from '../../../src/layers/layer-view.js';
import { decodeOverlaySettings } from '../../../src/layers/overlay-settings.js';
import { OverlayTemplates } from '../../../src/layers/overlay-templates.js';
import { findPaths, matchesPath } from '../../../src/layers/path-pattern.js';
import { settleLayer } from '../../../src/layers/settle-layer.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

/** Every path that a view shows, with its kind. */
function shown(view: LayerView, path = '/'): string[] {
  return view.names(path).flatMap((name) => {
    const child = childPath(path, name);
    const kind = view.entry(child)?.kind;
    return [`${child} ${kind}`, ...(kind === 'directory' ? shown(view, child) : [])];
  });
}

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);

function treeOf(kinds: readonly LayerEntry['kind'][]) {
  return fc.array(fc.tuple(path, fc.constantFrom(...kinds)), { maxLength: 8 }).map((entries) => {
    const tree = new LayerTree('test');
    for (const [at, kind] of entries) tree.put(entryOf(at, kind));
    return tree;
  });
}

function entryOf(at: string, kind: LayerEntry['kind']): LayerEntry {
  const top = { path: at, mode: 0o755, uid: 0, gid: 0, origin: 'test', declared: false };
  if (kind === 'file') return { ...top, kind, content: { data: new Uint8Array() } };
  if (kind === 'directory') return { ...top, kind, clears: false };
  return { ...top, kind: 'whiteout' };
}

describe('layers over each other', () => {
  test('two overlays merged into one layer show what they would show as two', () => {
    const overlay = treeOf(['file', 'directory', 'whiteout']);
    fc.assert(
      fc.property(treeOf(['file', 'directory']), overlay, overlay, (base, lower, upper) => {
        settleLayer(lower, base);
        settleLayer(upper, new StackView([lower, base]));
        const two = shown(new StackView([upper, lower, base]));
        const one = new LayerTree('test');
        one.merge(lower);
        one.merge(upper);
        settleLayer(one, base);
        expect(shown(new StackView([one, base]))).toEqual(two);
      }),
      { numRuns: 500 },
    );
  });

  test('a pattern finds exactly the paths that it matches', () => {
    const pattern = fc.array(fc.constantFrom('a', '*', '?', '[ab]'), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(treeOf(['file', 'directory']), pattern, (tree, parts) => {
        const wanted = `/${parts.join('/')}`;
        const matching = tree
          .entries()
          .map((entry) => entry.path)
          .filter((one) => matchesPath(wanted, one));
        expect([...findPaths(wanted, tree)].sort()).toEqual(matching);
      }),
    );
  });
});

describe('what people write', () => {
  test('no text makes overlay.yaml or a template do anything but decode or tell its problems', () => {
    const scrap = fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      ' if ',
      ' for x in ',
      'endif',
      '|',
      '- path: /a\n',
      'mode: ',
      'delete: [',
      '&a',
      '*a',
      '"',
      '\n',
    );
    const text = fc.array(fc.oneof(scrap, fc.string()), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (some) => {
        const decoded = decodeOverlaySettings(some, 'overlay.yaml');
        expect('settings' in decoded || decoded.problems.length > 0).toBe(true);
        const fs = memoryFileSystem({ '/o/t.liquid': some });
        const rendered = new OverlayTemplates(fs, '/o', 'o').render('/t.liquid', { x: 1 });
        expect('text' in rendered || rendered.problems.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
