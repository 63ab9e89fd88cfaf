import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  explainEntry,
  explainSidecar,
  renderChain,
  renderExplanation,
} from '../../../src/archive/explain.js';
import { describeReason, isReason } from '../../../src/archive/reason.js';
import { parseSidecar } from '../../../src/archive/sidecar.js';
import { MkrootError } from '../../../src/errors.js';

const whole = {
  format: 1,
  sha256: '00',
  modules: ['tg3'],
  builtins: [],
  nics: ['tg3'],
  entries: [
    { path: 'a', kind: 'file', size: 1, mode: '0644', reasons: [{ kind: 'option', option: '--nic tg3' }] },
  ],
};

/** Damages that once were not seen: an entry that is null, a reason that is null or of an unknown kind. */
const SEEDS = [
  { ...whole, entries: [null] },
  { ...whole, entries: [{ ...whole.entries[0], reasons: [null] }] },
  { ...whole, entries: [{ ...whole.entries[0], reasons: [{ kind: 'toString' }] }] },
  { ...whole, modules: undefined },
];

describe('parseSidecar', () => {
  it.each(SEEDS.map((seed) => [JSON.stringify(seed)]))('refuses %s', (text) => {
    expect(() => parseSidecar(text, 'x.json')).toThrow(/^Cannot read the sidecar "x.json": it /);
  });

  it('takes anything apart or refuses it, and what it takes can be explained', () => {
    const reason = fc.oneof(
      fc.constant(whole.entries[0]!.reasons[0]),
      fc.record({ kind: fc.constantFrom('needed', 'recipe', 'link', 'x'), of: fc.jsonValue() }),
      fc.jsonValue(),
    );
    const entry = fc.record(
      {
        path: fc.oneof(fc.string(), fc.jsonValue()),
        kind: fc.constantFrom('file', 'symlink', 1),
        size: fc.oneof(fc.nat(), fc.jsonValue()),
        reasons: fc.array(reason),
      },
      { requiredKeys: ['path', 'kind'] },
    );
    const damaged = fc.record({ entries: fc.array(fc.oneof(entry, fc.jsonValue())), nics: fc.jsonValue() });
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      damaged.map((fields) => JSON.stringify({ ...whole, ...fields })),
      fc.array(entry).map((entries) => JSON.stringify({ ...whole, entries })),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          const sidecar = parseSidecar(one, 'x.json');
          renderExplanation(explainSidecar(sidecar));
          for (const { path } of sidecar.entries) explainEntry(sidecar, path).map(renderChain);
        } catch (error) {
          if (!(error instanceof MkrootError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('isReason', () => {
  it('takes what describeReason can say, and no more', () => {
    expect(isReason({ kind: 'softdep', of: 'tg3', when: 'pre' })).toBe(true);
    expect(isReason({ kind: 'softdep', of: 'tg3' })).toBe(false);
    expect(describeReason({ kind: 'softdep', of: 'tg3', when: 'pre' })).toBe('softdep (pre) of module tg3');
  });
});
