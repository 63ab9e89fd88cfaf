import { closest } from 'fastest-levenshtein';
import { type ExplainedRoot, explainEntry, explainSidecar, type WhyStep } from '../../archive/explain.js';
import { parseSidecar, type Sidecar, sidecarPath } from '../../archive/sidecar.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { sha256 } from '../../ports/sha256.js';

/** Why one entry of an initramfs is there. */
export interface WhyAnswer {
  readonly path: BytePath;
  /** One chain per reason, each from the entry up to the user's own words. */
  readonly chains: readonly (readonly WhyStep[])[];
}

/**
 * Answers `mkroot why`: the entries of an initramfs that `wanted` names (a path with or without the leading slash, or the
 * last part of one) with their chains of reasons.
 * @throws MkrootError NotFound if there is no such file, no sidecar or no such entry; it names the nearest. Usage for no name at all.
 */
export function askWhy(fs: ReadFileSystem, initrd: BytePath, wanted: BytePath): WhyAnswer[] {
  if (wanted === '') {
    throw new MkrootError('Cannot explain "": it is no path, nor the last part of one', {
      exitCode: ExitCode.Usage,
      hint: 'Is a shell variable empty? To see everything: mkroot inspect FILE',
    });
  }
  if (fs.lstat(initrd) === undefined) {
    throw new MkrootError(`Cannot explain "${displayPath(initrd)}": there is no such file`, {
      exitCode: ExitCode.NotFound,
      hint: 'Give the path of an initramfs: `mkroot initrd` prints it.',
    });
  }
  const sidecar = readSidecar(fs, initrd);
  const name = wanted.replace(/^\/+/, '').replace(/\/+$/, '');
  // Names that are not UTF-8 cannot be typed; they are also known as they are shown, with \\xNN.
  const shown = displayPath(name);
  const exact = sidecar.entries.filter(({ path }) => path === name || displayPath(path) === shown);
  const matches =
    exact.length > 0
      ? exact
      : sidecar.entries.filter(
          ({ path }) => path.endsWith(`/${name}`) || displayPath(path).endsWith(`/${shown}`),
        );
  if (matches.length === 0) throw noSuchEntry(sidecar, initrd, name);
  return matches.map(({ path }) => ({ path, chains: explainEntry(sidecar, path) }));
}

/** The whole archive as a tree of reasons; what `mkroot initrd --explain` prints. */
export function explainInitrd(fs: ReadFileSystem, initrd: BytePath): ExplainedRoot[] {
  return explainSidecar(readSidecar(fs, initrd));
}

/**
 * Reads the sidecar of an initramfs.
 * @throws MkrootError NotFound without one; InvalidInput if it is damaged or describes another file.
 */
export function readSidecar(fs: ReadFileSystem, initrd: BytePath): Sidecar {
  const path = sidecarPath(initrd);
  if (fs.lstat(path) === undefined) {
    throw new MkrootError(
      `Cannot explain "${displayPath(initrd)}": there is no ${displayPath(path)} beside it`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'Only `mkroot initrd` writes it. To list any initramfs: mkroot inspect FILE',
      },
    );
  }
  const sidecar = parseSidecar(Buffer.from(fs.readFile(path)).toString('utf8'), displayPath(path));
  const found = sha256(fs.readFile(initrd));
  if (found !== sidecar.sha256) {
    throw new MkrootError(
      `Cannot explain "${displayPath(initrd)}": ${displayPath(path)} describes another file, with sha256 ${sidecar.sha256.slice(0, 16)}…, not ${found.slice(0, 16)}…`,
      { hint: 'One of the two was replaced, copied alone or cut off; make both again with `mkroot initrd`.' },
    );
  }
  return sidecar;
}

const MODULE_SUFFIX = /\.ko(\.\w+)?$/;

function noSuchEntry(sidecar: Sidecar, initrd: BytePath, name: BytePath): MkrootError {
  const base = name.slice(name.lastIndexOf('/') + 1);
  const names = sidecar.entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
  // Modules are known by their names: tg3 is tg3.ko, or tg3.ko.xz.
  const byStem = new Map(names.map((one) => [one, one]));
  for (const one of names) if (MODULE_SUFFIX.test(one)) byStem.set(one.replace(MODULE_SUFFIX, ''), one);
  const nearest = byStem.size === 0 ? undefined : byStem.get(closest(base, [...byStem.keys()]));
  const module = base.replace(MODULE_SUFFIX, '').replaceAll('-', '_');
  if (sidecar.builtins.includes(module)) {
    return new MkrootError(
      `Cannot explain "${displayPath(name)}": it is built into kernel ${sidecar.kernel}, so ${displayPath(initrd)} needs no file of it`,
      { exitCode: ExitCode.NotFound },
    );
  }
  return new MkrootError(`Cannot explain "${displayPath(name)}": ${displayPath(initrd)} has no such entry`, {
    exitCode: ExitCode.NotFound,
    hint: `${nearest === undefined ? '' : `The nearest name is "${displayPath(nearest)}". `}To list all: mkroot inspect ${displayPath(initrd)}`,
  });
}
