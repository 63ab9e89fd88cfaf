import { basename, dirname, resolve } from 'node:path';
import { COMPRESSIONS, type Compression } from '../../archive/compression.js';
import type { Reason } from '../../archive/reason.js';
import type { JsonValue, Manifest } from '../../images/manifest.js';
import { toBytePath } from '../../ports/byte-path.js';
import type { ExtraFile } from '../../stages/initrd/collect-files.js';
import type { Wanted } from '../../stages/initrd/wanted.js';

/** What an image's recipe says about its initramfs, each wish with the line that it stands on. */
export interface RecipeInitrd {
  readonly nics: readonly Wanted[];
  readonly drivers: readonly Wanted[];
  readonly transports: readonly Wanted[];
  readonly tops: readonly Wanted[];
  readonly programs: readonly Wanted[];
  readonly files: readonly ExtraFile[];
  readonly compression: Compression;
}

/** For a root that has no recipe. */
export const noRecipe: RecipeInitrd = {
  nics: [],
  drivers: [],
  transports: [],
  tops: [],
  programs: [],
  files: [],
  compression: 'zstd',
};

/**
 * Reads the recipe as the manifest keeps it. The manifest was written from a decoded recipe, so this only picks; it
 * spares the start of a command the loading of the schema.
 */
export function recipeInitrd(manifest: Manifest): RecipeInitrd {
  const initrd = member(manifest.recipe, 'initrd');
  const directory = dirname(manifest.recipePath);
  const list = (field: string): Wanted[] =>
    elements(member(initrd, field)).map((value, index) => ({
      value: text(value),
      reason: lineOf(manifest, `initrd.${field}[${index}]`),
    }));
  return {
    nics: list('nic'),
    drivers: list('drivers'),
    transports: list('transports'),
    tops: list('tops'),
    programs: list('programs'),
    files: elements(member(initrd, 'files')).map((file, index) => ({
      source: toBytePath(resolve(directory, text(member(file, 'source')))),
      destination: toBytePath(text(member(file, 'destination'))),
      reason: lineOf(manifest, `initrd.files[${index}]`),
    })),
    compression: COMPRESSIONS.find((name) => name === member(initrd, 'compression')) ?? noRecipe.compression,
  };
}

function lineOf({ recipePath, recipeLines = {} }: Manifest, path: string): Reason {
  return { kind: 'recipe', file: `${basename(recipePath)} (${path})`, line: recipeLines[path] ?? 0 };
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, JsonValue>>)[name]
    : undefined;
}

function elements(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
