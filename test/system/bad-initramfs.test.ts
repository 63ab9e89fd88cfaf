import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { NOISE } from '../support/noise.js';
import { expectRefusal, makeWorkspace } from '../support/refused-run.js';
import { mkrootJson } from '../support/run-mkroot.js';

let work: string;
let root: string;
let out: string;

beforeEach(() => {
  ({ work, root, out } = makeWorkspace());
});

afterEach(() => rmSync(work, { recursive: true, force: true }));

/** The small root made into an initrd outside of the watched directory. */
async function goodImage(): Promise<string> {
  const good = join(work, 'good.img');
  await mkrootJson('initrd', '--root', root, '--nic', 'tg3', '--output', good);
  return good;
}

const { NotFound, InvalidInput, Usage, Io } = ExitCode;

describe('an initramfs for inspect and why', () => {
  it('cut off, random, empty, followed by garbage, a directory, a device, endless or missing', async () => {
    const good = readFileSync(await goodImage());
    const hint = /damaged, cut short or no initramfs/;
    const file = join(work, 'bad.img');
    for (const [content, what] of [
      [good.subarray(0, 500), /Cannot read the zstd segment at byte 0: it is cut short/],
      [NOISE, /Cannot read the initramfs at byte \d+: there is neither a cpio archive nor compressed data/],
      [Buffer.alloc(0), /Cannot read the initramfs: it is empty/],
      [Buffer.concat([good, NOISE]), new RegExp(`at byte ${good.length + 1}: there is neither`)],
    ] as const) {
      writeFileSync(file, content);
      await expectRefusal(
        ['inspect', file, '--extract', join(out, 'tree')],
        { exitCode: InvalidInput, says: what, hint },
        { watched: out },
      );
    }
    for (const [path, exitCode, what] of [
      [work, Usage, 'it is a directory'],
      ['/dev/zero', Usage, 'it is a character device'],
    ] as const) {
      await expectRefusal(
        ['inspect', path],
        { exitCode, says: `Cannot inspect "${path}": ${what}` },
        { watched: out },
      );
    }
    truncateSync(file, 5 * 2 ** 30);
    const says = `Cannot read "${file}": it has ${5 * 2 ** 30} bytes; files of up to 2 GiB are read`;
    await expectRefusal(['inspect', file], { exitCode: Io, says }, { watched: out });
    const missing = { exitCode: NotFound, says: /no such file or directory/, hint: /path/ };
    await expectRefusal(['inspect', join(work, 'nowhere')], missing, { watched: out });
  });

  it('--extract writes nothing into a full directory or where nothing can be made, and ends', async () => {
    const good = await goodImage();
    await expectRefusal(
      ['inspect', good, '--extract', out],
      { exitCode: Usage, says: `Cannot extract to "${out}": it is not empty`, hint: /does not exist yet/ },
      { watched: out },
    );
    const says = 'Cannot create directory "/proc/x": no such file or directory (ENOENT)';
    await expectRefusal(
      ['inspect', good, '--extract', '/proc/x'],
      { exitCode: NotFound, says },
      { watched: out },
    );
  });

  it('a sidecar that is missing, cut off, random, of strange JSON or of another initramfs', async () => {
    const good = await goodImage();
    const why = (says: RegExp, exitCode: number) =>
      expectRefusal(
        ['why', good, 'tg3.ko'],
        { exitCode, says, hint: /mkroot (initrd|inspect)/ },
        { watched: out },
      );
    const sidecar = readFileSync(`${good}.json`);
    for (const [content, what] of [
      [sidecar.subarray(0, 1000), 'it is not JSON'],
      [NOISE, 'it is not JSON'],
      ['{"format":1,"entries":[null]}', 'it has no list of entries with their reasons'],
      [
        '{"format":1,"entries":[{"path":"a","kind":"file","size":1,"reasons":[{"kind":"toString"}]}]}',
        'it has no list',
      ],
      ['{"format":1,"entries":[]}', 'it does not say which modules'],
    ] as const) {
      writeFileSync(`${good}.json`, content);
      await why(new RegExp(`^Cannot read the sidecar ".*good.img.json": ${what}`), InvalidInput);
    }
    writeFileSync(`${good}.json`, sidecar);
    appendFileSync(good, '\0\0\0\0');
    await why(/good.img.json describes another file/, InvalidInput);
    rmSync(`${good}.json`);
    await why(/there is no .*good.img.json beside it$/, NotFound);
  });
});
