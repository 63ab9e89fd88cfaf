import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { NOISE } from '../support/noise.js';
import {
  expectNoInitrd,
  expectRefusal,
  makeWorkspace,
  type Refusal,
  type Workspace,
} from '../support/refused-run.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';
import { makeSmallRoot, SMALL_RELEASE, smallModule } from '../support/small-root.js';

let space: Workspace;
let work: string;
let root: string;
let out: string;
let image: string;

beforeEach(() => {
  space = makeWorkspace();
  ({ work, root, out, image } = space);
});

afterEach(() => rmSync(work, { recursive: true, force: true }));

const refuses = (args: readonly string[], refusal: Refusal) => expectNoInitrd(space, args, refusal);

const modules = () => join(root, 'usr/lib/modules', SMALL_RELEASE);
const { NotFound, InvalidInput, Usage, Io } = ExitCode;

describe('a small root', () => {
  it('is accepted, so that each refusal below is for the reason that the test states', async () => {
    const made = await mkrootJson<{ modules: string[] }>(
      ...['initrd', '--root', root, '--nic', '14e4:1657', '--program', '/usr/bin/hello', '-o', image],
    );
    expect(made.modules).toContain('tg3');
    expect(readFileSync(`${image}.json`, 'utf8')).toContain('usr/bin/hello');
  });
});

describe('what is no root', () => {
  it('a file, an empty directory and nothing at all are told apart', async () => {
    const empty = join(work, 'empty');
    mkdirSync(empty);
    const hint = /mmdebstrap or debootstrap/;
    for (const [path, what] of [
      [image, 'it is a file'],
      [empty, 'it has no /etc and /usr'],
      [join(work, 'nowhere'), 'there is nothing'],
    ] as const) {
      const says = `Cannot use "${path}" as a root: ${what}`;
      await refuses(['--root', path], { exitCode: NotFound, says, hint });
    }
  });

  it('a root without a kernel names the package; a wrong version names the ones that are there', async () => {
    await refuses(['--kernel', '6.1.0-tset'], {
      exitCode: NotFound,
      says: `Cannot find kernel "6.1.0-tset" in "${root}": the root has ${SMALL_RELEASE}`,
      hint: `Did you mean ${SMALL_RELEASE}?`,
    });
    rmSync(join(root, 'usr/lib/modules'), { recursive: true });
    await refuses([], {
      exitCode: NotFound,
      says: `Cannot find a kernel in "${root}": neither /usr/lib/modules nor /lib/modules holds one`,
      hint: /linux-image-amd64/,
    });
  });
});

describe('a network driver that the kernel does not have', () => {
  it.each([
    ['tg4', 'of this name', 'Did you mean tg3?'],
    ['zz*', 'that matches', `Modules of this kernel lie in /usr/lib/modules/${SMALL_RELEASE}.`],
    ['1234:5678', 'for this PCI id', /lspci -nn/],
    ['14e4:165', 'of this name', /two numbers of four hexadecimal digits/],
  ])('%s', async (nic, what, hint) => {
    await refuses(['--nic', nic], {
      exitCode: NotFound,
      says: `Cannot find network driver "${nic}" (option --nic ${nic}): kernel ${SMALL_RELEASE} has no network driver ${what}`,
      hint,
    });
  });
});

describe('programs', () => {
  const ask = ['--program', '/usr/bin/hello'];
  const hello = () => join(root, 'usr/bin/hello');

  it('cut off, random, empty, missing or a directory', async () => {
    const isNone =
      'Cannot take "/usr/bin/hello" as a program: it is neither an ELF file nor a script with a #! line';
    truncateSync(hello(), 100);
    await refuses(ask, {
      exitCode: InvalidInput,
      says: 'Cannot read ELF file "/usr/bin/hello": its program header table (224 bytes at 64) lies outside the file of 100 bytes',
      hint: /damaged or no ELF file; install its package again/,
    });
    for (const content of [NOISE, '']) {
      writeFileSync(hello(), content);
      await refuses(ask, { exitCode: InvalidInput, says: isNone, hint: /--file/ });
    }
    await refuses(['--program', '/usr/bin/helo'], {
      exitCode: NotFound,
      says: 'Cannot take "/usr/bin/helo" as a program: there is no such file in the root',
      hint: /install the package that brings it/,
    });
    await refuses(['--program', '/usr/bin'], {
      exitCode: NotFound,
      says: 'Cannot take "/usr/bin" as a program: it is a directory',
    });
  });

  it('whose library is missing, cut off or a text file', async () => {
    const library = join(root, 'usr/lib/libc.so.6');
    truncateSync(library, 100);
    await refuses(ask, { exitCode: InvalidInput, says: /"\/usr\/lib\/libc.so.6" is damaged: / });
    writeFileSync(library, 'INPUT(libc.a)');
    await refuses(ask, {
      exitCode: InvalidInput,
      says: 'Cannot load "libc.so.6" for "/usr/bin/hello": "/usr/lib/libc.so.6" is no ELF file',
      hint: /the loader on the node would stop at it too/,
    });
    rmSync(library);
    await refuses(ask, {
      exitCode: NotFound,
      says: 'Cannot load "libc.so.6" for "/usr/bin/hello": no such library for amd64 in the root',
      hint: /apt-file search libc.so.6/,
    });
  });

  it('behind a loop of links', async () => {
    rmSync(hello());
    symlinkSync('olleh', hello());
    symlinkSync('hello', join(root, 'usr/bin/olleh'));
    await refuses(ask, {
      exitCode: InvalidInput,
      says: `Cannot resolve "/usr/bin/hello" in "${root}": more than 40 symbolic links, probably a loop`,
      hint: /namei/,
    });
  });

  it('behind a link out of the root: the host is not touched, although the file is there', async () => {
    const canary = join(work, 'canary');
    copyFileSync(hello(), canary);
    for (const target of [canary, `../../../${'../'.repeat(20)}${canary}`]) {
      rmSync(hello());
      symlinkSync(target, hello());
      await refuses(ask, {
        exitCode: NotFound,
        says: `Cannot take "/usr/bin/hello" as a program: it is a link to "${target}", and there is no such file in the root`,
      });
    }
  });
});

describe('kernel modules', () => {
  it('cut off, random, empty, or named by modules.dep and not there', async () => {
    const file = smallModule(root, 'tg3');
    const path = file.slice(root.length);
    truncateSync(file, 200);
    await refuses([], {
      exitCode: InvalidInput,
      says: `Cannot read kernel module "${path}": its section table lies beyond its end`,
      hint: /damaged; reinstall the package/,
    });
    for (const content of [NOISE, '']) {
      writeFileSync(file, content);
      await refuses([], {
        exitCode: InvalidInput,
        says: `Cannot read kernel module "${path}": it is not an ELF object`,
      });
    }
    rmSync(file);
    await refuses([], {
      exitCode: NotFound,
      says: `Cannot read kernel module "${path}": modules.dep names it, but there is no such file`,
      hint: `Write the index anew: depmod -b ROOT ${SMALL_RELEASE}`,
    });
  });

  it.each(['gz', 'xz', 'zst'])('that are no .%s data although their name says so', async (suffix) => {
    const file = smallModule(root, 'tg3');
    rmSync(file);
    writeFileSync(`${file}.${suffix}`, NOISE);
    await refuses([], {
      exitCode: InvalidInput,
      says: new RegExp(`^Cannot unpack "/usr/lib/modules/.*/tg3.ko.${suffix}": `),
      hint: /damaged; reinstall/,
    });
  });

  it('modules.dep of random bytes, cut off or a loop of links; without it the tree is read', async () => {
    const dep = join(modules(), 'modules.dep');
    const path = dep.slice(root.length);
    const [whole, hint] = [readFileSync(dep), /depmod -b ROOT RELEASE/];
    writeFileSync(dep, NOISE);
    await refuses([], { exitCode: InvalidInput, says: new RegExp(`^Cannot read "${path}" line 1: `), hint });
    writeFileSync(dep, whole.subarray(0, -5));
    await refuses([], {
      exitCode: InvalidInput,
      says: `Cannot read "${path}" line 6: the file is cut off in this line`,
      hint,
    });
    rmSync(dep);
    symlinkSync('modules.dep', dep);
    await refuses([], { exitCode: InvalidInput, says: /modules.dep" in ".*": more than 40 symbolic links/ });
    rmSync(dep);
    await mkrootJson('initrd', '--root', root, '--nic', 'tg3', '--output', image);
  });

  it('behind a link out of the root are not there', async () => {
    const file = smallModule(root, 'tg3');
    const canary = join(work, 'tg3.ko');
    copyFileSync(file, canary);
    rmSync(file);
    symlinkSync(canary, file);
    await refuses([], {
      exitCode: NotFound,
      says: /tg3.ko": modules.dep names it, but there is no such file$/,
    });
  });

  it('in a directory that is linked to itself are found once', async () => {
    rmSync(join(modules(), 'modules.dep'));
    symlinkSync('../net', join(modules(), 'kernel/net/loop'));
    const made = await mkrootJson<{ modules: string[] }>(
      'initrd',
      '--root',
      root,
      '--nic',
      'tg3',
      '-o',
      image,
    );
    expect(made.modules.filter((name) => name === 'af_packet')).toHaveLength(1);
  });
});

describe('names', () => {
  it('with newline, space and bytes that are no UTF-8 go in by --file, are listed on one line and found again', async () => {
    const source = join(work, 'files');
    mkdirSync(join(source, 'a space'), { recursive: true });
    for (const name of [Buffer.from('new\nline'), Buffer.from([0x62, 0xff]), Buffer.from('a space/\xe9')]) {
      writeFileSync(Buffer.concat([Buffer.from(`${source}/`), name]), 'x');
    }
    await mkrootJson('initrd', '--root', root, '--nic', 'tg3', '-o', image, '--file', `${source}:/srv/f`);
    const { stdout } = await runMkroot(['inspect', image]);
    expect(stdout).toMatch(/ srv\/f\/new\\x0aline$/m);
    expect(stdout).toMatch(/ srv\/f\/b\\xff$/m);
    expect(stdout).toMatch(/ srv\/f\/a space\/é$/m);
    expect((await runMkroot(['why', image, 'srv/f/b\\xff'])).stdout).toContain('because: option --file');
  });

  it('of the root and of the output may be odd too; an error shows them on one line', async () => {
    const odd = makeSmallRoot(join(work, 'r o\no\tt'));
    const file = join(work, 'i m\ng');
    await mkrootJson('initrd', '--root', odd, '--nic', 'tg3', '--output', file);
    expect((await runMkroot(['inspect', file])).exitCode).toBe(0);
    await refuses(['--root', odd, '--program', '/usr/bin/n\no \u001b[31m'], {
      exitCode: NotFound,
      says: 'Cannot take "/usr/bin/n\\x0ao \\x1b[31m" as a program: there is no such file in the root',
    });
  });

  it('of a module with a blank are refused: modules.dep could not say it', async () => {
    rmSync(join(modules(), 'modules.dep'));
    copyFileSync(smallModule(root, 'tg3'), join(modules(), 'kernel/fs/na me.ko'));
    await refuses(['--driver', 'na me'], {
      exitCode: InvalidInput,
      says: /na me.ko" in modules.dep: its path has blanks/,
      hint: /Rename/,
    });
  });
});

describe('destinations', () => {
  it('of files that are not absolute, leave the root or are in the way of what /init needs', async () => {
    await refuses(['--file', `${image}:etc/x`], {
      exitCode: Usage,
      says: `Cannot use --file "${image}:etc/x": it is not SRC:DST with an absolute DST`,
      hint: 'For example: --file ./motd:/etc/motd',
    });
    await refuses(['--file', `${image}:/../x`], {
      exitCode: InvalidInput,
      says: /"\.\.\/x" to the archive: .*"\.\."/,
    });
    await refuses(['--file', `${image}:/init`], {
      exitCode: InvalidInput,
      says: /^Cannot add "init" to the archive: a file of mode 0644 is in conflict with the file of mode 0755 there/,
      hint: /another destination/,
    });
    await refuses(['--file', `${work}/nowhere:/etc/x`], {
      exitCode: NotFound,
      says: `Cannot add "${work}/nowhere": there is no such file or directory`,
      hint: /existing SRC/,
    });
  });
});

describe('files that are too large', () => {
  it('5 GiB through --file, as program, as module and as modules.dep; two of 3 GiB', async () => {
    const big = join(work, 'big');
    const size = 5 * 2 ** 30;
    const sparse = (path: string, bytes: number) => {
      rmSync(path, { force: true });
      writeFileSync(path, '');
      truncateSync(path, bytes);
    };
    sparse(big, size);
    const tooLarge = (path: string) => ({
      exitCode: InvalidInput,
      says: `Cannot archive "${path}": it has ${size} bytes; cpio newc holds files of less than 4 GiB`,
      hint: 'Leave it out of the initrd, or split it.',
    });
    await refuses(['--file', `${big}:/srv/big`], tooLarge('srv/big'));
    mkdirSync(join(work, 'pair'));
    for (const name of ['a', 'b']) sparse(join(work, 'pair', name), 3 * 2 ** 30);
    await refuses(['--file', `${work}/pair:/srv`], {
      exitCode: InvalidInput,
      says: /^Cannot archive \d+ bytes in one piece/,
      hint: /root/,
    });
    const hello = join(root, 'usr/bin/hello');
    truncateSync(hello, size);
    await refuses(['--program', '/usr/bin/hello'], tooLarge('usr/bin/hello'));
    const module = smallModule(root, 'tg3');
    truncateSync(module, size);
    await refuses([], {
      exitCode: InvalidInput,
      says: new RegExp(`tg3.ko": it has ${size} bytes, no module`),
      hint: /reinstall/,
    });
    truncateSync(join(modules(), 'modules.dep'), size);
    await refuses([], {
      exitCode: Io,
      says: new RegExp(`modules.dep": it has ${size} bytes; files of up to 2 GiB are read`),
    });
  });
});

describe('a recipe', () => {
  it('of random bytes, cut off, a directory or missing is refused by name, and what is wrong in it by its place', async () => {
    const file = join(work, 'bad.yaml');
    const check = (path: string, exitCode: number, says: RegExp | string) =>
      expectRefusal(['recipe', 'check', path], { exitCode, says, hint: /recipe|UTF-8/ }, { watched: out });
    writeFileSync(file, NOISE);
    await check(file, InvalidInput, `Cannot use recipe "${file}": it is not UTF-8 text`);
    writeFileSync(file, 'name: [');
    const { stderr } = await check(file, InvalidInput, `Cannot use recipe "${file}": it has a problem`);
    expect(stderr).toContain('bad.yaml:1:8: this is not YAML');
    await check(work, NotFound, `Cannot find recipe "${work}": it is a directory`);
    const nowhere = join(work, 'nowhere.yaml');
    await check(nowhere, NotFound, `Cannot find recipe "${nowhere}": there is no such file`);
  });
});
