import { suggestion } from '../decode/nearest-name.js';
import type { ParsedYaml } from '../decode/parse-yaml.js';
import { pathText, type ValuePath } from '../decode/position.js';
import type { Problem } from '../decode/problem.js';
import { distributionProblems, kernels } from './distribution-rules.js';

/** Fields that name a file or directory of the host, relative to the recipe. `*` stands for every list entry. */
const HOST_PATHS = [
  'keyring',
  'sources.*.signedBy',
  'files.*.source',
  'overlays.*',
  'initrd.files.*.source',
  'layers.cluster',
  ...['file', 'image', 'modules'].flatMap((field) => [`kernel.${field}`, `kernel.*.${field}`]),
  'rpm.repositories.*.keys.*',
];

/** Fields in which no value may occur twice. */
const UNIQUE = [
  'packages.*',
  'users.*.name',
  'users.*.uid',
  'files.*.destination',
  'initrd.files.*.destination',
  'rpm.repositories.*.name',
  ...['package', 'file', 'image', 'modules'].map((field) => `kernel.*.${field}`),
];

/** Suites of the Debian archive; checked only when the recipe takes them from there. */
const SUITES = [
  'bullseye',
  'bookworm',
  'trixie',
  'forky',
  'sid',
  'oldoldstable',
  'oldstable',
  'stable',
  'testing',
  'unstable',
];

/**
 * What a schema cannot say: values that must differ, files that must exist, suites that nobody publishes. Works on the
 * raw document, so that its problems are told together with those of the schema.
 */
export function checkRecipe(yaml: ParsedYaml, exists: (path: string) => boolean): Problem[] {
  return [
    ...missingFiles(yaml, exists),
    ...repeatedValues(yaml),
    ...unknownSuite(yaml),
    ...kernelProblems(yaml),
    ...distributionProblems(yaml.value).map(({ path, message }) => ({
      position: yaml.position(path),
      message,
    })),
  ];
}

function* missingFiles(yaml: ParsedYaml, exists: (path: string) => boolean): Iterable<Problem> {
  for (const pattern of HOST_PATHS) {
    for (const { path, value } of select(yaml.value, pattern)) {
      if (typeof value !== 'string' || value === '' || isUrl(value) || exists(value)) continue;
      yield {
        position: yaml.position(path),
        message: `${pathText(path)} "${value}" does not exist (relative paths start at the recipe)`,
      };
    }
  }
}

/** Keys of rpm repositories may be fetched. */
function isUrl(value: string): boolean {
  return /^https:\/\//.test(value);
}

function* repeatedValues(yaml: ParsedYaml): Iterable<Problem> {
  for (const pattern of UNIQUE) {
    const seen = new Map<unknown, ValuePath>();
    for (const { path, value } of select(yaml.value, pattern)) {
      if (value === undefined || (typeof value === 'object' && value !== null)) continue;
      const first = seen.get(value);
      if (first === undefined) {
        seen.set(value, path);
        continue;
      }
      yield {
        position: yaml.position(path),
        message: `${pathText(path)} ${JSON.stringify(value)} is there already, in line ${yaml.position(first).line}`,
      };
    }
  }
}

function* unknownSuite(yaml: ParsedYaml): Iterable<Problem> {
  const [suite] = select(yaml.value, 'suite');
  const [mirror] = select(yaml.value, 'mirror');
  if (typeof suite?.value !== 'string' || mirror?.value !== undefined) return;
  const base = suite.value.replace(/-(security|updates|backports|proposed-updates)$/, '');
  if (SUITES.includes(base) || !/^[a-z]/.test(base)) return;
  yield {
    position: yaml.position(suite.path),
    message: `suite "${suite.value}" is not known (${SUITES.join(', ')})${suggestion(base, SUITES)}`,
  };
}

/** A kernel comes from one place; image and modules are one together. */
function* kernelProblems(yaml: ParsedYaml): Iterable<Problem> {
  for (const [path, kernel] of kernels(yaml.value)) {
    const given = ['package', 'file', 'image', 'modules'].filter((field) => kernel[field] !== undefined);
    const places = new Set(given.map((field) => (field === 'modules' ? 'image' : field)));
    const position = yaml.position(path);
    if (places.size > 1) {
      yield {
        position,
        message: `${pathText(path)} has ${given.join(' and ')}: it can come from one place only`,
      };
    } else if (given.length === 1 && places.has('image')) {
      const other = given[0] === 'image' ? 'modules' : 'image';
      yield { position, message: `${pathText(path)} has ${given[0]}, which needs ${other} beside it` };
    }
  }
}

/** Every value that a pattern such as `files.*.source` reaches. */
function select(root: unknown, pattern: string): { path: ValuePath; value: unknown }[] {
  let reached: { path: ValuePath; value: unknown }[] = [{ path: [], value: root }];
  for (const step of pattern.split('.')) {
    reached = reached.flatMap(({ path, value }) => {
      if (step === '*') {
        return Array.isArray(value)
          ? value.map((item: unknown, index) => ({ path: [...path, index], value: item }))
          : [];
      }
      return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? [{ path: [...path, step], value: (value as Record<string, unknown>)[step] }]
        : [];
    });
  }
  return reached;
}
