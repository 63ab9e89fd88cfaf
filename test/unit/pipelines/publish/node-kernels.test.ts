import { beforeEach, describe, expect, it } from 'vitest';
import { fileEntry } from '../../../../src/archive/entry.js';
import { allRecords, readSegments } from '../../../../src/archive/segments.js';
import { parseSidecar } from '../../../../src/archive/sidecar.js';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { ExitCode } from '../../../../src/errors.js';
import { initrdPath, makeCurrent } from '../../../../src/images/image-store.js';
import { MANIFEST_FORMAT } from '../../../../src/images/manifest.js';
import { loadInventory } from '../../../../src/inventory/load-inventory.js';
import { originTable } from '../../../../src/inventory/node-table.js';
import { resolveNode } from '../../../../src/inventory/resolve-node.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { collectGarbage } from '../../../../src/pipelines/publish/collect-garbage.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import { publishReport } from '../../../../src/pipelines/publish/publish-report.js';
import { planNetbootTree } from '../../../../src/pipelines/publish/write-netboot-tree.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { writeInitrd } from '../../../../src/stages/initrd/write-initrd.js';
import type { MemoryTree } from '../../../support/memory-file-system.js';
import { moduleFixture } from '../../../support/module-fixture.js';
import { G1, G2, NODES, publishPorts, publishSite, REQUEST, WRITER } from '../../../support/publish-site.js';
import { refusalOf } from '../../../support/refusal.js';

const NEW = '6.12.9-amd64';
const OWN = '6.1.0-own';
const TFTP = '/state/netboot/tftp';

/** A generation with two kernels; the older one has ahci built in, and no nvme. */
function twoKernels(id: string): MemoryTree {
  const directory = `/state/images/compute/generations/${id}`;
  const module = (release: string, path: string, depends = '') => [
    `${directory}/root/usr/lib/modules/${release}/kernel/${path}`,
    moduleFixture({ modinfo: [`depends=${depends}`] }),
  ];
  const manifest = {
    format: MANIFEST_FORMAT,
    ...{ name: 'compute', generation: id, key: '', createdAt: '2026-01-01T00:00:00.000Z', mkroot: '0' },
    ...{ architecture: 'amd64', recipe: {}, recipePath: '/r.yaml', stages: [], packages: [], tools: {} },
    kernels: [NEW, OWN].map((release) => ({
      ...{ release, path: `/boot/vmlinuz-${release}`, size: 1, sha256: '' },
    })),
    ...{ sizes: { rootBytes: 0, rootEntries: 0 }, digests: {} },
  };
  return Object.fromEntries([
    [`${directory}/manifest.json`, JSON.stringify(manifest)],
    [`${directory}/root/lib`, { link: 'usr/lib' }],
    [`${directory}/root/boot/vmlinuz-${OWN}`, 'own kernel'],
    ...[NEW, OWN].flatMap((release) => [
      module(release, 'drivers/net/tg3.ko'),
      module(release, 'fs/nfs.ko'),
      module(release, 'fs/overlay.ko'),
      module(release, 'net/af_packet.ko'),
    ]),
    module(NEW, 'drivers/ata/ahci.ko', 'libahci'),
    module(NEW, 'drivers/ata/libahci.ko'),
    module(NEW, 'drivers/nvme/nvme.ko'),
    [`${directory}/root/usr/lib/modules/${OWN}/modules.builtin`, 'kernel/drivers/ata/ahci.ko\n'],
  ]) as MemoryTree;
}

let fs: FileSystem;

/** An initrd with tg3, for the kernel. */
async function makeInitrd(id: string, release: string, further?: string): Promise<void> {
  const tree = new ArchiveTree();
  for (const [path, text] of [
    ['etc/mkroot/initrd.conf', "MKROOT_KERNEL=''\nMKROOT_MODULES='overlay nfs'\n"],
    [`usr/lib/modules/${release}/kernel/drivers/net/tg3.ko`, 'module'],
  ] as const) {
    tree.add(fileEntry(path, Buffer.from(text), { kind: 'base', what: 'a test' }));
  }
  await writeInitrd(
    publishPorts(fs),
    tree,
    { path: initrdPath('/state', 'compute', id, further), compression: 'none', signal: undefined },
    {
      ...{ mkroot: '0', kernel: release, architecture: 'amd64', builtins: [], nics: ['tg3'], warnings: [] },
      modules: ['overlay', 'nfs', 'af_packet', 'tg3'],
    },
  );
}

const nodes = (canary: string, more = '') =>
  NODES.replace('firmware: uefi }', `firmware: uefi, ${canary} }`).replace(
    '  overlays: [cluster]\n',
    `  overlays: [cluster]\n${more}`,
  );
const inventory = (canary: string, more?: string) => fs.writeFile('/site/nodes.yaml', nodes(canary, more));
const menuOf = (mac: string) =>
  Buffer.from(fs.readFile(`${TFTP}/ipxe/01-52-54-00-00-${mac}.ipxe`)).toString();
/** Kernel and initrd that a node fetches, by their path below the directory of the generation. */
const served = (mac: string) =>
  [...menuOf(mac).matchAll(/images\/compute\/[^/\s]+\/(\S*(?:vmlinuz|\.img))/g)].map(([, path]) => path);

beforeEach(async () => {
  fs = publishSite({ ...twoKernels(G1), ...twoKernels(G2) });
  for (const id of [G1, G2]) {
    await makeInitrd(id, NEW);
    await makeInitrd(id, OWN, OWN);
  }
});

describe('the kernel of a node', () => {
  it.each([
    ['its release', OWN],
    ['a glob', '6.1.*'],
  ])('is the one that the inventory names by %s; all others boot the newest', async (_, kernel) => {
    inventory(`kernel: '${kernel}'`);
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(served('01-01')).toEqual([`${OWN}/vmlinuz`, `${OWN}/initrd.img`]);
    expect(served('00-01')).toEqual(['vmlinuz', 'initrd.img']);
    const directory = `${TFTP}/images/compute/${G1}/${OWN}`;
    expect(fs.readlink(`${directory}/vmlinuz`)).toBe(
      `/state/images/compute/generations/${G1}/root/boot/vmlinuz-${OWN}`,
    );
    expect(fs.readlink(`${directory}/initrd.img`)).toBe(
      `/state/images/compute/initrds/${G1}/${OWN}/initrd.img`,
    );
  });

  it('that the newest is, too, is served as if nothing were said', async () => {
    inventory("kernel: '6.*'");
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(served('01-01')).toEqual(['vmlinuz', 'initrd.img']);
  });

  it('comes from the nearest level, and nodes show says from where', () => {
    inventory(`kernel: ${OWN}`, `  kernel: ${NEW}\n`);
    const read = loadInventory(fs, REQUEST.site);
    expect(resolveNode(read, 'c1').node.kernel).toBe(OWN);
    // The group names an image of its own: a kernel of the cluster is none of that image's.
    expect(resolveNode(read, 'n1').node.kernel).toBeUndefined();
    expect(originTable(resolveNode(read, 'c1')).find((line) => line.includes('kernel '))).toMatch(
      /kernel +6\.1\.0-own +group canary \(\/site\/nodes\.yaml:\d+:\d+\)/,
    );
  });

  it('is told as a change of the node, and the old one stays fetchable until its generation goes', async () => {
    inventory(`kernel: ${OWN}`);
    await publish(publishPorts(fs), REQUEST, WRITER);
    inventory('menuTimeout: 0');
    expect(planPublish(fs, REQUEST).nodes).toEqual([
      { name: 'c1', change: 'changed', what: ['kernel of the image that is the newest'] },
    ]);
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(fs.lstat(`${TFTP}/images/compute/${G1}/${OWN}/vmlinuz`)).toBeDefined();
    makeCurrent(fs, '/state', 'compute', G2);
    await publish(publishPorts(fs), REQUEST, WRITER);
    await collectGarbage(
      publishPorts(fs, '2027-01-01T00:00:00Z'),
      { site: REQUEST.site, state: '/state', keep: 1, keepDays: 0 },
      WRITER,
    );
    expect(fs.lstat(`${TFTP}/images/compute/${G1}`)).toBeUndefined();
    expect(fs.lstat(`/state/images/compute/initrds/${G1}`)).toBeUndefined();
    expect(fs.lstat(`${TFTP}/images/compute/${G2}/vmlinuz`)).toBeDefined();
  });

  it('that the image does not have is refused with those that it has, and with the node', () => {
    inventory('kernel: 5.10.*');
    const refusal = refusalOf(() => planPublish(fs, REQUEST));
    expect(refusal).toMatchObject({ exitCode: ExitCode.NotFound });
    expect(refusal.message).toContain(`generation ${G1} has no such kernel, it has ${NEW}, ${OWN}`);
    expect(refusal.details.join()).toContain('is set for c1; where: mkroot nodes show c1');
  });

  it('without an initrd is refused with the command that makes it', () => {
    inventory(`kernel: ${OWN}`);
    fs.remove(`/state/images/compute/initrds/${G1}/${OWN}`);
    expect(refusalOf(() => planPublish(fs, REQUEST))).toMatchObject({
      exitCode: ExitCode.NotFound,
      hint: `Make it first: mkroot initrd compute --kernel ${OWN}`,
    });
  });
});

describe('drivers of a group', () => {
  const initrdOf = (mac: string) => fs.readlink(`${TFTP}/images/compute/${G1}/${served(mac).at(-1)}`);

  it('are in the initrd of its nodes, behind the bytes of the initrd that the others have', async () => {
    inventory('drivers: [ahci]');
    const plan = planPublish(fs, REQUEST);
    expect(plan.initrds).toMatchObject([{ drivers: ['ahci'], there: false }]);
    expect(
      publishReport(fs, plan, { files: false, diff: false, published: false, state: '/state' }).lines,
    ).toEqual(expect.arrayContaining(['Initrds', `  + compute ${G1}: with ahci`]));
    await publish(publishPorts(fs), REQUEST, WRITER);
    const base = Buffer.from(fs.readFile(initrdPath('/state', 'compute', G1)));
    expect(initrdOf('00-01')).toBe(initrdPath('/state', 'compute', G1));
    const initrd = Buffer.from(fs.readFile(initrdOf('01-01')));
    expect(initrd.subarray(0, base.length).equals(base)).toBe(true);
    const records = allRecords(await readSegments(initrd, publishPorts(fs).runner));
    const last = (path: string) => records.findLast(({ name }) => name === path)?.data.toString();
    expect(records.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        `usr/lib/modules/${NEW}/kernel/drivers/ata/ahci.ko`,
        `usr/lib/modules/${NEW}/kernel/drivers/ata/libahci.ko`,
      ]),
    );
    expect(records.filter(({ name }) => name.endsWith('tg3.ko'))).toHaveLength(1);
    expect(last(`usr/lib/modules/${NEW}/modules.dep`)).toContain('tg3.ko');
    expect(last(`usr/lib/modules/${NEW}/modules.dep`)).toMatch(/ahci\.ko: \S*libahci\.ko/);
    expect(last('etc/mkroot/initrd.conf')).toBe("MKROOT_KERNEL=''\nMKROOT_MODULES='overlay nfs ahci'\n");
    const sidecar = parseSidecar(Buffer.from(fs.readFile(`${initrdOf('01-01')}.json`)).toString(), 'x');
    expect(sidecar.modules).toEqual(expect.arrayContaining(['tg3', 'ahci', 'libahci']));
    expect(sidecar.sizes.packed).toBe(initrd.length);
  });

  it('have the one for tagged packets where the network is a VLAN, and the boot entry says so', async () => {
    for (const id of [G1, G2]) {
      fs.writeFile(
        `/state/images/compute/generations/${id}/root/usr/lib/modules/${NEW}/kernel/net/8021q.ko`,
        moduleFixture({ modinfo: ['depends='] }),
      );
    }
    fs.writeFile(
      '/site/nodes.yaml',
      nodes('network: storage')
        .replace('groups:', '  storage: { subnet: 10.2.0.0/16, vlan: 5, mtu: 9000 }\ngroups:')
        .replace('10.1.2.1', '10.2.0.1'),
    );
    expect(planPublish(fs, REQUEST).initrds).toMatchObject([{ drivers: ['8021q'], there: false }]);
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(menuOf('01-01')).toContain(' ip=::::::dhcp:9000 vlan=vlan5');
    expect(menuOf('00-01')).not.toMatch(/vlan|dhcp:/);
    expect(initrdOf('01-01')).not.toBe(initrdOf('00-01'));
  });

  it('are made once, and again for another initrd of the same generation', async () => {
    inventory('drivers: [ahci]');
    await publish(publishPorts(fs), REQUEST, WRITER);
    const first = initrdOf('01-01');
    expect(planPublish(fs, REQUEST)).toMatchObject({ initrds: [], changes: false });
    fs.writeFile('/state/images/compute/initrds/extra', 'x');
    const path = initrdPath('/state', 'compute', G1);
    const tree = new ArchiveTree();
    tree.add(fileEntry('etc/motd', Buffer.from('other'), { kind: 'base', what: 'a test' }));
    const sidecar = parseSidecar(Buffer.from(fs.readFile(`${path}.json`)).toString(), 'x');
    await writeInitrd(publishPorts(fs), tree, { path, compression: 'none', signal: undefined }, sidecar);
    expect(planPublish(fs, REQUEST).nodes).toEqual([
      { name: 'c1', change: 'changed', what: ['drivers in the initrd'] },
    ]);
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(initrdOf('01-01')).not.toBe(first);
    // A node that has read its boot file a moment ago still fetches the first one.
    expect(fs.lstat(first)).toBeDefined();
    expect(fs.readlink(`${TFTP}/images/compute/${G1}/${first.slice(first.lastIndexOf('/') + 1)}`)).toBe(
      first,
    );
  });

  it.each([
    ['built into the kernel', `drivers: [ahci], kernel: ${OWN}`],
    ['in the initrd of the image', 'drivers: [tg3]'],
  ])('that are %s make no initrd', (_, canary) => {
    inventory(canary);
    expect(planPublish(fs, REQUEST).initrds).toEqual([]);
  });

  it.each([
    ['drivers: [ahcy]', 'kernel 6.12.9-amd64 of image "compute" has no such module; did you mean "ahci"?'],
    [`drivers: [nvme], kernel: ${OWN}`, 'kernel 6.1.0-own of image "compute" has no such module'],
    ["drivers: ['ixg*']", 'Cannot put driver "ixg*" into the initrd of c1'],
  ])('%s is refused: nothing has it', (canary, message) => {
    inventory(canary);
    const refusal = refusalOf(() => planPublish(fs, REQUEST));
    expect(refusal).toMatchObject({
      exitCode: ExitCode.NotFound,
      hint: expect.stringContaining('nodes show c1'),
    });
    expect(refusal.message).toContain(message);
  });

  it('do not hide what the initrd of the image lacks for a root that is one file', () => {
    inventory('drivers: [ahci], transport: { protocol: squashfs-nfs }');
    expect(refusalOf(() => planPublish(fs, REQUEST)).message).toContain(
      `by squashfs-nfs: the initrd of "compute" ${G1} has no squashfs, loop`,
    );
  });

  it('are not made by `netboot write`, which says so and takes what publish has made', async () => {
    inventory('drivers: [ahci]');
    const tree = () =>
      planNetbootTree({ fs }, { site: REQUEST.site, state: '/state', directory: '/out', interfaces: [] });
    expect(tree().warnings.join()).toContain('The initrd for c1 lacks drivers of nodes.yaml');
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(tree().warnings.join()).not.toContain('lacks drivers');
  });
});
