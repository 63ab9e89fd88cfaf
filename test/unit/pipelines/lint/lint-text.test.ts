import { expect, it } from 'vitest';
import { severitiesText, totalsText } from '../../../../src/pipelines/lint/lint-text.js';

it('counts one as one', () => {
  const finding = { severity: 'warning' } as const;
  expect(severitiesText([finding])).toBe('0 errors, 1 warning');
  const looked = { recipes: 1, nodes: 4, overlays: 1, layers: 5 };
  expect(totalsText([finding], looked)).toBe('0 errors, 1 warning in 1 recipe, 4 nodes, 1 overlay, 5 layers');
  expect(totalsText([finding, finding, { severity: 'error' }], { ...looked, nodes: 1, layers: 0 })).toBe(
    '1 error, 2 warnings in 1 recipe, 1 node, 1 overlay, 0 layers',
  );
});
