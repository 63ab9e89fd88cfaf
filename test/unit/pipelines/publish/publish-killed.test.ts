import { describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../../src/errors.js';
import { makeCurrent } from '../../../../src/images/image-store.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { collectGarbage } from '../../../../src/pipelines/publish/collect-garbage.js';
import type { PublishRequest } from '../../../../src/pipelines/publish/plan-publish.js';
import { rollbackTarget } from '../../../../src/pipelines/publish/roll-back.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { DyingFileSystem, Killed } from '../../../support/dying-file-system.js';
import {
  ageLayers,
  bootFiles,
  brokenBoots,
  G1,
  G2,
  generation,
  listing,
  NODES,
  publishPorts,
  publishSite,
  REQUEST,
  WRITER,
} from '../../../support/publish-site.js';

/** A state, something that is done to it, and what makes it whole again. */
interface Case {
  readonly prepare: (fs: FileSystem) => Promise<void>;
  readonly act: (fs: FileSystem) => Promise<unknown>;
  readonly finish: (fs: FileSystem) => Promise<unknown>;
}

const publishOn = (fs: FileSystem, request: PublishRequest = REQUEST) =>
  publish(publishPorts(fs), request, WRITER);
const collectOn = (fs: FileSystem) =>
  collectGarbage(publishPorts(fs), { ...REQUEST, keep: 1, keepDays: 0 }, WRITER);

/** Another generation, another overlay, a node that goes and one that comes. */
function change(fs: FileSystem): void {
  makeCurrent(fs, '/state', 'compute', G2);
  fs.writeFile('/site/overlays/cluster/etc/motd', 'bye\n');
  fs.writeFile('/site/nodes.yaml', NODES.replace('n[1-2]', 'n[2-3]').replace('10.1.1.1', '10.1.1.2'));
}

const CASES: Readonly<Record<string, Case>> = {
  'the first publish': { prepare: async () => {}, act: publishOn, finish: publishOn },
  'a publish of a new generation, overlay and node': {
    prepare: async (fs) => {
      await publishOn(fs);
      change(fs);
    },
    act: publishOn,
    finish: publishOn,
  },
  'a rollback': {
    prepare: async (fs) => {
      makeCurrent(fs, '/state', 'compute', G2);
      await publishOn(fs);
    },
    act: async (fs) => publishOn(fs, { ...REQUEST, rollback: rollbackTarget(fs, '/state', 'compute', G1) }),
    finish: async (fs) =>
      publishOn(fs, { ...REQUEST, rollback: rollbackTarget(fs, '/state', 'compute', G1) }),
  },
  'a removal of generations and layers': {
    prepare: async (fs) => {
      await publishOn(fs);
      change(fs);
      await publishOn(fs);
      ageLayers(fs);
    },
    act: collectOn,
    finish: collectOn,
  },
};

async function started({ prepare }: Case): Promise<FileSystem> {
  const fs = publishSite(generation('storage', G1));
  await prepare(fs);
  return fs;
}

/** How far apart the moments are at which a run is killed for real; a prime, so that they fall on every kind of step. */
const STRIDE = 61;

const neitherOldNorNew = (fs: FileSystem, before: Map<string, string>, after: Map<string, string>) =>
  [...bootFiles(fs)].filter(([path, text]) => text !== before.get(path) && text !== after.get(path));

describe('killed at any moment', () => {
  it.each(Object.entries(CASES))(
    '%s leaves boot files that are old or new and name only what is there, and the next one ends it',
    async (_, one) => {
      const whole = await started(one);
      const before = bootFiles(whole);
      await one.act(whole);
      const after = bootFiles(whole);
      const expected = listing(whole, '/state');

      const watched = await started(one);
      let steps = 0;
      const check = () => {
        steps += 1;
        expect(brokenBoots(watched), `before step ${steps}`).toEqual([]);
        expect(neitherOldNorNew(watched, before, after), `before step ${steps}`).toEqual([]);
      };
      await one.act(new DyingFileSystem(watched, Number.POSITIVE_INFINITY, check));
      check();
      expect(steps).toBeGreaterThan(15);

      for (let moment = 0; moment < steps - 1; moment += Math.min(STRIDE, Math.ceil(steps / 5))) {
        const fs = await started(one);
        await expect(one.act(new DyingFileSystem(fs, moment))).rejects.toThrow(Killed);
        await one.finish(fs);
        expect(brokenBoots(fs)).toEqual([]);
        expect(listing(fs, '/state'), `killed at step ${moment} of ${steps}`).toEqual(expected);
      }
    },
  );
});

describe('killed while it published what was taken back since', () => {
  const unfinished = (fs: FileSystem) =>
    listing(fs, '/state').filter((line) => /^[^:]*(\.tmp-|\.new|mkroot-new)/.test(line));
  const edit = (fs: FileSystem, id: string, motd: string) => {
    makeCurrent(fs, '/state', 'compute', id);
    fs.writeFile('/site/overlays/cluster/etc/motd', motd);
  };

  it('leaves nothing in layers that the next publish finds as they were', async () => {
    const begin = async () => {
      const fs = await started(CASES['the first publish']!);
      await publishOn(fs);
      edit(fs, G2, 'bye\n');
      return fs;
    };
    let steps = 0;
    const count = new DyingFileSystem(await begin(), Number.POSITIVE_INFINITY, () => {
      steps += 1;
    });
    await publishOn(count);
    let left = 0;
    for (let moment = 0; moment < steps; moment += 7) {
      const fs = await begin();
      await expect(publishOn(new DyingFileSystem(fs, moment))).rejects.toThrow(Killed);
      if (unfinished(fs).length > 0) left += 1;
      edit(fs, G1, 'hello\n');
      await publishOn(fs);
      expect(unfinished(fs), `killed at step ${moment} of ${steps}`).toEqual([]);
    }
    expect(left).toBeGreaterThan(5);
  });
});

/** A disk on which after some changes nothing new finds room; what is there can still be renamed and removed. */
function fullAfter(fs: FileSystem, changes: number): FileSystem {
  let left = changes;
  const takesRoom: ReadonlySet<string | symbol> = new Set([
    'writeFile',
    'create',
    'mkdir',
    'symlink',
    'makeTemporaryDirectory',
  ]);
  return new Proxy(fs, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const isThere = (path: unknown) => name === 'mkdir' && fs.lstat(String(path))?.kind === 'directory';
      return (...args: unknown[]) => {
        if (takesRoom.has(name) && !isThere(args[0])) {
          left -= 1;
          if (left < 0) throw new MkrootError('no space left on device', { exitCode: ExitCode.Io });
        }
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
}

describe('a full disk', () => {
  it('is one error; boot files are old or new and name only what is there, and the next publish ends it', async () => {
    const one = CASES['a publish of a new generation, overlay and node']!;
    const whole = await started(one);
    const before = bootFiles(whole);
    await one.act(whole);
    const expected = listing(whole, '/state');
    for (let changes = 0; ; changes += 17) {
      const fs = await started(one);
      const outcome = await one.act(fullAfter(fs, changes)).catch((error: unknown) => error);
      expect(brokenBoots(fs)).toEqual([]);
      expect(neitherOldNorNew(fs, before, bootFiles(whole))).toEqual([]);
      await one.finish(fs);
      expect(listing(fs, '/state'), `full after ${changes}`).toEqual(expected);
      if (!(outcome instanceof Error)) {
        expect(changes).toBeGreaterThan(80);
        return;
      }
      expect(outcome).toMatchObject({ exitCode: ExitCode.Io });
    }
  });
});
