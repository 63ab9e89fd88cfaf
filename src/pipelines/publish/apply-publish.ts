import { ExitCode, MkrootError } from '../../errors.js';
import { makeCurrent, openImage } from '../../images/image-store.js';
import { hostIdentity } from '../../layers/host-identity.js';
import { makeLayerCurrent, writeLayerVersion } from '../../layers/write-layer.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { grubImageDirectory, makeGrubImages } from '../../stages/publish/make-grub-images.js';
import { makePersistentDirectories } from '../../stages/publish/make-persistent-directories.js';
import { makeTopImages } from '../../stages/publish/make-top-images.js';
import { applyOwnedTree, isListOutdated, refuseConflicts } from '../../stages/publish/owned-tree.js';
import { writeDriverInitrd } from '../initrd/driver-initrd.js';
import { layerStates } from '../layers/host-layer-memory.js';
import { hostDirectory } from '../layers/state-directories.js';
import { type LayerWriter, withLayerLock } from '../layers/write-layers.js';
import { type PublishPlan, type PublishRequest, planPublish } from './plan-publish.js';
import {
  begunRecord,
  finishedRecord,
  publishedTree,
  removeUnfinishedRecords,
  writeRecord,
} from './published-record.js';
import { removeLeftovers } from './remove-leftovers.js';
import { loadsGrub } from './write-netboot-tree.js';

/** How a publish is done. */
export interface ApplyOptions extends LayerWriter {
  /** Overwrite files of the tree that somebody else made or changed. */
  readonly force: boolean;
  /** How many nodes' keys are made at the same time. One after the other by default. */
  readonly processors?: number;
}

/**
 * Publishes what a site says: new versions of layers beside the old ones, links to kernels and initrds, server
 * configuration, boot files one by one, each in one step; then `current` of the layers. Whatever interrupts it, no boot file
 * names something that is not there, and the next publish does the rest.
 * @returns the plan that was carried out.
 */
export async function publish(
  ports: Ports,
  request: PublishRequest,
  options: ApplyOptions,
): Promise<PublishPlan> {
  // Where no state is there is no image either: that is told before the lock makes the directory.
  if (ports.fs.lstat(request.state) === undefined) planPublish(ports.fs, request);
  return withLayerLock(ports, request.state, options, async () => {
    const plan = await withIdentities(ports, request, options);
    if (!plan.changes && request.rollback === undefined) {
      // Nothing is changed but what mkroot remembers of files, so that it need not read them again.
      removeUnfinishedRecords(ports.fs, request.state);
      if (isListOutdated(plan.tree)) applyOwnedTree(ports.fs, plan.tree, options);
      if (plan.before !== undefined && request.code !== undefined && plan.before.code !== request.code) {
        writeRecord(ports.fs, request.state, { ...plan.before, code: request.code });
      }
      rememberLayers(ports.fs, request.state, plan);
      return plan;
    }
    await applyPublish(ports, request, plan, options);
    return plan;
  });
}

/** New nodes get their keys first: their layers cannot be planned without. */
async function withIdentities(
  ports: Ports,
  request: PublishRequest,
  { force, signal, processors = 1 }: ApplyOptions,
): Promise<PublishPlan> {
  const plan = planPublish(ports.fs, request);
  if (!force) refuseConflicts(plan.tree);
  const nodes = plan.layers.flatMap(({ withoutIdentity }) => withoutIdentity ?? []);
  if (nodes.length === 0) return plan;
  const task = ports.progress.task(`Keys (${nodes.length} nodes)`);
  try {
    await inTurns(nodes, processors, async (node) => {
      if (signal?.aborted) throw interrupted();
      task.update(node.name);
      const directory = hostDirectory(request.state, node.name);
      await hostIdentity(ports, `${directory}/identity`, node);
      ports.fs.chmod(directory, 0o700);
    });
  } catch (error) {
    task.fail(signal?.aborted ? 'interrupted' : undefined);
    throw error;
  }
  task.done();
  return planPublish(ports.fs, request);
}

/** Does something for all items, for several at the same time. After the first error nothing new is begun, and nothing goes on. */
async function inTurns<T>(
  items: readonly T[],
  workers: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const pending = items.values();
  const work = async () => {
    for (const item of pending) {
      if (errors.length > 0) return;
      try {
        await act(item);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  if (errors.length > 0) throw errors[0];
}

async function applyPublish(
  ports: Ports,
  { state, rollback, code }: PublishRequest,
  plan: PublishPlan,
  { force, signal }: ApplyOptions,
): Promise<void> {
  const { fs, clock, runner } = ports;
  const begun = begunRecord(plan.before, plan.site, clock.now().toISOString(), state);
  writeRecord(fs, state, begun);
  // From here on the next publish would do the same.
  if (rollback !== undefined && openImage(fs, state, rollback.image).id !== rollback.generation) {
    makeCurrent(fs, state, rollback.image, rollback.generation);
  }
  removeUnfinishedRecords(fs, state);
  if (plan.before?.unfinished !== false) {
    removeLeftovers(fs, state);
    removeUnfinishedFiles(fs, state, plan);
  }
  await writeLayers(ports, plan, signal);
  await makePersistentDirectories(ports, state, plan.persistent, signal);
  await writeDriverInitrds(ports, plan, signal);
  if (loadsGrub(plan.site)) {
    for (const what of await makeGrubImages(ports, grubImageDirectory(state))) ports.progress.warn(what);
  }
  await makeTopImages(ports, state, plan.tops, signal);
  // A boot file must not reach the disk before what it names.
  await runner.run({ argv: ['sync', '--file-system', displayPath(state)] });
  const task = ports.progress.task('Boot files and server configuration');
  applyOwnedTree(fs, plan.tree, { force });
  for (const { becomesCurrent, directory, version } of plan.layers) {
    if (becomesCurrent) makeLayerCurrent(fs, directory, version.id);
  }
  writeRecord(fs, state, finishedRecord(begun, plan.site, plan.server, state, code));
  rememberLayers(fs, state, plan);
  task.done(`${plan.tree.changes.length} changed`);
}

/** Notes the states of files of nodes' own layers, now that all are there. */
function rememberLayers(fs: FileSystem, state: BytePath, { memory, toRemember, site }: PublishPlan): void {
  for (const { node, directory, states, ...layer } of toRemember) {
    const [identity, seen] = states;
    const now = seen ?? layerStates(fs, directory, layer.version, layer.files.layer);
    memory.remember(node, { ...layer, states: [identity, now] });
  }
  memory.save(fs, state, site.nodes);
}

async function writeLayers(ports: Ports, { layers }: PublishPlan, signal?: AbortSignal): Promise<void> {
  const missing = layers.filter(({ there }) => !there);
  if (missing.length === 0) return;
  const task = ports.progress.task(`Layers (${missing.length})`);
  for (const { name, directory, version, compose } of missing) {
    if (signal?.aborted) {
      task.fail('interrupted');
      throw interrupted();
    }
    task.update(name);
    const written = await writeLayerVersion(ports, compose(), directory);
    if (written.id !== version.id) {
      task.fail();
      throw new MkrootError(`Cannot publish the layer "${name}": the site was edited meanwhile`, {
        exitCode: ExitCode.InvalidInput,
        hint: 'Boot files are as they were. Publish again.',
      });
    }
  }
  task.done();
}

async function writeDriverInitrds(
  ports: Ports,
  { initrds }: PublishPlan,
  signal?: AbortSignal,
): Promise<void> {
  if (initrds.length === 0) return;
  const task = ports.progress.task(`Initrds with further drivers (${initrds.length})`);
  try {
    for (const initrd of initrds) {
      task.update(`${initrd.image.name}: ${initrd.drivers.join(' ')}`);
      for (const warning of await writeDriverInitrd(ports, initrd, signal)) ports.progress.warn(warning);
    }
  } catch (error) {
    task.fail();
    throw signal?.aborted ? interrupted() : error;
  }
  task.done();
}

/** What a publish that was killed left beside the boot files that it wrote. */
function removeUnfinishedFiles(fs: FileSystem, state: BytePath, { tree }: PublishPlan): void {
  const directories = new Set(
    [...tree.files.keys(), ...tree.written.keys()].map((path) =>
      path.includes('/') ? `/${path.slice(0, path.lastIndexOf('/'))}` : '',
    ),
  );
  for (const directory of directories) {
    const path = `${publishedTree(state)}${directory}`;
    if (fs.lstat(path)?.kind !== 'directory') continue;
    for (const name of fs.readdir(path)) {
      if (/\.(tmp-\d+-\d+|mkroot-new)$/.test(name)) fs.remove(`${path}/${name}`);
    }
  }
}

function interrupted(): MkrootError {
  return new MkrootError('Cannot publish: interrupted', {
    exitCode: ExitCode.Interrupted,
    hint: 'Nodes boot as before. Publish again: what is done is not done again.',
  });
}
