import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Test files of one run hand downloaded packages on to each other, so that the archive is not asked for the same ones again. */
const DEBS = process.env['MKROOT_TEST_DEBS'];

/** A state directory and a directory for recipes, for one test file. */
export interface BuildState {
  readonly directory: string;
  readonly state: string;
  /** Writes a recipe (YAML) and returns its path. */
  recipe(name: string, yaml: string): string;
  /** Another empty state directory that has the downloaded packages. */
  another(name: string): string;
  remove(): void;
}

/** The smallest root that Debian has a kernel for: minbase and the kernel for virtual machines. */
export const SMALL = `distribution: debian
suite: trixie
architecture: amd64
kernel: { package: linux-image-cloud-amd64 }
`;

/** Makes a state directory in /var/tmp, filled with the packages that were downloaded before. */
export function buildState(): BuildState {
  const directory = mkdtempSync('/var/tmp/mkroot-test-build-');
  const state = join(directory, 'state');
  seed(state);
  return {
    directory,
    state,
    recipe: (name, yaml) => {
      const path = join(directory, `${name}.yaml`);
      writeFileSync(path, `name: ${name}\n${yaml}`);
      return path;
    },
    another: (name) => {
      const other = join(directory, name);
      seed(other);
      return other;
    },
    remove: () => {
      keepPackages(state);
      rmSync(directory, { recursive: true });
    },
  };
}

function seed(state: string): void {
  const debs = join(state, 'cache/debs');
  mkdirSync(debs, { recursive: true });
  if (DEBS !== undefined && existsSync(DEBS)) linkAll(DEBS, debs);
}

function keepPackages(state: string): void {
  if (DEBS === undefined) return;
  mkdirSync(DEBS, { recursive: true });
  linkAll(join(state, 'cache/debs'), DEBS);
}

/** Links files into a directory where they are not yet; other test files may be doing the same, and never see half of one. */
function linkAll(from: string, to: string): void {
  for (const { name } of readdirSync(from, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    try {
      linkSync(join(from, name), join(to, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** The mounts of this process's namespace: what a build leaves behind would show here. */
export function hostMounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ').slice(3).join(' '))
    .sort();
}

/** Command lines of running processes that have a text in them. */
export function processesWith(text: string): string[] {
  return execFileSync('ps', ['-eo', 'pid,args', '--no-headers'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(text) && !line.includes('ps -eo'));
}
