import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How many nodes: growth shows in factors of ten. */
export const COUNTS = [100, 1000, 10_000];

/** Generations of the image, the older first. */
export const GENERATIONS = ['20261101T000000Z-11111111', '20261110T000000Z-22222222'] as const;

/** Writes an image `name` with two generations into a state directory, as far as layers and boot files need it. */
export function writeImage(state: string, name: string): void {
  const image = join(state, 'images', name);
  for (const id of GENERATIONS) {
    write(join(image, 'generations', id, 'root/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    write(join(image, 'generations', id, 'root/etc/group'), 'root:x:0:\n');
    write(join(image, 'generations', id, 'manifest.json'), '{}');
    write(join(image, 'generations', id, 'vmlinuz'), 'kernel');
    write(join(image, 'initrds', id, 'initrd.img'), 'initrd');
  }
  makeCurrent(state, name, GENERATIONS[0]);
}

/** What `mkroot build` does last. */
export function makeCurrent(state: string, name: string, id: string): void {
  const link = join(state, 'images', name, 'current');
  rmSync(link, { force: true });
  symlinkSync(`generations/${id}`, link);
}

/**
 * A site: each node has an entry of its own, with address, MAC address and a variable: the most text that there can be. One
 * overlay for all, and one template for each node.
 */
export function writeSite(site: string, count: number): void {
  const groups = Array.from({ length: 8 }, (_, at) => `  g${at}: { kernelArguments: [panic=${at}] }\n`);
  const nodes = Array.from({ length: count }, (_, at) => {
    const ip = `10.1.${bytesOf(at + 0x1000).join('.')}`;
    return `  n${at}:\n    group: g${at % 8}\n    ip: ${ip}\n    mac: ${macOf(at)}\n    variables: { rack: r${at % 40} }\n`;
  });
  write(
    join(site, 'nodes.yaml'),
    `cluster:
  domain: cluster.example
  image: compute
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, http, nfs, dns, ntp] }
networks:
  internal: { subnet: 10.1.0.0/16, gateway: 10.1.0.1 }
groups:
${groups.join('')}nodes:
${nodes.join('')}`,
  );
  write(join(site, 'overlays/cluster/etc/motd'), 'hello\n');
  write(join(site, 'hosts/template/etc/rack.liquid'), '{{ node.name }} is in {{ variables.rack }}\n');
}

/** Text of nodes.yaml in which one node boots another image. */
export function withOtherImage(nodes: string, node: string, image: string): string {
  return `${nodes}overrides: { ${node}: { image: ${image} } }\n`;
}

/**
 * The identities of nodes, as a publish makes them first. All have the same keys, with their own comments: making them is the work
 * of ssh-keygen, and takes it hours for so many.
 */
export function writeIdentities(state: string, count: number, scratch: string): void {
  const keys = join(scratch, 'keys');
  if (!readdirSync(scratch).includes('keys')) {
    mkdirSync(keys);
    for (const type of ['ecdsa', 'ed25519', 'rsa']) {
      const file = join(keys, `ssh_host_${type}_key`);
      const argv = ['-q', '-t', type, '-N', '', '-C', 'root@NAME', '-f', file];
      if (spawnSync('ssh-keygen', argv, { stdio: 'inherit' }).status !== 0)
        throw new Error('ssh-keygen failed');
    }
  }
  const files = readdirSync(keys).map((name) => [name, readFileSync(join(keys, name), 'utf8')] as const);
  for (let at = 0; at < count; at += 1) {
    const identity = join(state, 'hosts', `n${at}`, 'identity');
    mkdirSync(join(identity, 'ssh'), { recursive: true, mode: 0o700 });
    const id = createHash('sha256')
      .update(`mkroot machine-id ${macOf(at)}\n`)
      .digest('hex')
      .slice(0, 32);
    writeFileSync(join(identity, 'machine-id'), `${id}\n`, { mode: 0o600 });
    for (const [name, text] of files) {
      const mode = name.endsWith('.pub') ? 0o644 : 0o600;
      writeFileSync(join(identity, 'ssh', name), text.replace('NAME', `n${at}`), { mode });
    }
  }
}

function bytesOf(number: number): [number, number] {
  return [number >> 8, number & 255];
}

function macOf(at: number): string {
  return `52:54:00:00:${bytesOf(at)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':')}`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
