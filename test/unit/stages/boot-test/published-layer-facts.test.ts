import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publishedLayerFacts } from '../../../../src/stages/boot-test/published-layer-facts.js';
import { type MemoryTree, memoryFileSystem } from '../../../support/memory-file-system.js';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

const layers = { base: '/s/root', cluster: ['/s/cluster'], host: '/s/host' };

const files: MemoryTree = {
  '/s/root/usr/lib/os-release': 'ID=debian\n',
  '/s/root/etc/gone': 'x',
  '/s/root/etc/kept': 'x',
  '/s/cluster/etc/motd': 'shared\n',
  '/s/cluster/etc/over': 'shared\n',
  '/s/host/etc/over': 'own\n',
  '/s/host/etc/hostname': 'n1\n',
  '/s/host/etc/machine-id': 'abc\n',
  '/s/host/etc/ssh/ssh_host_rsa_key': 'secret\n',
};

describe('what a node has to find of its published layers', () => {
  const facts = publishedLayerFacts(memoryFileSystem(files), layers, '/s/host');

  it('names the layers as the node does, topmost first, and where each comes from', () => {
    expect(facts.names).toEqual(['host', 'cluster', 'base']);
    expect(facts.files.mounts).toBe('base /s/root\ncluster /s/cluster\nhost /s/host\n');
  });

  it('expects copies in memory where the base comes over HTTP', () => {
    const overHttp = { ...layers, baseIsImage: true, inMemory: true };
    expect(publishedLayerFacts(memoryFileSystem(files), overHttp, '/s/host').files.mounts).toBe(
      'base image\ncluster memory\nhost memory\n',
    );
  });

  it('tells files that a layer above covers from those that the node sees, and leaves out what is written at boot', () => {
    const lines = facts.files.files.trim().split('\n');
    expect(lines).toContain(`base yes ${sum('ID=debian\n')} /usr/lib/os-release`);
    expect(lines).toContain(`cluster yes ${sum('shared\n')} /etc/motd`);
    expect(lines).toContain(`cluster no ${sum('shared\n')} /etc/over`);
    expect(lines).toContain(`host yes ${sum('own\n')} /etc/over`);
    expect(facts.files.files).not.toContain('/etc/hostname');
  });

  it('has the digests of the node’s own keys, and its machine-id', () => {
    expect(facts.files.keys).toBe(`${sum('secret\n')} /etc/ssh/ssh_host_rsa_key\n`);
    expect(facts.files['machine-id']).toBe('abc\n');
  });
});
