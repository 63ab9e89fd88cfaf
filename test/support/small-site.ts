import type { NetbootNode, NetbootSite, NodeBoot } from '../../src/netboot/netboot-site.js';

/** What the compute nodes of {@link smallSite} boot; `generation` tells one from the next. */
export function computeBoot(name: string, generation = '20261120T041500Z-1a2b3c4d'): NodeBoot {
  const images = `images/compute/${generation}`;
  return {
    image: {
      name: 'compute',
      generation,
      kernel: `${images}/vmlinuz`,
      initrds: [`${images}/initrd.img`],
    },
    parameters: {
      consoles: ['tty0', 'ttyS0,115200n8'],
      base: { server: '10.1.0.1', path: `/var/lib/mkroot/images/compute/generations/${generation}/root` },
      cluster: [{ path: '/srv/mkroot/overlays/site' }],
      host: { path: `/srv/mkroot/hosts/${name}` },
      hostname: name,
      report: '10.1.0.1',
    },
    serial: { port: 0, baud: 115200 },
  };
}

const storageBoot: NodeBoot = {
  image: {
    name: 'storage',
    generation: '20261119T200000Z-5e6f7a8b',
    kernel: 'images/storage/20261119T200000Z-5e6f7a8b/vmlinuz',
    initrds: ['images/storage/20261119T200000Z-5e6f7a8b/initrd.img', 'drivers/raid.cpio'],
  },
  parameters: {
    base: {
      server: '10.2.0.1',
      path: '/var/lib/mkroot/images/storage/generations/20261119T200000Z-5e6f7a8b/root',
    },
    top: { size: '2g' },
    hostname: 's01',
    extra: ['mitigations=off', 'pci=noaer,nomsi;x', 'isolcpus=1-3'],
  },
  menu: ['local', 'memtest'],
  timeout: 5,
};

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmH1KdVNJ2Dd1HDVGaMYd8ygGaxWcVUmzIEjo8BlAoF';

/** Two compute nodes, one of which runs a memory test, one whose MAC nobody knows yet, and a storage node on another network. */
export const smallSite: NetbootSite = {
  domain: 'cluster.example',
  networks: [
    {
      name: 'compute',
      subnet: '10.1.0.0/16',
      range: { first: '10.1.200.1', last: '10.1.200.254' },
      gateway: '10.1.0.1',
      dns: ['10.1.0.1', '10.1.0.2'],
      ntp: ['10.1.0.1'],
      mtu: 9000,
    },
    { name: 'storage', subnet: '10.2.0.0/24' },
  ],
  hosts: [
    { name: 'head', address: '10.1.0.1', sshHostKeys: [`${hostKey} root@head`] },
    { name: 'head-storage', address: '10.2.0.1' },
  ],
  nodes: [
    {
      name: 'n001',
      mac: '52:54:00:aa:00:01',
      address: '10.1.0.11',
      groups: ['compute'],
      variables: { rack: 1, role: 'worker', motd: 'Hello, "world" {{ lookup(1) }}\n', slots: [1, 2.5, null] },
      sshHostKeys: [hostKey],
      boot: computeBoot('n001'),
      directories: [{ path: '/srv/mkroot/hosts/n001', access: 'ro' }],
    },
    {
      name: 'n002',
      mac: '52-54-00-AA-00-02',
      address: '10.1.0.12',
      groups: ['compute', 'gpu-test'],
      boot: { ...computeBoot('n002'), default: 'memtest', menu: ['image'], timeout: 10 },
      firmware: 'uefi',
      directories: [
        { path: '/srv/mkroot/hosts/n002', access: 'ro' },
        { path: '/srv/mkroot/persistent/n002/var/log', access: 'rw' },
      ],
    },
    {
      name: 'n010',
      address: '10.1.1.0',
      groups: ['compute'],
      boot: { ...computeBoot('n010'), default: 'local' },
      directories: [{ path: '/srv/mkroot/hosts/n010', access: 'ro' }],
    },
    {
      name: 's01',
      mac: '52:54:00:aa:01:01',
      address: '10.2.0.11',
      groups: ['storage'],
      boot: storageBoot,
      firmware: 'bios',
      directories: [{ path: '/srv/mkroot/hosts/s01', access: 'ro' }],
    },
  ],
  server: {
    address: '10.1.0.1',
    interfaces: ['br0'],
    tftpRoot: '/srv/mkroot/netboot/tftp',
    httpRoot: 'http://10.1.0.1:8080/',
  },
  directories: [
    { path: '/var/lib/mkroot/images', access: 'ro' },
    { path: '/srv/mkroot/overlays', access: 'ro' },
    { path: '/srv/beowulf', access: 'rw' },
  ],
};

/** A site of `count` nodes on one network, each with everything that a node can have. */
export function largeSite(count: number): NetbootSite {
  const nodes = Array.from({ length: count }, (_, index): NetbootNode => {
    const [high, low] = [(index >> 8) & 0xff, index & 0xff];
    const name = `n${String(index + 1).padStart(5, '0')}`;
    const hex = (byte: number) => byte.toString(16).padStart(2, '0');
    return {
      name,
      mac: `52:54:00:00:${hex(high)}:${hex(low)}`,
      address: `10.1.${high + 1}.${low}`,
      groups: [`rack-${Math.floor(index / 40)}`, index % 10 === 0 ? 'storage' : 'compute'],
      variables: { rack: Math.floor(index / 40) },
      sshHostKeys: [hostKey],
      boot: { ...computeBoot(name), menu: ['local', 'memtest'] },
      directories: [{ path: `/srv/mkroot/hosts/${name}`, access: 'ro' }],
    };
  });
  return { ...smallSite, nodes };
}
