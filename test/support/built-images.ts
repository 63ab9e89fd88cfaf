import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Test files of one run hand images on to each other: building one takes a minute or more. */
const IMAGES = process.env['MKROOT_TEST_IMAGES'];

/** Hands an image on that has an initrd; no test changes what is in it. */
export function offerImage(state: string, name: string): void {
  if (IMAGES === undefined || existsSync(join(IMAGES, name))) return;
  mkdirSync(IMAGES, { recursive: true });
  const partial = join(IMAGES, `.${name}.partial`);
  copy(join(state, 'images', name), partial);
  renameSync(partial, join(IMAGES, name));
}

/**
 * Puts an image of another test file into a state directory.
 * @returns false if there is none (yet): then it has to be built.
 */
export function takeImage(state: string, name: string): boolean {
  if (IMAGES === undefined || !existsSync(join(IMAGES, name))) return false;
  mkdirSync(join(state, 'images'), { recursive: true });
  copy(join(IMAGES, name), join(state, 'images', name));
  return true;
}

/** By hard links; both lie below /var/tmp. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-al', '--', from, to]);
}
