import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Sidecar } from '../../src/archive/sidecar.js';
import { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { ExecaRunner } from '../../src/host/execa-runner.js';
import { systemClock } from '../../src/host/system-clock.js';
import { makeDriverSegment } from '../../src/pipelines/initrd/make-driver-segment.js';
import { makeInitrd } from '../../src/pipelines/initrd/make-initrd.js';
import { planInitrds } from '../../src/pipelines/initrd/plan-initrd.js';
import type { ReadFileSystem } from '../../src/ports/file-system.js';
import type { Ports } from '../../src/ports/ports.js';
import { judgeRoot } from '../support/judge-roots.js';
import { SilentProgress } from '../support/silent-progress.js';

/** Issue 2, section 6: the initramfs for NFS + overlayfs + tg3. */
const MAX_SIZE = 3_500_000;

const scratch = mkdtempSync(join(tmpdir(), 'mkroot-initrd-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const disk = new DiskFileSystem();
const skeleton = resolve('initramfs-skel');

function ports(fs = disk): Ports {
  return { fs, runner: new ExecaRunner(), clock: systemClock, progress: new SilentProgress() };
}

async function make(
  root: string,
  name: string,
  options: { nic?: string[]; program?: string[]; transport?: string[] } = {},
  fs = disk,
) {
  const output = join(scratch, name);
  const [plan] = planInitrds(disk, { root, output, state: scratch, nic: ['tg3'], ...options });
  const result = await makeInitrd(ports(fs), { ...plan, skeleton, version: '0.0.0' });
  return { ...result, sidecar: JSON.parse(readFileSync(`${output}.json`, 'utf8')) as Sidecar };
}

/** GNU cpio's own view of an initramfs that zstd has packed. */
function cpio(path: string, ...args: string[]): string {
  return execFileSync(
    'sh',
    ['-c', `zstd -qdc "$1" 2>/dev/null | cpio --quiet ${args.join(' ')}`, 'sh', path],
    {
      encoding: 'latin1',
      cwd: scratch,
    },
  );
}

const roots = {
  trixie: () => judgeRoot('trixie'),
  bookworm: () => judgeRoot('bookworm'),
  'bookworm by debootstrap': () => judgeRoot('bookworm-debootstrap'),
  'trixie on arm64': () => judgeRoot('trixie-arm64'),
  'bookworm on i386': () => judgeRoot('bookworm-i386'),
};

describe.each(Object.entries(roots))('an initramfs for %s', (name, root) => {
  it('stays within 3.5 MB and is listed by GNU cpio as its sidecar says', async () => {
    const { path, sizes, sidecar } = await make(root(), `${name}.img`);
    expect(sizes.packed).toBeLessThan(MAX_SIZE);
    expect(cpio(path, '-t').trimEnd().split('\n')).toEqual(sidecar.entries.map((entry) => entry.path));
  });

  it('stays within 3.5 MB with every transport, of which squashfs takes less than 100 kB', async () => {
    const nfs = await make(root(), `${name}-nfs.img`);
    const every = await make(root(), `${name}-every.img`, { transport: ['squashfs-nfs', 'squashfs-http'] });
    expect(every.sidecar.modules).toContain('squashfs');
    expect(every.sizes.packed).toBeLessThan(MAX_SIZE);
    expect(every.sizes.packed - nfs.sizes.packed).toBeLessThan(100_000);
  });

  it('has every module that modprobe would load for tg3, NFS and overlayfs, byte for byte', async () => {
    const { path, kernel, sidecar } = await make(root(), `${name}-modules.img`);
    execFileSync(
      'sh',
      [
        '-c',
        'mkdir -p x && cd x && zstd -qdc "$1" 2>/dev/null | cpio -idm --quiet --no-preserve-owner',
        'sh',
        path,
      ],
      {
        cwd: scratch,
      },
    );
    const wanted = new Set<string>();
    for (const module of ['tg3', 'nfs', 'nfsv3', 'nfsv4', 'overlay', 'af_packet']) {
      // Extracted roots were never configured and have no index; what depmod would have written is judged elsewhere.
      const judge = execFileSync(
        'sh',
        [
          '-c',
          'modprobe -d "$1" -S "$2" --show-depends "$3" 2>/dev/null || true',
          'sh',
          root(),
          kernel,
          module,
        ],
        { encoding: 'latin1' },
      );
      for (const [, file] of judge.matchAll(/^insmod (\S+)/gm)) wanted.add(file!);
    }
    for (const file of wanted) {
      const inside = file
        .slice(root().length)
        .replace(/^\/lib\//, '/usr/lib/')
        .replace(/\.xz$/, '');
      const original = file.endsWith('.xz')
        ? execFileSync('xz', ['-dc', file], { maxBuffer: 1 << 28 })
        : readFileSync(file);
      expect(Buffer.compare(original, readFileSync(join(scratch, 'x', inside))), inside).toBe(0);
    }
    rmSync(join(scratch, 'x'), { recursive: true });
    expect(sidecar.modules).toContain('nfsv3');
  });
});

describe('the same input', () => {
  it('gives the same bytes, whatever umask, time and directory order', async () => {
    const root = judgeRoot('trixie');
    const first = await make(root, 'first.img', { program: ['/usr/bin/ping'] });
    const before = process.umask(0o077);
    try {
      const second = await make(root, 'second.img', { program: ['/usr/bin/ping'] }, new ShuffledFileSystem());
      expect(second.sha256).toBe(first.sha256);
    } finally {
      process.umask(before);
    }
  });

  it('gives the same bytes with and without modules.dep', async () => {
    const root = judgeRoot('bookworm');
    const indexed = await make(root, 'indexed.img');
    const computed = await make(
      root,
      'computed.img',
      {},
      new HidingFileSystem(/\/modules\.(dep|alias|softdep|symbols)$/),
    );
    expect(computed.sidecar.entries.map(({ path }) => path)).toEqual(
      indexed.sidecar.entries.map(({ path }) => path),
    );
    expect(computed.sha256).toBe(indexed.sha256);
  });
});

describe('a driver segment', () => {
  it('brings the driver that the published file lacks, and an index that knows both', async () => {
    const root = judgeRoot('trixie');
    const { path, kernel } = await make(root, 'published.img');
    const segment = await makeDriverSegment(ports(), {
      root,
      initrd: path,
      nics: [{ value: 'e1000', reason: { kind: 'option', option: '--nic e1000' } }],
    });
    const listing = execFileSync('cpio', ['--quiet', '-t'], { input: segment, encoding: 'latin1' });
    expect(listing).toContain('/e1000.ko\n');
    expect(listing).not.toContain('/tg3.ko\n');
    const index = execFileSync(
      'cpio',
      ['--quiet', '-i', '--to-stdout', `usr/lib/modules/${kernel}/modules.dep`],
      {
        input: segment,
        encoding: 'latin1',
      },
    );
    expect(index).toMatch(/\/e1000\.ko:/);
    expect(index).toMatch(/\/tg3\.ko:.*libphy\.ko/);
  });
});

/** Lists directories backwards, as another file system might. */
class ShuffledFileSystem extends DiskFileSystem {
  override readdir(path: string): string[] {
    return super.readdir(path).reverse();
  }
}

/** Pretends that some files are not there. */
class HidingFileSystem extends DiskFileSystem implements ReadFileSystem {
  constructor(private readonly hidden: RegExp) {
    super();
  }

  override lstat(path: string) {
    return this.hidden.test(path) ? undefined : super.lstat(path);
  }
}
