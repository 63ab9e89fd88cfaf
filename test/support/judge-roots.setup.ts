import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { JUDGE_ROOTS, type JudgeRootName } from './judge-root-recipes.js';
import { mirrorOf } from './mirror-of.js';

/**
 * Global set-up of the projects `judges` and `system`: makes the roots that the selected test files name. With
 * MKROOT_TEST_ROOTS=DIR roots are taken from there, and missing ones made there and kept; without it they live in a
 * temporary directory and are removed at the end.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  // With systemd, looking there mounts it. Tests compare the mounts of the host before and after, beside others that look there.
  existsSync('/proc/sys/fs/binfmt_misc/status');
  const selected = process.argv.slice(2).filter((argument) => argument.startsWith('test/'));
  const { testFiles } = await project.globTestFiles(selected);
  const sources = testFiles
    .map((file) => readFileSync(file, 'utf8'))
    .filter((text) => text.includes('judgeRoot'));
  const names = (Object.keys(JUDGE_ROOTS) as JudgeRootName[]).filter((name) =>
    sources.some((text) => text.includes(`'${name}'`)),
  );
  if (names.length === 0) {
    project.provide('judgeRoots', {});
    return () => {};
  }
  const kept = process.env['MKROOT_TEST_ROOTS'];
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'mkroot-judge-roots-'));
  const cleanUp = () => {
    if (kept === undefined) rmSync(directory, { recursive: true, force: true });
  };
  try {
    mkdirSync(directory, { recursive: true });
    const paths: Partial<Record<JudgeRootName, string>> = {};
    const left = [...names];
    const makeRest = async () => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        paths[name] = await makeRoot(name, directory);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, makeRest));
    project.provide('judgeRoots', paths);
  } catch (error) {
    cleanUp();
    throw error;
  }
  return cleanUp;
}

async function makeRoot(name: JudgeRootName, directory: string): Promise<string> {
  const path = join(directory, name);
  if (existsSync(path)) return path;
  process.stderr.write(`Making the root "${name}" for judges (a minute or so) ...\n`);
  const partial = `${path}.partial`;
  // Somebody else may want the same root: the lock lets one make it, and it appears by one rename.
  const script = 'test -d "$1" || { rm -rf "$2" && shift 2 && "$@"; }';
  const argv = JUDGE_ROOTS[name].argv(partial, mirrorOf);
  const inNamespace = [
    ...[
      'unshare',
      '--mount',
      '--propagation',
      'private',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--',
    ],
    ...argv,
  ];
  await runQuietly('flock', [
    ...[`${path}.lock`, 'sh', '-ec', `${script}\ntest -d "${path}" || mv "${partial}" "${path}"`, 'sh'],
    ...[path, partial, ...inNamespace],
  ]);
  return path;
}

/** Runs a program and shows its output only if it fails. */
function runQuietly(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString('latin1')).slice(-4000);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`));
    });
  });
}
