import { randomUUID } from 'node:crypto';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { type LabPersistent, PERSISTENT_MARKS } from '../../stages/boot-test/prepare-test-node.js';
import type { PublishedLayers } from '../../stages/boot-test/published-layer-facts.js';
import {
  makePersistentDirectories,
  type WantedDirectory,
} from '../../stages/publish/make-persistent-directories.js';
import type { SelfCheck } from '../../vm/self-check-report.js';
import { exportedDirectory, isShared } from '../layers/persistent-paths.js';
import type { StandIns } from './cluster-stand-ins.js';

/** A directory that outlives a node's reboots, and where the lab's server has it. */
export interface NodePersistent extends LabPersistent {
  /** Undefined for one that nobody writes to: that is the real one, and left alone. */
  readonly directory: BytePath | undefined;
}

/**
 * Makes the directories that a node keeps over reboots, as its first boot would find them, and leaves word in them. What
 * the cluster's nodes have written stays out of the lab.
 * @throws MkrootError for one that another server has, or that is not there.
 */
export async function prepareNodePersistent(
  ports: Ports,
  standIns: StandIns,
  {
    node,
    server,
    layers,
    bootsBefore,
  }: {
    readonly node: Node;
    readonly server: string;
    readonly layers: PublishedLayers;
    readonly bootsBefore: number;
  },
): Promise<NodePersistent[]> {
  const { fs } = ports;
  const wanted: WantedDirectory[] = [];
  const kept = node.persistent.map((one): NodePersistent => {
    const { path, readOnly } = one;
    const published = toBytePath(exportedDirectory(one, node, standIns.state));
    const stat = fs.lstat(`${published}/.`);
    if (one.server.address !== server || stat?.kind !== 'directory') {
      const why =
        stat === undefined ? 'it is not there' : `${one.server.name} has it, not the lab’s head node`;
      throw new MkrootError(
        `Cannot give "${node.name}" the directory "${displayPath(published)}" for ${path}: ${why}`,
        {
          exitCode: ExitCode.NotFound,
          hint: 'Make it, or test nodes without it. Publishing makes directories without an `export`.',
        },
      );
    }
    if (readOnly) return { path, access: 'ro', token: '-', boots: bootsBefore, directory: undefined };
    const directory = standIns.persistent(published);
    if (fs.lstat(directory) === undefined) {
      if (one.export === undefined) {
        wanted.push({
          node: node.name,
          path: toBytePath(path),
          directory,
          layers: [layers.base, ...layers.cluster, layers.host],
        });
      } else {
        fs.mkdir(directory);
        fs.chmod(directory, stat.mode);
        fs.chown(directory, stat.uid, stat.gid);
      }
    }
    const token = plantedIn(fs, directory) ?? (isShared(one) ? 'shared' : randomUUID());
    return { path, access: 'rw', token, boots: bootsBefore, directory };
  });
  await makePersistentDirectories(ports, standIns.directory, wanted);
  for (const { directory, token } of kept) {
    // What is there already stays: servers remember file handles.
    if (directory === undefined || plantedIn(fs, directory) !== undefined) continue;
    standIns.removeInTheEnd(`${directory}/${PERSISTENT_MARKS}`);
    leaveWord(fs, directory, token);
  }
  return kept;
}

/** What the lab left in a directory before an earlier boot. */
function plantedIn(fs: FileSystem, directory: BytePath): string | undefined {
  const file = `${directory}/${PERSISTENT_MARKS}/planted`;
  return fs.lstat(file) === undefined ? undefined : Buffer.from(fs.readFile(file)).toString('latin1').trim();
}

function leaveWord(fs: FileSystem, directory: BytePath, token: string): void {
  const marks = `${directory}/${PERSISTENT_MARKS}`;
  fs.mkdir(marks);
  // A server may take a node's root for nobody.
  fs.chmod(marks, 0o1777);
  fs.writeFile(`${marks}/planted`, `${token}\n`, 0o644);
}

/**
 * Whether what a node wrote has come to the server's disk.
 * @param boots in this lab, this one counted; at each the node writes a line
 */
export function persistentChecks(
  fs: FileSystem,
  node: string,
  kept: readonly NodePersistent[],
  boots: number,
): SelfCheck[] {
  return kept.flatMap(({ path, token, directory }) => {
    if (directory === undefined) return [];
    const file = `${directory}/${PERSISTENT_MARKS}/${node}`;
    const text = fs.lstat(file) === undefined ? '' : Buffer.from(fs.readFile(file)).toString('utf8');
    const lines = text.split('\n').slice(0, -1);
    const passed = lines.length === boots && lines.at(-1) === `${token} ${node}`;
    return [
      {
        name: `persistent${path.replaceAll('/', '-')}-on-server`,
        passed,
        detail: passed
          ? `the server has what the node wrote at ${boots === 1 ? 'this boot' : `${boots} boots`}`
          : `the server has ${lines.length} of ${boots} lines that the node wrote, the last one "${lines.at(-1) ?? ''}"`,
      },
    ];
  });
}
