import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { setInYaml } from '../../../src/decode/edit-yaml.js';
import { MkrootError } from '../../../src/errors.js';

describe('setting one value in YAML', () => {
  test.each([
    [
      'a value is replaced, its comment stays',
      'nodes:   # all\n  n1:   {  ip: 10.1.1.1,   image: "a"  } # first\n',
      ['nodes', 'n1', 'image'],
      'b',
      'nodes:   # all\n  n1:   {  ip: 10.1.1.1,   image: b  } # first\n',
    ],
    [
      'a field is added to a mapping on one line',
      'nodes:\n  n1: { ip: 10.1.1.1 }\n  n2: {}\n',
      ['nodes', 'n1', 'image'],
      'b',
      'nodes:\n  n1: { ip: 10.1.1.1, image: b }\n  n2: {}\n',
    ],
    [
      'a field is added to a mapping on several lines, before the comment of what follows',
      'nodes:\n  n1:\n    ip: 10.1.1.1  # fixed\n\n  # the second\n  n2: {}\n',
      ['nodes', 'n1', 'image'],
      'b',
      'nodes:\n  n1:\n    ip: 10.1.1.1  # fixed\n    image: b\n\n  # the second\n  n2: {}\n',
    ],
    [
      'a mapping that is not there is added at the end',
      'a: 1 # one',
      ['overrides', 'n[1-4,7]', 'image'],
      'compute-bookworm',
      'a: 1 # one\noverrides:\n  n[1-4,7]: { image: compute-bookworm }\n',
    ],
    [
      'an entry is added to a mapping at the end',
      'overrides:\n  n1: { image: a }\n',
      ['overrides', 'n2', 'boot'],
      'local',
      'overrides:\n  n1: { image: a }\n  n2: { boot: local }\n',
    ],
    [
      'an empty field is filled',
      'overrides:\na: 1\n',
      ['overrides', 'n1', 'x'],
      1,
      'overrides: { n1: { x: 1 } }\na: 1\n',
    ],
    ['an empty mapping is filled', 'nodes: {n2: {}}\n', ['nodes', 'n2', 'x'], 'y', 'nodes: {n2: { x: y }}\n'],
    [
      'after a text of several lines',
      'a:\n  b: |\n    x\n    y\nc: 1\n',
      ['a', 'd'],
      'e',
      'a:\n  b: |\n    x\n    y\n  d: e\nc: 1\n',
    ],
    [
      'a name that is spelt as a number',
      'nodes:\n  007: { ip: x }\n',
      ['nodes', '007', 'image'],
      'a',
      'nodes:\n  007: { ip: x, image: a }\n',
    ],
    ['an empty file', '', ['csv'], 'nodes.csv', 'csv: nodes.csv\n'],
    ['a value that YAML would take for something else', 'a: x\n', ['a'], 'no', 'a: "no"\n'],
  ] as const)('%s', (_, text, keys, value, expected) => {
    expect(setInYaml(text, keys as unknown as [string, ...string[]], value)).toBe(expected);
  });

  test.each([
    ['a list', 'nodes: [a]\n'],
    ['an alias', 'x: &x { a: 1 }\nnodes: *x\n'],
    ['no YAML', 'nodes: [\n'],
  ])('%s on the way is left to people', (_, text) => {
    expect(() => setInYaml(text, ['nodes', 'n1', 'image'], 'a')).toThrow(MkrootError);
  });

  test('of any mapping, on lines or in braces, changes that value and nothing else', () => {
    const name = fc.constantFrom('a', 'b', 'c1', 'd-e');
    const tree = fc.dictionary(name, fc.dictionary(name, fc.oneof(name, fc.nat(), fc.constant(null))));
    const indent = (key: string, values: Record<string, unknown>, braces: boolean) =>
      braces
        ? `${key}: ${JSON.stringify(values)} # c\n`
        : `${key}:\n${Object.entries(values)
            .map(([field, value]) => `   ${field}: ${value ?? ''} # c\n`)
            .join('')}`;
    fc.assert(
      fc.property(tree, fc.boolean(), name, name, fc.string(), (values, braces, key, field, value) => {
        const text = Object.entries(values)
          .map(([each, fields]) => indent(each, fields, braces))
          .join('# between\n');
        const before = (parse(text) ?? {}) as Record<string, Record<string, unknown>>;
        const edited = setInYaml(text, [key, field], value);
        expect(parse(edited)).toEqual({ ...before, [key]: { ...before[key], [field]: value } });
        for (const comment of text.match(/#.*/g) ?? []) expect(edited).toContain(comment);
      }),
    );
  });
});
