import type { PublishRequest } from '../../src/pipelines/publish/plan-publish.js';
import type { FileSystem } from '../../src/ports/file-system.js';
import type { Ports } from '../../src/ports/ports.js';
import { type MemoryTree, memoryFileSystem } from './memory-file-system.js';
import { ScriptedRunner } from './scripted-runner.js';
import { SilentProgress } from './silent-progress.js';

/** Generations of the images of {@link publishSite}, from the oldest to the newest. */
export const [G1, G2, G3] = [
  '20261101T000000Z-11111111',
  '20261110T000000Z-22222222',
  '20261119T000000Z-33333333',
] as const;

/** Two groups on one image. */
export const NODES = `cluster:
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute, overlays: [compute], firmware: bios }
  canary: { image: compute, firmware: uefi }
nodes:
  n[1-2]: { group: compute, ip: 10.1.1.1, mac: ['52:54:00:00:00:01', '52:54:00:00:00:02'] }
  c1: { group: canary, ip: 10.1.2.1, mac: '52:54:00:00:01:01' }
`;

/** One generation of an image in /state, with its initrd. */
export function generation(image: string, id: string): MemoryTree {
  const directory = `/state/images/${image}`;
  return {
    [`${directory}/generations/${id}/manifest.json`]: '{}',
    [`${directory}/generations/${id}/vmlinuz`]: 'kernel',
    [`${directory}/generations/${id}/root/etc/passwd`]: 'root:x:0:0:root:/root:/bin/sh\n',
    [`${directory}/generations/${id}/root/etc/group`]: 'root:x:0:\n',
    [`${directory}/initrds/${id}/initrd.img`]: 'initrd',
  };
}

/** A site in /site and a state directory with two generations of its image, of which the older is the current one. */
export function publishSite(more: MemoryTree = {}): FileSystem {
  const fs = memoryFileSystem({
    '/site/nodes.yaml': NODES,
    '/site/overlays/cluster/etc/motd': 'hello\n',
    '/site/overlays/compute/etc/rack': '7\n',
    ...generation('compute', G1),
    ...generation('compute', G2),
    '/state/images/compute/current': { link: `generations/${G1}` },
    '/usr/lib/PXELINUX/pxelinux.0': 'loader',
    '/usr/lib/syslinux/modules/bios/ldlinux.c32': 'loader',
    '/usr/lib/ipxe/snponly.efi': 'loader',
    ...more,
  });
  for (const directory of ['/site', '/state']) setModes(fs, directory);
  return fs;
}

/** memfs lets everybody write to everything. */
function setModes(fs: FileSystem, path: string): void {
  const kind = fs.lstat(path)?.kind;
  if (kind !== 'symlink') fs.chmod(path, kind === 'directory' ? 0o755 : 0o644);
  if (kind === 'directory') for (const name of fs.readdir(path)) setModes(fs, `${path}/${name}`);
}

const KEY_TYPES: Readonly<Record<string, string>> = {
  ecdsa: 'ecdsa-sha2-nistp256',
  ed25519: 'ssh-ed25519',
  rsa: 'ssh-rsa',
};

/** What publishing needs, without any program: ssh-keygen writes a key that is its file's name. */
export function publishPorts(fs: FileSystem, now = '2026-11-20T06:00:00.000Z'): Ports {
  const runner = new ScriptedRunner({
    flock: { stdout: 'locked\n' },
    sync: {},
    'grub-mkimage': ({ argv }) => {
      fs.writeFile(argv[argv.indexOf('--output') + 1]!, `image for ${argv[argv.indexOf('--format') + 1]}`);
      return {};
    },
    'ssh-keygen': ({ argv }) => {
      const file = argv.at(-1)!;
      const [type, who] = [argv[3]!, argv[7]!];
      fs.writeFile(file, `secret ${type} of ${who}\n`, 0o600);
      fs.writeFile(
        `${file}.pub`,
        `${KEY_TYPES[type]} AAAA${Buffer.from(`${type} key of ${who}`).toString('base64')} ${who}\n`,
      );
      return {};
    },
  });
  const clock = { now: () => new Date(now), monotonicMs: () => 0, sleep: async () => {} };
  return { fs, runner, clock, progress: new SilentProgress() };
}

/** The site of {@link publishSite}. */
export const REQUEST: PublishRequest = {
  site: { directory: '/site', workingDirectory: '/', images: ['compute', 'storage'] },
  state: '/state',
  code: 'this',
};

/** Who publishes. */
export const WRITER = { pid: 1, command: 'test', force: false };

/** Every boot file's text by its path below the TFTP root. */
export function bootFiles(fs: FileSystem): Map<string, string> {
  const root = '/state/netboot/tftp';
  const files = new Map<string, string>();
  for (const directory of ['pxelinux.cfg', 'grub', 'ipxe']) {
    if (fs.lstat(`${root}/${directory}`) === undefined) continue;
    for (const name of fs.readdir(`${root}/${directory}`)) {
      const path = `${directory}/${name}`;
      if (/\.tmp-\d+-\d+$/.test(name)) continue; // no boot loader asks for it
      files.set(path, Buffer.from(fs.readFile(`${root}/${path}`)).toString());
    }
  }
  return files;
}

/** What boot files name that is not there, or not whole. */
export function brokenBoots(fs: FileSystem): string[] {
  const problems: string[] = [];
  const need = (path: string, by: string) => {
    if (fs.lstat(`${path}`) === undefined) problems.push(`${by} names ${path}`);
  };
  for (const [name, text] of bootFiles(fs)) {
    for (const [path] of text.matchAll(/images\/[\w-]+\/[\w-]+\/(vmlinuz|initrd\.img)/g)) {
      const link = `/state/netboot/tftp/${path}`;
      need(link, name);
      if (fs.lstat(link) !== undefined) need(fs.readlink(link), name);
    }
    for (const [, path = ''] of text.matchAll(/mkroot\.(?:base|cluster|host)=(?:[\d.]+:)?(\/\S+)/g)) {
      need(path, name);
      need(`${path.slice(0, path.lastIndexOf('/'))}/manifest.json`, name);
      if (path.startsWith('/state/hosts/')) need(`${path}/etc/ssh/ssh_host_rsa_key`, name);
      if (path.startsWith('/state/layers/')) need(`${path}/etc/motd`, name);
    }
  }
  return problems;
}

/**
 * Every path below a directory with what it is, temporary names included; times of writing, and inodes that mkroot remembers,
 * left out.
 */
export function listing(fs: FileSystem, directory: string): string[] {
  return fs.readdir(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    const kind = fs.lstat(path)?.kind;
    if (kind === 'directory') return [`${path}/`, ...listing(fs, path)];
    if (kind === 'symlink') return [`${path} -> ${fs.readlink(path)}`];
    const text = Buffer.from(fs.readFile(path))
      .toString()
      .replaceAll(/"20\d\d-[^"]*"/g, '"TIME"');
    const left = LEFT_OUT[name];
    return [`${path}: ${left === undefined ? text : text.replaceAll(left, '')}`];
  });
}

/** What of mkroot's own files says when, or where on the disk, something was written. */
const LEFT_OUT: Readonly<Record<string, RegExp>> = {
  'published.json': /"retired": ?\{[^}]*\}/g,
  '.mkroot-tree.json': /"\d+:\d+:[\d.]+"/g,
  'host-layers': /"[\w-]{43}"/g,
};

/** Every version of a layer looks as if it had been made when {@link publishPorts} says that it is now. */
export function ageLayers(fs: FileSystem): void {
  for (const parent of ['/state/layers', '/state/hosts']) {
    for (const name of fs.readdir(parent)) {
      const versions = `${parent}/${name}/versions`;
      for (const id of fs.readdir(versions)) fs.setMtime(`${versions}/${id}`, Date.UTC(2026, 10, 20) / 1000);
    }
  }
}
