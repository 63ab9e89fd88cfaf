import { isHeld } from '../../engine/state-lock.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { typedNames } from '../../inventory/node-set.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { UnknownMachine } from '../../serving/node-board.js';
import type { NodeRow } from '../../serving/node-table.js';
import { readStatus, serveLock } from '../../serving/status-file.js';
import { knownNodes } from '../publish/known-nodes.js';
import { publishedSite } from './watch-publish.js';

/** Which nodes are wanted. */
export interface StatusRequest {
  readonly state: BytePath;
  /** In ClusterShell's syntax; all by default. */
  readonly names?: string;
  readonly group?: string;
  /** Only those whose boot failed, or which go on trying. */
  readonly failed: boolean;
}

/** What is known of the nodes. */
export interface SiteStatus {
  /** Whether mkroot serve runs. */
  readonly serving: boolean;
  /** When the last news were written (ISO 8601, UTC); undefined if nobody ever served. */
  readonly at: string | undefined;
  readonly rows: readonly NodeRow[];
  readonly unknown: readonly UnknownMachine[];
}

/**
 * Joins what was published with what mkroot serve knows.
 * @throws MkrootError NotFound if nothing was published, or for a node or group that was not; Usage for names that cannot be read.
 */
export async function nodeStatus(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  { state, names, group, failed }: StatusRequest,
): Promise<SiteStatus> {
  const typed = names === undefined ? undefined : typedNames(names, 'find nodes');
  const status = readStatus(fs, state);
  const known = knownNodes(publishedSite(fs, state, 'show').site);
  const wanted = typed === undefined ? undefined : wantedNames(typed, new Set(known.map(({ name }) => name)));
  if (group !== undefined && !known.some((node) => node.group === group)) {
    throw new MkrootError(`Cannot find the group "${group}": no node of it was published`, {
      exitCode: ExitCode.NotFound,
      hint: `Groups with nodes: ${[...new Set(known.map((node) => node.group))].join(', ')}`,
    });
  }
  const states = new Map((status?.nodes ?? []).map((one) => [one.node, one]));
  const rows = known
    .filter((node) => wanted?.has(node.name) ?? true)
    .filter((node) => group === undefined || node.group === group)
    .map(
      (node): NodeRow => ({
        known: node,
        state: states.get(node.name) ?? { node: node.name, phase: 'unseen', detail: '', since: '' },
      }),
    )
    .filter(({ state: { phase } }) => !failed || phase === 'failed' || phase === 'trouble');
  return {
    serving: await isHeld({ fs, runner }, serveLock(state)),
    at: status?.at,
    rows,
    unknown: status?.unknown ?? [],
  };
}

function wantedNames(names: readonly string[], known: ReadonlySet<string>): ReadonlySet<string> {
  const missing = names.find((name) => !known.has(name));
  if (missing === undefined) return new Set(names);
  throw new MkrootError(`Cannot find the node "${missing}": it was not published`, {
    exitCode: ExitCode.NotFound,
    hint: 'To see all: mkroot status',
  });
}
