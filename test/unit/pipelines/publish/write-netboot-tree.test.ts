import { beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import type { DiskFileSystem } from '../../../../src/host/disk-file-system.js';
import { MANIFEST_FORMAT } from '../../../../src/images/manifest.js';
import { fileDifferences } from '../../../../src/pipelines/publish/file-differences.js';
import {
  type NetbootTreePlan,
  planNetbootTree,
  writeNetbootTree,
} from '../../../../src/pipelines/publish/write-netboot-tree.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const inventory = `
cluster:
  domain: cluster.example
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
    files: { address: 10.1.0.2, roles: [nfs] }
  ntp: [10.1.0.1, ntp.example.org]
networks:
  internal: { subnet: 10.1.0.0/16, range: 10.1.250.1-10.1.250.254, gateway: 10.1.0.1, mtu: 9000 }
groups:
  compute:
    image: compute
    overlays: [base]
    serialConsole: ttyS1,57600
    kernelArguments: [nosmt]
    persistent:
      - { path: /var/log }
      - { path: /home, export: /srv/home }
      - { path: /opt/apps, export: /srv/apps, readOnly: true }
      - { path: /scratch, export: /srv/scratch/%h, server: files }
  storage:
    image: storage
    firmware: bios
    writableTop: { size: 2g }
    disk: { device: sda, swap: 4g, consent: if-empty }
    transport: { nfsVersion: '4.1' }
    persistent: [{ path: /data, export: /srv/data/%m }]
nodes:
  n[1-2]: { group: compute, ip: 10.1.1.1, mac: ['52:54:00:00:00:01', '52:54:00:00:00:02'] }
  s1: { group: storage, ip: 10.1.2.1, mac: '52:54:00:00:01:01', menu: [local, memtest], menuTimeout: 5 }
`;

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmH1KdVNJ2Dd1HDVGaMYd8ygGaxWcVUmzIEjo8BlAoF n1';

function image(name: string, generation: string) {
  const directory = `/state/images/${name}`;
  return {
    [`${directory}/generations/${generation}/manifest.json`]: '{}',
    [`${directory}/generations/${generation}/vmlinuz`]: 'kernel',
    [`${directory}/initrds/${generation}/initrd.img`]: 'initrd',
    [`${directory}/current`]: { link: `generations/${generation}` },
  };
}

/** As far as reading one goes. */
const manifest = {
  ...{ format: MANIFEST_FORMAT, name: 'compute', generation: 'g1', key: '', createdAt: '', mkroot: '' },
  ...{
    recipe: null,
    recipePath: '',
    stages: [],
    packages: [],
    kernels: [],
    tools: {},
    sizes: {},
    digests: {},
  },
};

let fs: DiskFileSystem;
beforeEach(() => {
  fs = memoryFileSystem({
    '/site/nodes.yaml': inventory,
    '/site/overlays/base': null,
    '/state/layers/compute/versions/v1/layer': null,
    '/state/layers/compute/current': { link: 'versions/v1' },
    '/state/hosts/n1/versions/v2/layer': null,
    '/state/hosts/n1/current': { link: 'versions/v2' },
    '/state/hosts/n1/identity/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/state/hosts/n1/identity/ssh/ssh_host_ed25519_key': 'secret\n',
    '/state/hosts/n1/identity/ssh/ssh_host_ed25519_key.pub': `${publicKey}\n`,
    ...image('compute', 'g1'),
    ...image('storage', 'g7'),
    '/usr/lib/PXELINUX/pxelinux.0': 'loader',
  });
});

function plan(): NetbootTreePlan {
  return planNetbootTree(
    { fs },
    {
      site: { directory: '/site', workingDirectory: '/', images: ['compute', 'storage'] },
      state: '/state',
      directory: '/tree',
      interfaces: ['br0'],
    },
  );
}

const wanted = (path: string) => {
  const file = plan().files.get(path)!;
  return 'render' in file ? file.render() : `-> ${file.target}`;
};
const lines = (path: string) => wanted(path).split('\n');

describe('from the inventory', () => {
  it('a node boots the current generation of its image with the layers that were written', () => {
    expect(wanted('tftp/pxelinux.cfg/01-52-54-00-00-00-01')).toBe(`SERIAL 1 57600
DEFAULT mkroot
PROMPT 0

LABEL mkroot
  MENU LABEL compute g1
  KERNEL images/compute/g1/vmlinuz
  INITRD images/compute/g1/initrd.img
  APPEND console=tty0 console=ttyS1,57600n8 mkroot.image=compute mkroot.generation=g1 mkroot.base=10.1.0.1:/state/images/compute/generations/g1/root mkroot.cluster=/state/layers/compute/versions/v1/layer mkroot.host=/state/hosts/n1/versions/v2/layer mkroot.hostname=n1 mkroot.report=10.1.0.1 ip=::::::dhcp:9000 nosmt
  IPAPPEND 2
`);
    expect(wanted('tftp/pxelinux.cfg/0A010201')).toContain(
      'mkroot.nfsvers=4.1 mkroot.disk=sda,swap=4g,consent=if-empty mkroot.rw=tmpfs:size=2g mkroot.hostname=s1',
    );
    expect(plan().files.has('tftp/grub/grub.cfg-0A010201')).toBe(false);
  });

  it('a node is refused an image of another architecture, not a 64-bit PC a 32-bit one, and arm64 has loaders of its own', () => {
    const isFor = (architecture: string) =>
      fs.writeFile(
        '/state/images/compute/generations/g1/manifest.json',
        JSON.stringify({ ...manifest, architecture }),
      );
    isFor('i386');
    expect(() => plan()).not.toThrow();
    isFor('arm64');
    expect(() => plan()).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.InvalidInput,
        details: ['  The image "compute" is for arm64, these nodes are amd64: n1, n2'],
      }),
    );
    fs.writeFile(
      '/site/nodes.yaml',
      inventory.replace('image: compute', 'image: compute\n    architecture: arm64'),
    );
    const missing = plan().warnings.flatMap(
      (warning) => /^Missing boot loader (\S+):/.exec(warning)?.[1] ?? [],
    );
    expect(missing).toContain('snponly-arm64.efi');
    expect(missing).not.toContain('snponly.efi');
    expect(plan().files.has('tftp/pxelinux.cfg/01-52-54-00-00-00-01')).toBe(false);
  });

  it('kernels, initrds and loaders are links to where they are published and installed', () => {
    expect(wanted('tftp/images/compute/g1/vmlinuz')).toBe('-> /state/images/compute/generations/g1/vmlinuz');
    expect(wanted('tftp/images/storage/g7/initrd.img')).toBe(
      '-> /state/images/storage/initrds/g7/initrd.img',
    );
    expect(wanted('tftp/pxelinux.0')).toBe('-> /usr/lib/PXELINUX/pxelinux.0');
  });

  it('each node may mount its own directories of this server, everybody what is shared', () => {
    const options = 'sync,no_root_squash,subtree_check';
    expect(lines('etc/exports').slice(1, -1)).toEqual([
      `/srv/apps 10.1.0.0/16(ro,${options})`,
      `/srv/data/52-54-00-00-01-01 10.1.2.1(rw,${options})`,
      '/srv/home 10.1.0.0/16(rw,sync,root_squash,subtree_check)',
      `/state/hosts/n1/persistent/var/log/@ 10.1.1.1(rw,${options})`,
      `/state/hosts/n1/versions 10.1.1.1(ro,${options})`,
      `/state/hosts/n2/persistent/var/log/@ 10.1.1.2(rw,${options})`,
      `/state/images 10.1.0.0/16(ro,${options})`,
      `/state/layers 10.1.0.0/16(ro,${options})`,
    ]);
  });

  it('names, public keys and time servers reach their files, private keys none', () => {
    expect(lines('etc/hosts')).toContain('10.1.0.2\tfiles.cluster.example files');
    expect(wanted('etc/ssh/ssh_known_hosts')).toContain(
      `n1,n1.cluster.example,10.1.1.1 ${publicKey.split(' ', 2).join(' ')}`,
    );
    expect(lines('etc/dnsmasq.conf')).toContain('dhcp-option=tag:internal,option:ntp-server,10.1.0.1');
    expect([...plan().files.keys()].map(wanted).join('')).not.toContain('secret');
  });

  it('what is missing is said: layers, boot loaders', () => {
    expect(plan().warnings).toEqual([
      'These nodes have no layer of their own: n2, s1 (mkroot node instantiate)',
      expect.stringContaining('Missing boot loader ldlinux.c32: install'),
      expect.stringContaining('Missing boot loader snponly.efi'),
      expect.stringContaining('Missing boot loader memtest/memtest86+x64.bin'),
      expect.stringContaining('Missing boot loader memtest/memtest86+x64.efi'),
    ]);
  });

  it('an image that was never built is an error that says what to do', () => {
    fs.remove('/state/images/storage');
    expect(plan).toThrow('Cannot open the image "storage"');
  });
});

describe('a change', () => {
  it('of what one node boots changes the files of that node alone, and the difference is shown', async () => {
    // memfs cannot rename links; they are made before.
    for (const [path, file] of plan().files) {
      if (!('target' in file)) continue;
      fs.mkdir(`/tree/${path.slice(0, path.lastIndexOf('/'))}`);
      fs.symlink(file.target, `/tree/${path}`);
    }
    await writeNetbootTree({ fs, runner: new ScriptedRunner() }, plan(), { state: '/state', force: false });
    expect(plan().changes).toEqual([]);
    fs.writeFile('/site/nodes.yaml', `${inventory}overrides: { n2: { kernelArguments: [debug] } }\n`);
    const changed = plan();
    const { changes } = changed;
    expect(changes.map(({ path }) => path)).toEqual([
      'tftp/grub/grub.cfg-01-52-54-00-00-00-02',
      'tftp/grub/grub.cfg-0A010102',
      'tftp/ipxe/01-52-54-00-00-00-02.ipxe',
      'tftp/ipxe/10.1.1.2.ipxe',
      'tftp/pxelinux.cfg/01-52-54-00-00-00-02',
      'tftp/pxelinux.cfg/0A010102',
    ]);
    const shown = fileDifferences(fs, changed, changes.at(-1)!);
    expect(shown.filter((line) => /^[+-]/.test(line)).map((line) => line.slice(-60))).toEqual([
      expect.stringMatching(/=n2 mkroot.report=10.1.0.1 ip=::::::dhcp:9000 nosmt$/),
      expect.stringMatching(/=n2 mkroot.report=10.1.0.1 ip=::::::dhcp:9000 nosmt debug$/),
    ]);
  });
});
