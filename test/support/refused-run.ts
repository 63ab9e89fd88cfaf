import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type MkrootRun, runMkroot } from './run-mkroot.js';
import { makeSmallRoot } from './small-root.js';

/** What a refusal has to look like. */
export interface Refusal {
  readonly exitCode: number;
  /** The whole error line after `mkroot: `; a regular expression where a part of it is not the same every time. */
  readonly says: string | RegExp;
  /** A line after it, up to the end of the output. */
  readonly hint?: string | RegExp;
}

/**
 * Runs mkroot and asserts what holds for every refusal: one error, in our words, with a way out, and a directory that is byte for
 * byte what it was: no partial file, no temporary file, no sidecar, the old output as before.
 */
export async function expectRefusal(
  args: readonly string[],
  { exitCode, says, hint }: Refusal,
  { watched, wrapper = [] }: { watched: string; wrapper?: readonly string[] },
): Promise<MkrootRun> {
  const before = contentsOf(watched);
  const run = await runMkroot(args, wrapper);
  const errors = run.stderr.split('\n').filter((line) => line.startsWith('mkroot: '));
  expect(errors, run.stderr).toHaveLength(1);
  const message = errors[0]!.slice('mkroot: '.length);
  if (typeof says === 'string') expect(message).toBe(says);
  else expect(message).toMatch(says);
  expect(run.stderr).not.toMatch(/Internal error|^ {4}at /m);
  if (hint !== undefined) {
    const text = run.stderr.split('\n').find((line) => line.startsWith('hint: ')) ?? 'no hint';
    if (typeof hint === 'string') expect(text).toBe(`hint: ${hint}`);
    else expect(text).toMatch(hint);
  }
  expect(run.exitCode, run.stderr).toBe(exitCode);
  expect(run.stdout).toBe('');
  expect(contentsOf(watched)).toEqual(before);
  return run;
}

/** Everything below a directory: type, size and the bytes of small files, by path. */
export function contentsOf(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => {
    const path = `${directory}/${name}`;
    const stat = lstatSync(path);
    const isSmall = stat.isFile() && stat.size < 1 << 20;
    return [name, isSmall ? readFileSync(path, 'latin1') : `${stat.mode} ${stat.size}`];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Where a refusal is provoked. */
export interface Workspace {
  /** For whatever the test needs; remove it at the end. */
  readonly work: string;
  /** A sound root, to be broken. */
  readonly root: string;
  /** Holds an older initrd, which must survive. */
  readonly out: string;
  /** The older initrd, and where the new one is to be written. */
  readonly image: string;
}

/** A new directory with a small root and the result of an earlier run. */
export function makeWorkspace(): Workspace {
  const work = mkdtempSync(join(tmpdir(), 'mkroot-bad-input-'));
  const out = join(work, 'out');
  const image = join(out, 'initrd.img');
  mkdirSync(out);
  writeFileSync(image, 'old initrd');
  writeFileSync(`${image}.json`, 'old sidecar');
  return { work, root: makeSmallRoot(join(work, 'root')), out, image };
}

/** `mkroot initrd` on the small root, which has to refuse. */
export function expectNoInitrd(
  { root, out, image }: Workspace,
  args: readonly string[],
  refusal: Refusal,
  wrapper: readonly string[] = [],
): Promise<MkrootRun> {
  const nic = args.includes('--nic') ? [] : ['--nic', 'tg3'];
  const from = args.includes('--root') ? [] : ['--root', root];
  const to = args.includes('--output') ? [] : ['--output', image];
  return expectRefusal(['initrd', ...from, ...nic, ...to, ...args], refusal, { watched: out, wrapper });
}
