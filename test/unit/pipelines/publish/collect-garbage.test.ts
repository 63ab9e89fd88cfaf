import { beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { makeCurrent } from '../../../../src/images/image-store.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import {
  collectGarbage,
  type GarbageRequest,
  planGarbage,
} from '../../../../src/pipelines/publish/collect-garbage.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import { readRecord, writeRecord } from '../../../../src/pipelines/publish/published-record.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import {
  ageLayers,
  brokenBoots,
  G1,
  G2,
  G3,
  generation,
  NODES,
  publishPorts,
  publishSite,
  REQUEST,
  WRITER,
} from '../../../support/publish-site.js';

const ALL: GarbageRequest = { site: REQUEST.site, state: '/state', keep: 1, keepDays: 0 };

let fs: FileSystem;
let mounted: string;

/** Nodes booted G1, then G2 with another overlay; G3 is built and not published. */
beforeEach(async () => {
  fs = publishSite(generation('compute', G3));
  await publish(publishPorts(fs), REQUEST, WRITER);
  mounted = `/state/layers/compute/${fs.readlink('/state/layers/compute/current')}`;
  makeCurrent(fs, '/state', 'compute', G2);
  fs.writeFile('/site/overlays/cluster/etc/motd', 'bye\n');
  await publish(publishPorts(fs), REQUEST, WRITER);
  ageLayers(fs);
});

/** Why each generation stays, undefined for one that goes. */
function uses(request: Partial<GarbageRequest> = {}, now = '2026-11-21T00:00:00Z') {
  const { things } = planGarbage(fs, new Date(now), { ...ALL, ...request });
  const of = (id: string) => things.find((thing) => thing.kind === 'generation' && thing.id === id)?.use;
  const layer = things.find(({ directory }) => directory === mounted)?.use;
  return { generations: [of(G1), of(G2), of(G3)], layer };
}

describe('what stays', () => {
  it('is what is current, named by boot files or newest; the rest goes', () => {
    expect(uses()).toEqual({ generations: [undefined, 'current', 'one of the 1 newest'], layer: undefined });
    makeCurrent(fs, '/state', 'compute', G3);
    expect(uses().generations).toEqual([undefined, 'named by boot files', 'current']);
    expect(uses({ keep: 3 }).generations[0]).toBe('one of the 3 newest');
  });

  it('is what boot files named lately: nodes may run on it', () => {
    const named = 'named by boot files until 2026-11-20';
    expect(uses({ keepDays: 3 })).toEqual({
      generations: [named, 'current', 'one of the 1 newest'],
      layer: named,
    });
    expect(uses({ keepDays: 3 }, '2026-11-24T00:00:00Z').generations[0]).toBeUndefined();
  });

  it('is what a node is pinned to, published or not', () => {
    fs.writeFile('/site/nodes.yaml', `${NODES}overrides:\n  n2: { generation: ${G1} }\n`);
    expect(uses().generations[0]).toBe('pinned for n2');
    fs.remove('/site/nodes.yaml');
    expect(uses().generations[0]).toBeUndefined();
    expect(planGarbage(fs, new Date(), ALL).pinsKnown).toBe(false);
  });

  it('is what a node reported to have booted, as /run/mkroot/boot has it', () => {
    fs.mkdir('/state/booted');
    fs.writeFile(
      '/state/booted/n2',
      `image=compute\ngeneration=${G1}\nlayers=nfs:10.1.0.1:${mounted}/layer\n`,
    );
    expect(uses()).toMatchObject({
      generations: ['booted by n2', 'current', expect.anything()],
      layer: 'booted by n2',
    });
  });

  it('is what a report names by a path alone: the initramfs of a foreign root knows no generation', () => {
    fs.mkdir('/state/booted');
    const root = `/state/images/compute/generations/${G1}/root`;
    fs.writeFile('/state/booted/n2', `generation=\nbase=10.1.0.1:${root} NFS v3\n`);
    expect(uses().generations[0]).toBe('booted by n2');
    fs.writeFile(
      '/state/booted/n2',
      `generation=\nbase=10.1.0.1:${root.replace('/root', '0/root')} NFS v3\n`,
    );
    expect(uses().generations[0]).toBeUndefined();
  });

  it('is everything while a publish has not ended', () => {
    writeRecord(fs, '/state', { ...readRecord(fs, '/state')!, unfinished: true });
    expect(() => uses()).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.InvalidInput,
        message: 'Cannot remove anything: the last publish did not end',
        hint: 'Finish it first: mkroot publish',
      }),
    );
  });
});

describe('a state directory that is not there', () => {
  it('is said, and not made', async () => {
    const request = { ...ALL, state: '/nosuch' };
    const refusal = expect.objectContaining({
      exitCode: ExitCode.NotFound,
      message: 'Cannot find the state directory "/nosuch": there is no such directory',
    });
    expect(() => planGarbage(fs, new Date(), request)).toThrow(refusal);
    await expect(collectGarbage(publishPorts(fs), request, WRITER)).rejects.toThrow(refusal);
    expect(fs.lstat('/nosuch')).toBeUndefined();
  });
});

describe('what goes', () => {
  it('goes with its initrd, its links and its place in the record; nodes boot as before', async () => {
    const { things } = await collectGarbage(publishPorts(fs), ALL, WRITER);
    const gone = things.filter(({ use }) => use === undefined).map(({ kind, name }) => `${kind} ${name}`);
    expect(gone).toEqual([
      'generation compute',
      ...['canary', 'compute', 'c1', 'n1', 'n2'].map((name) => `layer ${name}`),
    ]);
    expect(fs.readdir('/state/images/compute/generations')).toEqual([G2, G3]);
    expect(fs.readdir('/state/images/compute/initrds')).toEqual([G2, G3]);
    expect(fs.readdir('/state/netboot/tftp/images/compute')).toEqual([G2]);
    expect(fs.lstat(mounted)).toBeUndefined();
    expect(readRecord(fs, '/state')?.retired).toEqual({});
    expect(brokenBoots(fs)).toEqual([]);
    expect(planPublish(fs, REQUEST).changes).toBe(false);
  });
});

describe('a node that is gone', () => {
  const HOST = '/state/hosts/n2';
  const REPORT = '/state/booted/n2';
  let versions: string[];

  /** n2 is taken out of nodes.yaml; whatever is in its directory was made on 1 January. */
  beforeEach(() => {
    versions = fs.readdir(`${HOST}/versions`);
    fs.mkdir('/state/booted');
    fs.writeFile(REPORT, `generation=${G1}\nlayers=nfs:10.1.0.1:${HOST}/versions/${versions.at(-1)}/layer\n`);
    fs.setMtime(REPORT, Date.parse('2026-01-01') / 1000);
    fs.setMtime(`${HOST}/identity`, Date.parse('2026-01-01') / 1000);
    fs.writeFile(
      '/site/nodes.yaml',
      NODES.replace(
        "n[1-2]: { group: compute, ip: 10.1.1.1, mac: ['52:54:00:00:00:01', '52:54:00:00:00:02'] }",
        "n1: { group: compute, ip: 10.1.1.1, mac: '52:54:00:00:00:01' }",
      ),
    );
  });

  const mine = (request: Partial<GarbageRequest> = {}, now = '2026-11-21T00:00:00Z') =>
    planGarbage(fs, new Date(now), { ...ALL, ...request })
      .things.filter(({ kind, name }) => kind !== 'generation' && name === 'n2')
      .map(({ kind, use }) => `${kind}: ${use}`);

  it('is not gone while it is published', () => {
    expect(mine()).toContain('layer: current');
    expect(mine().join()).not.toContain('identity');
  });

  it('loses its layers and keys once boot files have not named them for --keep-days, whatever it reported once', async () => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    const named = 'named by boot files until 2026-11-20';
    const lately = mine({ keepDays: 3 });
    expect(lately.slice(0, -1)).toEqual(versions.map(() => `layer: ${named}`));
    expect(lately.at(-1)).toMatch(new RegExp(`^identity: of layer [0-9a-f]{16}: ${named}$`));
    expect(mine({ keepDays: 3 }, '2026-11-24T00:00:00Z')).toEqual([
      ...versions.map(() => 'layer: undefined'),
      'identity: undefined',
    ]);
    expect(uses().generations[0]).toBeUndefined();
    fs.setMtime(REPORT, Date.parse('2026-11-23') / 1000);
    expect(mine({ keepDays: 3 }, '2026-11-24T00:00:00Z').at(-1)).toContain('booted by n2');

    fs.mkdir(`${HOST}/persistent/var/log/@`);
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.readdir(HOST)).toEqual(['persistent']);
    expect(fs.lstat(REPORT)).toBeUndefined();
    expect(fs.readdir('/state/hosts/n1').sort()).toEqual(['current', 'identity', 'versions']);
    expect(mine()).toEqual([]);
    expect(planPublish(fs, REQUEST).changes).toBe(false);
  });

  it('leaves nothing behind if it kept nothing', async () => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.readdir('/state/hosts').sort()).toEqual(['c1', 'n1']);
  });

  it('loses its keys with the next collection if one was killed while it removed them', async () => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    fs.rename(`${HOST}/identity`, `${HOST}/.new-gone-identity`);
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.lstat(`${HOST}/.new-gone-identity`)).toBeUndefined();
  });

  it.each([
    ['nodes.yaml', '/site/nodes.yaml'],
    ['a record of what was published', '/state/published.json'],
  ])('is not known to be gone without %s', async (_, path) => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    fs.remove(path);
    expect(mine()).toContain('layer: current');
  });
});

describe('a shared layer that no group has any more', () => {
  const LAYER = '/state/layers/canary';
  const WITHOUT_CANARY = NODES.replace(/^ {2}canary: .*\n/m, '').replace(
    'c1: { group: canary',
    'c1: { group: compute',
  );
  let versions: string[];

  beforeEach(() => {
    versions = fs.readdir(`${LAYER}/versions`);
    fs.writeFile('/site/nodes.yaml', WITHOUT_CANARY);
  });

  const theirs = (request: Partial<GarbageRequest> = {}, now = '2026-11-21T00:00:00Z', layer = 'canary') =>
    planGarbage(fs, new Date(now), { ...ALL, ...request })
      .things.filter(({ kind, name }) => kind === 'layer' && name === layer)
      .map(({ use }) => use);

  it('is not gone while boot files name one of its versions', async () => {
    expect(theirs()).toContain('current');
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(brokenBoots(fs)).toEqual([]);
  });

  it('goes once boot files have not named it for --keep-days, and leaves no directory', async () => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    const named = 'named by boot files until 2026-11-20';
    expect(theirs({ keepDays: 3 })).toEqual(versions.map(() => named));
    expect(theirs({ keepDays: 3 }, '2026-11-24T00:00:00Z')).toEqual(versions.map(() => undefined));

    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.readdir('/state/layers')).toEqual(['compute']);
    expect(fs.readdir('/state/layers/compute')).toEqual(['current', 'versions']);
    expect(brokenBoots(fs)).toEqual([]);
    expect(planPublish(fs, REQUEST).changes).toBe(false);
  });

  it('keeps the version that a node reported, until the node says something else', async () => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    const booted = `${LAYER}/${fs.readlink(`${LAYER}/current`)}`;
    fs.mkdir('/state/booted');
    fs.writeFile('/state/booted/c1', `generation=${G2}\nlayers=nfs:10.1.0.1:${booted}/layer\n`);
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.readdir(`${LAYER}/versions`)).toEqual([booted.slice(booted.lastIndexOf('/') + 1)]);
    expect(fs.readlink(`${LAYER}/current`)).toBe(booted.slice(LAYER.length + 1));
    fs.remove('/state/booted/c1');
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.lstat(LAYER)).toBeUndefined();
  });

  it('loses its directory with the next collection if one was killed after the last version', async () => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    for (const id of versions) fs.remove(`${LAYER}/versions/${id}`);
    await collectGarbage(publishPorts(fs, '2026-12-24T00:00:00.000Z'), ALL, WRITER);
    expect(fs.lstat(LAYER)).toBeUndefined();
  });

  it('is also that of an image which nobody in the group boots any more', async () => {
    const own = (image: string) => NODES.replace('c1: { group: canary,', `c1: { group: canary,${image}`);
    for (const [path, text] of Object.entries(generation('storage', G1))) {
      fs.mkdir(path.slice(0, path.lastIndexOf('/')));
      fs.writeFile(path, `${text}`);
    }
    makeCurrent(fs, '/state', 'storage', G1);
    fs.writeFile('/site/nodes.yaml', own(' image: storage,'));
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    expect(theirs({}, '2026-12-24T00:00:00Z', 'canary@storage')).toEqual(['current']);
    fs.writeFile('/site/nodes.yaml', own(''));
    await publish(publishPorts(fs, '2026-11-20T13:00:00.000Z'), REQUEST, WRITER);
    ageLayers(fs);
    expect(theirs({}, '2026-12-24T00:00:00Z', 'canary@storage')).toEqual([undefined]);
    expect(theirs({}, '2026-12-24T00:00:00Z')).toContain('current');
  });

  it('is not that of a group without nodes: overlay write and a new node take it up', async () => {
    fs.writeFile('/site/nodes.yaml', NODES.replace('c1: { group: canary', 'c1: { group: compute'));
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    expect(theirs({}, '2026-12-24T00:00:00Z')).toContain('current');
  });

  it.each([
    ['nodes.yaml', '/site/nodes.yaml'],
    ['a record of what was published', '/state/published.json'],
  ])('is not known to be gone without %s', async (_, path) => {
    await publish(publishPorts(fs, '2026-11-20T12:00:00.000Z'), REQUEST, WRITER);
    fs.remove(path);
    expect(theirs({}, '2026-12-24T00:00:00Z')).toContain('current');
  });
});
