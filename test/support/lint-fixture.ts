import { createHash } from 'node:crypto';
import type { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { type LintReport, lintSite } from '../../src/pipelines/lint/lint-site.js';
import { decodeRecipe } from '../../src/recipe/decode-recipe.js';
import { type MemoryTree, memoryFileSystem } from './memory-file-system.js';

/** The generation that nodes of {@link LintedSite} boot. */
export const GENERATION = '20261119T000000Z-33333333';

const NODES = `cluster:
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute }
nodes:
  n1: { group: compute, ip: 10.1.1.1, mac: '52:54:00:00:00:01' }
  n2: { group: compute, ip: 10.1.1.2, mac: '52:54:00:00:00:02' }
`;

const RECIPE = `name: compute
distribution: debian
suite: trixie
architecture: amd64
packages: [systemd]
initrd: { nic: [tg3] }
`;

const KERNEL = '6.12.1-amd64';
const ROOT = `/state/images/compute/generations/${GENERATION}/root`;
const INITRD = `/state/images/compute/initrds/${GENERATION}/initrd.img`;

/** A root of Debian, as far as the linter looks at it. */
const IMAGE: MemoryTree = {
  [`${ROOT}/etc/passwd`]: 'root:x:0:0:root:/root:/bin/sh\nmunge:x:105:110::/nonexistent:/bin/false\n',
  [`${ROOT}/etc/group`]: 'root:x:0:\nmunge:x:110:\n',
  [`${ROOT}/etc/shadow`]: 'root:*:1:::::\n',
  [`${ROOT}/etc/ssh/sshd_config`]: '',
  [`${ROOT}/usr/bin/sh`]: '',
  [`${ROOT}/usr/bin/su`]: '',
  [`${ROOT}/usr/lib/systemd/system/ssh.service`]: '',
  [`${ROOT}/var/lib/dpkg/status`]: '',
  [`${ROOT}/usr/lib/modules/${KERNEL}/modules.dep`]: 'kernel/drivers/net/tg3.ko:\n',
  [`${ROOT}/usr/lib/modules/${KERNEL}/kernel/drivers/net/tg3.ko`]: '',
  [`${ROOT}/bin`]: { link: 'usr/bin' },
  [`${ROOT}/lib`]: { link: 'usr/lib' },
  [`${ROOT}/srv/data/file`]: '',
};

/** A whole site in memory, with a built image and nothing wrong. */
export interface LintedSite {
  readonly fs: DiskFileSystem;
  /** Writes a file of the site, or of the state directory if the path starts with a slash. */
  write(path: string, data: string | Uint8Array, mode?: number): void;
  /** Replaces a part of a file's text; fails if it is not there. */
  replace(path: string, from: string, to: string): void;
  link(path: string, target: string): void;
  lint(): LintReport;
}

/** Where the files of the built image lie. */
export const BUILT = {
  root: ROOT,
  initrd: INITRD,
  manifest: ROOT.replace(/root$/, 'manifest.json'),
} as const;

/** Makes the site. */
export function lintedSite(): LintedSite {
  const { recipe } = decodeRecipe(RECIPE, {
    file: 'compute.yaml',
    hostArchitecture: 'amd64',
    exists: () => true,
  });
  const manifest = {
    format: 1,
    name: 'compute',
    generation: GENERATION,
    architecture: 'amd64',
    recipe,
    kernels: [{ release: KERNEL }],
    ...Object.fromEntries(
      ['key', 'createdAt', 'mkroot', 'recipePath', 'stages', 'packages', 'tools', 'sizes', 'digests'].map(
        (field) => [field, ''],
      ),
    ),
  };
  const sidecar = {
    format: 1,
    kernel: KERNEL,
    sha256: createHash('sha256').update('initrd').digest('hex'),
    modules: ['overlay', 'tg3'],
    builtins: ['ext4'],
    nics: ['tg3'],
    entries: [],
  };
  const fs = memoryFileSystem({
    '/site/nodes.yaml': NODES,
    '/site/recipes/compute.yaml': RECIPE,
    '/site/overlays/cluster/etc/motd': 'hello\n',
    '/state/images/compute/current': { link: `generations/${GENERATION}` },
    ...IMAGE,
    [BUILT.manifest]: JSON.stringify(manifest),
    [INITRD]: 'initrd',
    [`${INITRD}.json`]: JSON.stringify(sidecar),
  });
  for (const top of ['/site', '/state']) plainModes(fs, top);
  fs.chmod(`${ROOT}/usr/bin/su`, 0o4755);
  const absolute = (path: string) => (path.startsWith('/') ? path : `/site/${path}`);
  const make = (path: string) => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (fs.lstat(parent) !== undefined) return;
    make(parent);
    fs.mkdir(parent, 0o755);
    fs.chmod(parent, 0o755);
  };
  return {
    fs,
    write: (path, data, mode = 0o644) => {
      make(absolute(path));
      fs.remove(absolute(path));
      fs.writeFile(absolute(path), data);
      fs.chmod(absolute(path), mode);
    },
    replace: (path, from, to) => {
      const text = Buffer.from(fs.readFile(absolute(path))).toString('utf8');
      if (!text.includes(from)) throw new Error(`${path} has no "${from}"`);
      fs.writeFile(absolute(path), text.replace(from, to), 0o644);
    },
    link: (path, target) => {
      make(absolute(path));
      fs.symlink(target, absolute(path));
    },
    lint: () =>
      lintSite(fs, {
        site: { directory: '/site', workingDirectory: '/site', images: ['compute', 'storage'] },
        recipes: { workingDirectory: '/site', directories: ['/site/recipes'], hostArchitecture: 'amd64' },
        state: '/state',
        version: '',
      }),
  };
}

/** memfs lets everybody write to everything. */
function plainModes(fs: DiskFileSystem, path: string): void {
  const kind = fs.lstat(path)?.kind;
  if (kind !== 'symlink') fs.chmod(path, kind === 'directory' ? 0o755 : 0o644);
  if (kind === 'directory') for (const name of fs.readdir(path)) plainModes(fs, `${path}/${name}`);
}
