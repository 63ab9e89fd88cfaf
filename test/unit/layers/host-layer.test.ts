import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { derivedMachineId, hostIdentity } from '../../../src/layers/host-identity.js';
import { hostLayer } from '../../../src/layers/host-layer.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import type { Command } from '../../../src/ports/process-runner.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

/** ssh-keygen, as far as a layer cares. */
function keygen(fs: FileSystem) {
  let made = 0;
  return new ScriptedRunner({
    'ssh-keygen': ({ argv }: Command) => {
      made += 1;
      const file = argv.at(-1)!;
      fs.writeFile(file, `private ${made}`, 0o600);
      fs.writeFile(`${file}.pub`, `public ${made}`);
      return {};
    },
  });
}

describe('identity of a node', () => {
  test('is made once and kept, even if the network card changes', async () => {
    const fs = memoryFileSystem({ '/state': null });
    const runner = keygen(fs);
    const first = await hostIdentity({ fs, runner }, '/state/n1', { name: 'n1', mac: '52:54:00:00:00:01' });
    const again = await hostIdentity({ fs, runner }, '/state/n1', { name: 'n1', mac: '52:54:00:00:00:99' });
    expect(again).toEqual(first);
    expect(runner.commands).toHaveLength(3);
    expect([...first.sshKeys.keys()]).toEqual(
      ['ecdsa', 'ed25519', 'rsa'].flatMap((type) => [`ssh_host_${type}_key`, `ssh_host_${type}_key.pub`]),
    );
    expect(fs.lstat('/state/n1')?.mode).toBe(0o700);
  });

  test('the machine-id is the one that /init derives from the MAC (identity.sh), random without one', async () => {
    const mac = '52:54:00:00:00:01';
    expect(derivedMachineId(mac)).toBe(
      createHash('sha256').update(`mkroot machine-id ${mac}\n`).digest('hex').slice(0, 32),
    );
    const fs = memoryFileSystem({ '/state': null });
    const ids = [];
    for (const name of ['a', 'b']) {
      ids.push((await hostIdentity({ fs, runner: keygen(fs) }, `/state/${name}`, { name })).machineId);
    }
    expect(ids[0]).not.toBe(ids[1]);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('keys that were interrupted half-way are made anew as a whole', async () => {
    const fs = memoryFileSystem({ '/state/n1': null });
    const failing = new ScriptedRunner({ 'ssh-keygen': { exitCode: 1 } });
    await expect(hostIdentity({ fs, runner: failing }, '/state/n1', { name: 'n1' })).rejects.toThrow(
      'ssh-keygen',
    );
    expect(fs.readdir('/state/n1')).toEqual(['machine-id']);
    expect((await hostIdentity({ fs, runner: keygen(fs) }, '/state/n1', { name: 'n1' })).sshKeys.size).toBe(
      6,
    );
  });
});

describe('host layer', () => {
  const identity = {
    machineId: 'f'.repeat(32),
    sshKeys: new Map([
      ['ssh_host_rsa_key', Buffer.from('private')],
      ['ssh_host_rsa_key.pub', Buffer.from('public')],
    ]),
  };
  const facts = {
    name: 'n1',
    domain: 'lab.example',
    mac: '52:54:00:00:00:01',
    address: { ip: '10.1.1.1', prefix: 16, gateway: '10.1.0.1' },
    dns: ['10.1.0.1'],
    others: [{ ip: '10.1.0.1', name: 'head' }],
    root: 'images/compute',
    overlay: 'layers/compute',
    identity,
  };

  test('has name, hosts, machine-id, keys, network and the pointer files that /init reads', () => {
    const tree = hostLayer(facts, () => false);
    const files = Object.fromEntries(
      tree
        .entries()
        .flatMap((entry) =>
          entry.kind === 'file' && 'data' in entry.content
            ? [[entry.path, [entry.mode.toString(8), Buffer.from(entry.content.data).toString()]]]
            : [],
        ),
    );
    expect(files).toEqual({
      '/hopeless.root': ['644', 'images/compute\n'],
      '/hopeless.overlay': ['644', 'layers/compute\n'],
      '/etc/hostname': ['644', 'n1\n'],
      '/etc/machine-id': ['444', `${'f'.repeat(32)}\n`],
      '/etc/hosts': [
        '644',
        '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.1.1.1\tn1.lab.example n1\n10.1.0.1\thead.lab.example head\n',
      ],
      '/etc/ssh/ssh_host_rsa_key': ['600', 'private'],
      '/etc/ssh/ssh_host_rsa_key.pub': ['644', 'public'],
      '/etc/systemd/network/20-n1.network': [
        '644',
        '[Match]\nMACAddress=52:54:00:00:00:01\n\n[Network]\nAddress=10.1.1.1/16\nGateway=10.1.0.1\nDNS=10.1.0.1\nDomains=lab.example\nKeepConfiguration=yes\n',
      ],
    });
  });

  test('in a VLAN the address is that of a device over the one with the MAC address', () => {
    const tree = hostLayer({ ...facts, vlan: 5, mtu: 9000 }, () => false);
    const text = (name: string) => {
      const entry = tree.get(`/etc/systemd/network/${name}`);
      return entry?.kind === 'file' && 'data' in entry.content
        ? Buffer.from(entry.content.data).toString()
        : undefined;
    };
    expect(text('20-n1.netdev')).toBe('[NetDev]\nName=vlan5\nKind=vlan\n\n[VLAN]\nId=5\n');
    expect(text('20-n1-vlan.network')).toMatch(
      /^\[Match\]\nName=vlan5\n\n\[Link\]\nMTUBytes=9000\n\n\[Network\]\nAddress=10\.1\.1\.1\/16\n/,
    );
    expect(text('20-n1.network')).toBe(
      '[Match]\nMACAddress=52:54:00:00:00:01\n\n[Link]\nMTUBytes=9000\n\n[Network]\nVLAN=vlan5\nLinkLocalAddressing=no\nKeepConfiguration=yes\n',
    );
  });

  test('leaves the /etc/hosts of an overlay alone', () => {
    expect(hostLayer(facts, (path) => path === '/etc/hosts').get('/etc/hosts')).toBeUndefined();
  });
});
