import { beforeAll, describe, expect, it } from 'vitest';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { inThread, type LookAheadTask } from '../../../../src/pipelines/publish/look-ahead.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import type { StartThread } from '../../../../src/ports/start-thread.js';
import { publishPorts, publishSite, REQUEST, WRITER } from '../../../support/publish-site.js';

const COUNT = 520;

/** As many nodes as make a second thread worth its start. */
function siteOf(count: number): FileSystem {
  return publishSite({
    '/site/nodes.yaml': `cluster:
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute, firmware: uefi }
nodes:
  n[1-${count}]: { group: compute, ip: 10.1.16.1 }
`,
  });
}

let fs: FileSystem;

beforeAll(async () => {
  fs = siteOf(COUNT);
  await publish(publishPorts(fs), REQUEST, WRITER);
});

/** A thread that has done all, or a part, before the other one asks. */
const thread =
  (act: (task: LookAheadTask) => void): StartThread =>
  (_module, task) =>
    act(task as LookAheadTask);
const done = thread((task) => inThread(fs, task));

/** What is planned, and how often files of nodes are looked at for it. */
function planned(startThread?: StartThread) {
  let looks = 0;
  const counting: FileSystem = new Proxy(fs, {
    get:
      (target, key: keyof FileSystem) =>
      (path: string, ...rest: unknown[]) => {
        if (key === 'lstat' && /^\/state\/(hosts\/|netboot\/tftp\/(grub|ipxe)\/)/.test(path)) looks += 1;
        return Reflect.apply(Reflect.get(target, key), target, [path, ...rest]);
      },
  });
  const { nodes, layers, tree, changes } = planPublish(counting, { ...REQUEST, startThread });
  const told = layers.map(({ name, version, there }) => ({ name, id: version.id, there }));
  return { looks, plan: { nodes, layers: told, files: tree.changes, changes } };
}

/** Changes a file for the time of one check. */
function edited(path: string, check: () => void): void {
  const { mode, mtime } = fs.lstat(path)!;
  const before = fs.readFile(path);
  fs.writeFile(path, 'by hand\n', mode);
  check();
  fs.writeFile(path, before, mode);
  fs.setMtime(path, mtime);
}

describe('a second thread', () => {
  it('spares the first one to look at the files of nodes', () => {
    const alone = planned();
    expect(alone.looks).toBeGreaterThan(COUNT * 20);
    const together = planned(done);
    expect(together.plan).toEqual(alone.plan);
    expect(together.plan.changes).toBe(false);
    expect(together.looks).toBeLessThan(COUNT);
  });

  it.each([
    ['has not begun', thread(() => {})],
    [
      'gave up in the middle of something',
      thread(({ board }) => new Uint8Array(board).fill(1)), // all of it taken, nothing said
    ],
    [
      'did a part',
      thread((task) => {
        const board = new SharedArrayBuffer(task.board.byteLength);
        inThread(fs, { ...task, board });
        const half = board.byteLength >> 1;
        new Uint8Array(task.board).set(new Uint8Array(board, 0, half));
      }),
    ],
  ])('that %s leaves the plan as it is', (_, start) => {
    expect(planned(start).plan).toEqual(planned().plan);
  });

  it('finds what was edited by hand: a boot file, a file of a layer, a key', () => {
    const bootFile = 'tftp/grub/grub.cfg-0A011005';
    edited(`/state/netboot/${bootFile}`, () => {
      expect(planned(done).plan.files).toEqual([
        { path: bootFile, change: 'changed', conflict: 'it was changed after mkroot wrote it' },
      ]);
    });
    const [version] = fs.readdir('/state/hosts/n7/versions');
    edited(`/state/hosts/n7/versions/${version}/layer/etc/hostname`, () => {
      expect(planned(done).plan.layers).toEqual([{ name: 'n7', id: `${version}-2`, there: false }]);
    });
    edited('/state/hosts/n9/identity/ssh/ssh_host_rsa_key', () => {
      expect(planned(done).plan.layers.map(({ name }) => name)).toEqual(['n9']);
    });
  });

  it('is not started for a few nodes, nor where nothing is known', async () => {
    const never = thread(() => expect.unreachable('started'));
    const few = siteOf(20);
    planPublish(few, { ...REQUEST, startThread: never });
    await publish(publishPorts(few), REQUEST, WRITER);
    planPublish(few, { ...REQUEST, startThread: never });
  });
});
