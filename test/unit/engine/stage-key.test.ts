import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/engine/canonical-json.js';
import { inputDifferences } from '../../../src/engine/input-differences.js';
import { type StageInputs, stageKey } from '../../../src/engine/stage-key.js';

const base: StageInputs = {
  stage: 'install-packages',
  version: 1,
  options: { packages: ['kmod', 'udev'], hostname: 'a' },
  input: 'aa',
  files: { '/srv/motd': '11' },
  tools: { mmdebstrap: '1.3.5' },
};

describe('stageKey', () => {
  it('is the same whatever the order of names', () => {
    expect(stageKey({ ...base, options: { hostname: 'a', packages: ['kmod', 'udev'] } })).toBe(
      stageKey(base),
    );
  });

  it.each<[string, Partial<StageInputs>]>([
    ['the stage', { stage: 'other' }],
    ["its code's version", { version: 2 }],
    ['an option', { options: { packages: ['kmod', 'udev'], hostname: 'b' } }],
    ['the order of a list', { options: { packages: ['udev', 'kmod'], hostname: 'a' } }],
    ['the input', { input: 'bb' }],
    ['a file', { files: { '/srv/motd': '22' } }],
    ['a tool', { tools: { mmdebstrap: '1.3.6' } }],
  ])('changes with %s', (_, change) => {
    expect(stageKey({ ...base, ...change })).not.toBe(stageKey(base));
  });
});

describe('canonicalJson', () => {
  it('sorts names at every depth and keeps lists', () => {
    expect(canonicalJson({ b: [2, { d: null, c: 'x' }], a: true })).toBe(
      '{"a":true,"b":[2,{"c":"x","d":null}]}',
    );
  });
});

describe('inputDifferences', () => {
  it('says field by field what differs, packages as a set', () => {
    expect(
      inputDifferences(base, {
        ...base,
        version: 2,
        input: 'bb',
        options: { packages: ['htop', 'kmod'], hostname: 'b' },
        files: { '/srv/motd': '22', '/srv/new': '33' },
        tools: { mmdebstrap: '1.3.6' },
      }),
    ).toEqual([
      "the stage's code: version 1 -> 2",
      'the result of the stage before',
      'tool mmdebstrap: 1.3.5 -> 1.3.6',
      'hostname: a -> b',
      'packages: + htop, - udev',
      'file /srv/motd: changed',
      'file /srv/new: new',
    ]);
  });

  it('is empty for the same declaration and tells another order of a list', () => {
    expect(inputDifferences(base, base)).toEqual([]);
    expect(
      inputDifferences(base, { ...base, options: { packages: ['udev', 'kmod'], hostname: 'a' } }),
    ).toEqual(['packages: another order']);
  });

  it('tells a file that is gone', () => {
    expect(inputDifferences(base, { ...base, files: {} })).toEqual(['file /srv/motd: gone']);
  });
});
