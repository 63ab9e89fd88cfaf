import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, describe, it } from 'vitest';
import { MATRIX, MatrixLab } from '../support/boot-matrix.js';
import { judgeRoot } from '../support/judge-roots.js';

const directory = mkdtempSync('/var/tmp/mkroot-test-boot-matrix-');
const lab = new MatrixLab(directory);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const roots = { bookworm: () => judgeRoot('bookworm'), trixie: () => judgeRoot('trixie') } as const;

describe('boots to zero failed units and to a clean power-off', () => {
  it.each(MATRIX)('$distribution by $firmware and $transport', (boot) =>
    lab.expectBoot(roots[boot.distribution](), boot),
  );
});
