import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Test files of one run hand images on to each other: building one takes a minute or more. */
const IMAGES = process.env['MKROOT_TEST_IMAGES'];

/** What builds an image with its initrd in a state directory. */
type Build<T> = () => Promise<T>;

/**
 * Builds an image with its initrd, and hands it on: no test changes what is in it. Test files that want to take it wait meanwhile.
 * @param images directory where images are handed on; without one each test file builds its own.
 * @returns what `build` does.
 */
export async function offerImage<T>(
  state: string,
  name: string,
  build: Build<T>,
  images = IMAGES,
): Promise<T> {
  if (images === undefined) return build();
  return alone(images, name, () => buildAndKeep(state, name, build, images));
}

/**
 * Puts an image of another test file into a state directory; waits for it if it is being built. If there is none, because nobody
 * has built it or it came to nothing, it is built and handed on here: each test file stands alone.
 */
export async function takeImage(
  state: string,
  name: string,
  build: Build<void>,
  images = IMAGES,
): Promise<void> {
  if (images === undefined) return build();
  await alone(images, name, async () => {
    if (!existsSync(join(images, name))) return buildAndKeep(state, name, build, images);
    mkdirSync(join(state, 'images'), { recursive: true });
    copy(join(images, name), join(state, 'images', name));
  });
}

async function buildAndKeep<T>(state: string, name: string, build: Build<T>, images: string): Promise<T> {
  const built = await build();
  const partial = join(images, `.${name}.partial`);
  rmSync(partial, { recursive: true, force: true }); // of somebody who was killed
  if (!existsSync(join(images, name))) {
    copy(join(state, 'images', name), partial);
    renameSync(partial, join(images, name));
  }
  return built;
}

/**
 * Does something while nobody else does so with the image. The lock is held by a program that ends with its standard input, so
 * whoever fails or is killed lets go.
 */
async function alone<T>(images: string, name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(images, { recursive: true });
  const argv = ['--no-fork', join(images, `.${name}.lock`), 'sh', '-c', 'echo held; exec cat'];
  const holder = spawn('flock', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(holder, 'close');
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      closed.then(([code]) => Promise.reject(new Error(`flock ended with ${code}`))),
    ]);
    return await work();
  } finally {
    holder.stdin.end();
    await closed;
  }
}

/** By hard links; both lie below /var/tmp. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-al', '--', from, to]);
}
