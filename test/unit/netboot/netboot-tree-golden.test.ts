import { test } from 'vitest';
import { renderNetbootTree } from '../../../src/netboot/netboot-tree.js';
import { expectGolden } from '../../support/golden.js';
import { smallSite } from '../../support/small-site.js';

test('a small site renders to the files below test/golden/netboot, byte by byte', () => {
  expectGolden('netboot', renderNetbootTree(smallSite));
});
