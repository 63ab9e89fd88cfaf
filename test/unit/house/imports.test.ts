import { describe, expect, test } from 'vitest';
import { importsOf, productFiles } from './source-files.js';

const BASE = ['errors', 'ports'];
const DOMAIN_NEEDS = [...BASE, 'decode', 'rootfs', 'sandbox'];
const DOMAINS = [
  'archive',
  'doctor',
  'elf',
  'images',
  'inventory',
  'kmod',
  'layers',
  'netboot',
  'recipe',
  'serving',
  'vm',
];

/** Folder of src/ -> folders that it may look at, besides itself. Domain folders do not see each other: a stage joins them. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  ports: ['errors'],
  decode: BASE,
  rootfs: BASE,
  sandbox: BASE,
  host: BASE,
  ...Object.fromEntries(DOMAINS.map((domain) => [domain, DOMAIN_NEEDS])),
  engine: BASE,
  stages: [...DOMAIN_NEEDS, ...DOMAINS, 'engine'],
  pipelines: [...DOMAIN_NEEDS, ...DOMAINS, 'engine', 'stages'],
  cli: [...DOMAIN_NEEDS, ...DOMAINS, 'host'],
  commands: [...DOMAIN_NEEDS, ...DOMAINS, 'stages', 'pipelines', 'cli'],
};

/** Node modules that act on the world. The others (path, zlib, crypto, ...) compute only and are free for all. */
const WORLD =
  /^node:(fs|fs\/promises|child_process|net|http|https|dgram|dns|os|process|readline|tty|worker_threads|cluster)$/;

/** Runs as a step of `npm run build`, not in mkroot; it writes the manifest that oclif reads. */
const BUILD_STEP = 'src/cli/write-command-manifest.ts';

function folderOf(path: string): string {
  return path.split('/')[1]!.replace(/\.[jt]s$/, '');
}

describe('imports go one way', () => {
  test('every folder of src/ has its place in the table', () => {
    const unknown = new Set(
      productFiles.map(({ path }) => folderOf(path)).filter((name) => !(name in MAY_IMPORT)),
    );
    expect([...unknown]).toEqual([]);
  });

  test('commands -> pipelines -> stages -> domain folders -> rootfs, sandbox -> ports, errors', () => {
    const wrong = productFiles.flatMap((file) => {
      const from = folderOf(file.path);
      return importsOf(file)
        .filter((target) => target.startsWith('src/'))
        .filter((target) => folderOf(target) !== from && !MAY_IMPORT[from]?.includes(folderOf(target)))
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('only src/host touches the machine: execa and the modules of Node that act on it', () => {
    const wrong = productFiles
      .filter(({ path }) => !path.startsWith('src/host/') && path !== BUILD_STEP)
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => name === 'execa' || WORLD.test(name))
          // Where temporary files belong is a fact of the process, as its arguments are: commands may know it.
          .filter((name) => !(name === 'node:os' && /^src\/(cli|commands)\//.test(file.path)))
          .map((name) => `${file.path} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  test('only src/cli and src/commands know oclif', () => {
    const wrong = productFiles
      .filter(({ path }) => !/^src\/(cli|commands)\//.test(path))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => name.startsWith('@oclif'))
          .map((name) => `${file.path} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  test('no import goes in a circle', () => {
    const graph = new Map(
      productFiles.map((file) => [
        file.path,
        importsOf(file)
          .filter((name) => name.startsWith('src/'))
          .map((name) => name.replace(/\.js$/, '.ts')),
      ]),
    );
    const finished = new Set<string>();
    const circle = (path: string, way: readonly string[]): string | undefined => {
      if (way.includes(path)) return [...way.slice(way.indexOf(path)), path].join(' -> ');
      if (finished.has(path)) return undefined;
      const found = (graph.get(path) ?? [])
        .map((next) => circle(next, [...way, path]))
        .find((one) => one !== undefined);
      finished.add(path);
      return found;
    };
    expect(
      [...graph.keys()].map((path) => circle(path, [])).find((one) => one !== undefined),
    ).toBeUndefined();
  });
});
