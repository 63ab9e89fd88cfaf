import { beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { makeCurrent } from '../../../../src/images/image-store.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import { publishReport } from '../../../../src/pipelines/publish/publish-report.js';
import { rollbackTarget } from '../../../../src/pipelines/publish/roll-back.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import {
  bootFiles,
  brokenBoots,
  G1,
  G2,
  listing,
  NODES,
  publishPorts,
  publishSite,
  REQUEST,
  WRITER,
} from '../../../support/publish-site.js';
import { SilentProgress } from '../../../support/silent-progress.js';

let fs: FileSystem;
beforeEach(() => {
  fs = publishSite();
});

const publishAll = (request = REQUEST, options = WRITER) => publish(publishPorts(fs), request, options);
const bootOf = (mac: string) =>
  [...bootFiles(fs)].find(([path]) => path.startsWith('ipxe/01-') && path.includes(mac))?.[1] ?? '';
const generations = () => ['00-01', '00-02', '01-01'].map((mac) => /generation=(\S+)/.exec(bootOf(mac))?.[1]);
const changes = (request = REQUEST) => {
  const { nodes, layers, tree } = planPublish(fs, request);
  return {
    nodes: nodes.map(({ name, what }) => `${name}: ${what.join(', ')}`),
    layers: layers.map(
      ({ name, differences }) => `${name}: ${differences.map(({ path }) => path).join(' ')}`,
    ),
    services: tree.changes.map(({ path }) => path).filter((path) => path.startsWith('etc/')),
    files: tree.changes.map(({ path }) => path).filter((path) => path.startsWith('tftp/')),
  };
};
const edit = (path: string, text: string) => fs.writeFile(`/site/${path}`, text);

describe('a plan', () => {
  it('reads only, and names all nodes, layers and files at the first time', () => {
    const before = listing(fs, '/state');
    const plan = planPublish(fs, REQUEST);
    expect(listing(fs, '/state')).toEqual(before);
    expect(plan.nodes.map(({ name, change }) => [name, change])).toEqual([
      ['n1', 'added'],
      ['n2', 'added'],
      ['c1', 'added'],
    ]);
    expect(plan.layers.map(({ name }) => name).sort()).toEqual(['c1', 'canary', 'compute', 'n1', 'n2']);
    expect(plan.tree.changes.every(({ change }) => change === 'added')).toBe(true);
  });

  it('is empty after it was carried out, and carrying it out again changes not a byte', async () => {
    await publishAll();
    expect(planPublish(fs, REQUEST).changes).toBe(false);
    const before = listing(fs, '/state');
    expect((await publishAll()).changes).toBe(false);
    expect(listing(fs, '/state')).toEqual(before);
  });

  it('with pointers the boot entry names the host layer alone, whose files name the versions that are published', async () => {
    edit('nodes.yaml', NODES.replace('firmware: bios }', 'firmware: bios, transport: { pointers: true } }'));
    await publishAll();
    const words = bootOf('00-01').split(/\s+/);
    const layer = /^mkroot\.host=10\.1\.0\.1:(\/state\/hosts\/n1\/versions\/\w+\/layer)$/;
    expect(words.filter((word) => /^mkroot\.(base|cluster|roots|host)=/.test(word))).toEqual([
      expect.stringMatching(layer),
      'mkroot.roots=10.1.0.1:/state',
    ]);
    const host = layer.exec(words.find((word) => layer.test(word))!)![1];
    const pointed = (name: string) =>
      `/state/${Buffer.from(fs.readFile(`${host}/${name}`))
        .toString()
        .trim()}`;
    expect(pointed('hopeless.root')).toBe(`/state/images/compute/generations/${G1}/root`);
    expect(pointed('hopeless.overlay')).toMatch(/^\/state\/layers\/compute\/versions\/\w+\/layer$/);
    expect(fs.lstat(pointed('hopeless.overlay'))?.kind).toBe('directory');
    expect(bootOf('01-01')).toContain('mkroot.base=');
    // gc and diff know what the node boots all the same.
    edit('overlays/compute/etc/rack', '8\n');
    expect(changes().nodes).toEqual(['n1: shared layer, own layer', 'n2: shared layer, own layer']);
  });

  it('with GRUB as the boot loader its images are made once, and every DHCP server sends all machines there', async () => {
    fs.mkdir('/usr/lib/grub/i386-pc');
    fs.writeFile('/usr/lib/grub/i386-pc/kernel.img', 'kernel');
    fs.setMtime('/usr/lib/grub/i386-pc/kernel.img', 1);
    edit('nodes.yaml', NODES.replace('cluster:\n', 'cluster:\n  bootLoader: grub\n'));
    const progress = new SilentProgress();
    await publish({ ...publishPorts(fs), progress }, REQUEST, WRITER);
    const text = (path: string) => Buffer.from(fs.readFile(`/state/netboot/${path}`)).toString();
    expect(fs.readlink('/state/netboot/tftp/grub/core.0')).toBe('/state/grub/core.0');
    expect(Buffer.from(fs.readFile('/state/grub/core.0')).toString()).toBe('image for i386-pc-pxe');
    for (const file of ['etc/dnsmasq.conf', 'etc/dhcp/dhcpd.conf', 'etc/kea/kea-dhcp4.conf']) {
      expect(text(file)).toContain('grub/core.0');
      expect(text(file)).toContain('grub/core.efi');
      expect(text(file)).not.toMatch(/pxelinux\.0|boot\.ipxe/);
    }
    expect(progress.lines.join('\n')).toMatch(
      /warn Missing boot loader grub\/core\.efi: install grub-efi-amd64-bin/,
    );
    fs.writeFile('/state/grub/core.0', 'as it was');
    edit('overlays/compute/etc/rack', '8\n');
    await publishAll();
    expect(Buffer.from(fs.readFile('/state/grub/core.0')).toString()).toBe('as it was');
  });

  it('a new generation changes the boot files of its nodes and their own layers, and no configuration of servers', async () => {
    await publishAll();
    makeCurrent(fs, '/state', 'compute', G2);
    const { nodes, services, files } = changes();
    expect(nodes).toEqual(['n1', 'n2', 'c1'].map((name) => `${name}: compute ${G1} to ${G2}, own layer`));
    expect(services).toEqual([]);
    expect(files.filter((path) => path.includes('images/'))).toEqual([
      `tftp/images/compute/${G2}/initrd.img`,
      `tftp/images/compute/${G2}/vmlinuz`,
    ]);
  });

  it('an edited overlay changes its layer and the nodes that have it, path by path', async () => {
    await publishAll();
    edit('overlays/compute/etc/rack', '8\n');
    expect(changes()).toMatchObject({
      nodes: ['n1: shared layer', 'n2: shared layer'],
      layers: ['compute: /etc/rack'],
      services: [],
    });
  });

  it('a node that comes is added to the servers; one that goes takes its files along', async () => {
    await publishAll();
    edit('nodes.yaml', NODES.replace(/ {2}c1: .*/, '  c2: { group: canary, ip: 10.1.2.2 }'));
    const { nodes, services, files } = changes();
    expect(nodes).toEqual([`c2: compute ${G1}`, 'c1: ']);
    expect(services).toContain('etc/hosts');
    expect(files.every((path) => /52-54-00-00-01-01|0A01020[12]|10\.1\.2\.[12]/.test(path))).toBe(true);
  });

  it('names what changes of a node besides its image and layers', async () => {
    await publishAll();
    const changed = NODES.replace("'52:54:00:00:00:02'", "'52:54:00:00:00:22'")
      .replace('firmware: uefi', 'firmware: uefi, kernelArguments: [quiet], variables: { rack: 2 }')
      .replace('10.1.2.1', '10.1.2.9');
    edit('nodes.yaml', changed);
    expect(changes().nodes).toEqual([
      'n2: own layer, MAC',
      'c1: own layer, boot options, address, variables',
    ]);
  });

  it('of many nodes that change alike is one line', async () => {
    await publishAll();
    makeCurrent(fs, '/state', 'compute', G2);
    const { lines } = publishReport(fs, planPublish(fs, REQUEST), {
      files: false,
      diff: false,
      published: false,
      state: '/state',
    });
    expect(lines.slice(0, 2)).toEqual([`Nodes`, `  ~ c1,n[1-2]: compute ${G1} to ${G2}, own layer`]);
    expect(lines.at(-1)).toBe('Nothing was changed: this is what would be');
  });

  it('an error of the linter refuses it, with every layer that has one', () => {
    edit('overlays/cluster/etc/shadow', 'root:$6$abcdefgh$0123456789abcdef:1:0:99999:7:::\n');
    expect(() => planPublish(fs, REQUEST)).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.InvalidInput,
        message: expect.stringContaining('Cannot publish: the linter found'),
        details: expect.arrayContaining([
          expect.stringContaining('secret-path: /etc/shadow'),
          '    in compute and 1 more',
        ]),
      }),
    );
  });

  it('an image without an initrd is refused with the command that makes it', () => {
    fs.remove(`/state/images/compute/initrds/${G1}`);
    expect(() => planPublish(fs, REQUEST)).toThrow(
      expect.objectContaining({ exitCode: ExitCode.NotFound, hint: 'Make it first: mkroot initrd compute' }),
    );
  });
});

describe('a publish', () => {
  it('without any image makes no state directory', async () => {
    const elsewhere = publish(publishPorts(fs), { ...REQUEST, state: '/other' }, WRITER);
    await expect(elsewhere).rejects.toMatchObject({
      exitCode: ExitCode.NotFound,
      message: 'Cannot open the image "compute": there is none in /other',
    });
    expect(fs.lstat('/other')).toBeUndefined();
  });

  it('lets nodes boot versions of layers that stay when the site changes', async () => {
    await publishAll();
    expect(brokenBoots(fs)).toEqual([]);
    const [, mounted = ''] = /mkroot\.cluster=(\S+)/.exec(bootOf('00-01'))!;
    edit('overlays/cluster/etc/motd', 'bye\n');
    await publishAll();
    expect(bootOf('00-01')).not.toContain(mounted);
    expect(Buffer.from(fs.readFile(`${mounted}/etc/motd`)).toString()).toBe('hello\n');
    expect(brokenBoots(fs)).toEqual([]);
  });

  it('keeps what nodes fetch that read their boot file a moment before', async () => {
    await publishAll();
    makeCurrent(fs, '/state', 'compute', G2);
    await publishAll();
    expect(generations()).toEqual([G2, G2, G2]);
    expect(fs.lstat(`/state/netboot/tftp/images/compute/${G1}/vmlinuz`)?.kind).toBe('symlink');
  });

  it('a boot file that somebody edited is noticed, kept, and overwritten only by force', async () => {
    await publishAll();
    const path = '/state/netboot/tftp/pxelinux.cfg/0A010101';
    fs.writeFile(path, 'DEFAULT mine\n');
    await expect(publishAll()).rejects.toMatchObject({
      details: ['  tftp/pxelinux.cfg/0A010101: it was changed after mkroot wrote it'],
    });
    expect(Buffer.from(fs.readFile(path)).toString()).toBe('DEFAULT mine\n');
    await publishAll(REQUEST, { ...WRITER, force: true });
    expect(Buffer.from(fs.readFile(path)).toString()).toContain(G1);
  });

  it('keys of nodes are made once and kept', async () => {
    await publishAll();
    const before = listing(fs, '/state/hosts').filter((line) => line.includes('/identity/'));
    edit('overlays/cluster/etc/motd', 'bye\n');
    makeCurrent(fs, '/state', 'compute', G2);
    await publishAll();
    expect(listing(fs, '/state/hosts').filter((line) => line.includes('/identity/'))).toEqual(before);
    expect(before.length).toBeGreaterThan(20);
  });
});

describe('keys of new nodes', () => {
  /** Ports on which every ssh-keygen takes a while, and how many of them there are at once. */
  function slowKeys(broken = '') {
    const ports = publishPorts(fs);
    const seen = { now: 0, most: 0, begun: [] as string[] };
    const runner: typeof ports.runner = {
      which: (program) => ports.runner.which(program),
      start: (command) => ports.runner.start(command),
      run: async (command) => {
        if (command.argv[0] !== 'ssh-keygen') return ports.runner.run(command);
        const who = command.argv[7]!;
        seen.begun.push(who);
        seen.now += 1;
        seen.most = Math.max(seen.most, seen.now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.now -= 1;
        if (who === broken) throw new Error(`no key for ${who}`);
        return ports.runner.run(command);
      },
    };
    return { ports: { ...ports, runner }, seen };
  }

  it('are made for as many at once as there are processors', async () => {
    const { ports, seen } = slowKeys();
    await publish(ports, REQUEST, { ...WRITER, processors: 2 });
    expect(seen.most).toBe(2);
    expect(brokenBoots(fs)).toEqual([]);
    expect(planPublish(fs, REQUEST).changes).toBe(false);
  });

  it('that cannot be made end it when the others that were begun are there; the next publish makes the rest', async () => {
    const { ports, seen } = slowKeys('root@n1');
    await expect(publish(ports, REQUEST, { ...WRITER, processors: 2 })).rejects.toThrow('no key for root@n1');
    expect(seen.now).toBe(0);
    expect(seen.begun).not.toContain('root@c1');
    expect(fs.lstat('/state/hosts/n2/identity/ssh')?.kind).toBe('directory');
    await publishAll();
    expect(brokenBoots(fs)).toEqual([]);
  });
});

describe('only some nodes', () => {
  it('a canary group boots the new generation and layers; nobody else changes', async () => {
    await publishAll();
    const before = bootOf('00-01');
    makeCurrent(fs, '/state', 'compute', G2);
    edit('overlays/cluster/etc/motd', 'bye\n');
    await publishAll({ ...REQUEST, only: ['canary'] });
    expect(generations()).toEqual([G1, G1, G2]);
    expect(bootOf('00-01')).toBe(before);
    expect(brokenBoots(fs)).toEqual([]);
    await publishAll();
    expect(generations()).toEqual([G2, G2, G2]);
  });

  it('a node that was never published stays out', async () => {
    await publishAll({ ...REQUEST, only: ['n1'] });
    expect(generations()).toEqual([G1, undefined, undefined]);
    expect(planPublish(fs, REQUEST).nodes.map(({ name }) => name)).toEqual(['n2', 'c1']);
  });
});

describe('a pin', () => {
  it('holds a node, or a group, on a generation when the image goes on', async () => {
    makeCurrent(fs, '/state', 'compute', G2);
    edit('nodes.yaml', NODES.replace('firmware: uefi', `firmware: uefi, generation: ${G1}`));
    await publishAll();
    expect(generations()).toEqual([G2, G2, G1]);
    edit('nodes.yaml', `${NODES}overrides:\n  n2: { generation: ${G1} }\n`);
    await publishAll();
    expect(generations()).toEqual([G2, G1, G2]);
  });

  it('layers fit the generation that a node is pinned to', async () => {
    fs.chmod(`/state/images/compute/generations/${G1}/root/etc`, 0o700);
    makeCurrent(fs, '/state', 'compute', G2);
    edit('nodes.yaml', `${NODES}overrides:\n  n2: { generation: ${G1} }\n`);
    await publishAll();
    const etc = ['00-01', '00-02'].map(
      (mac) => fs.lstat(`${/mkroot\.cluster=(\S+)/.exec(bootOf(mac))![1]}/etc`)?.mode,
    );
    expect(etc).toEqual([0o755, 0o700]);
    expect(fs.lstat('/state/layers/compute/current/layer/etc')?.mode).toBe(0o755);
  });

  it('to a generation that is not there is refused with those that are', () => {
    edit('nodes.yaml', `${NODES}overrides:\n  n2: { generation: 20261110T000000Z-22222223 }\n`);
    expect(() => planPublish(fs, REQUEST)).toThrow(`there are ${G1}, ${G2}; did you mean "${G2}"?`);
  });
});

describe('a rollback', () => {
  beforeEach(async () => {
    makeCurrent(fs, '/state', 'compute', G2);
    edit('nodes.yaml', `${NODES}overrides:\n  n2: { generation: ${G2} }\n`);
    await publishAll();
  });

  it('lets all nodes that follow the image boot the generation before; pinned ones stay', async () => {
    const rollback = rollbackTarget(fs, '/state', 'compute');
    expect(rollback).toMatchObject({ from: G2, generation: G1 });
    await publishAll({ ...REQUEST, rollback });
    expect(generations()).toEqual([G1, G2, G1]);
    expect(fs.readlink('/state/images/compute/current')).toBe(`generations/${G1}`);
    expect(brokenBoots(fs)).toEqual([]);
    expect(planPublish(fs, REQUEST).changes).toBe(false);
  });

  it('goes forward again by name, and nowhere that is not there', async () => {
    makeCurrent(fs, '/state', 'compute', G1);
    expect(rollbackTarget(fs, '/state', 'compute', G2).generation).toBe(G2);
    expect(() => rollbackTarget(fs, '/state', 'compute')).toThrow('nothing that boots is older');
    expect(() => rollbackTarget(fs, '/state', 'compute', 'G3')).toThrow('Cannot find generation "G3"');
  });
});
