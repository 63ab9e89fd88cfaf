import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { type ExpectedNode, placeSelfCheck } from './place-self-check.js';
import { type PublishedLayers, publishedLayerFacts } from './published-layer-facts.js';

/** A directory of a server. */
export interface ServerDirectory {
  /** IPv4 address. */
  readonly server: string;
  readonly path: BytePath;
}

/** A directory that outlives a node's reboots, as the lab has it. */
export interface LabPersistent {
  /** Where the node sees it. */
  readonly path: string;
  readonly access: 'ro' | 'rw';
  /** What the lab has put into it, see {@link PERSISTENT_MARKS}. */
  readonly token: string;
  /** How often the node has booted in this lab: so many lines of its own it finds there. */
  readonly boots: number;
}

/** The directory in a persistent one that lab and node leave word for each other in. */
export const PERSISTENT_MARKS = '.mkroot-lab';

/** A node that is to check itself. */
export interface TestNodeRequest {
  readonly layers: PublishedLayers;
  /** Where the copy of the host layer's version goes: a directory that has `layer` in it. */
  readonly target: BytePath;
  /** Where the node mounts that copy from. */
  readonly hostLayer: BytePath;
  readonly expected: ExpectedNode;
  /** What it has to be able to mount: its own host layer. */
  readonly own: ServerDirectory;
  /** What it must not be able to mount, by the node that it belongs to. */
  readonly others: readonly (ServerDirectory & { readonly node: string })[];
  readonly persistent: readonly LabPersistent[];
}

/** Copies a node's published host layer, and puts the self-check and what it expects into the copy. */
export async function prepareTestNode(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  { layers, target, hostLayer, expected, own, others, persistent }: TestNodeRequest,
): Promise<void> {
  const facts = publishedLayerFacts(fs, layers, hostLayer);
  fs.mkdir(target, 0o755);
  // cp(1) keeps owners, modes and whiteouts, which are device nodes.
  await runner.run({ argv: ['cp', '-a', displayPath(layers.host), displayPath(`${target}/layer`)] });
  placeSelfCheck(
    fs,
    `${target}/layer`,
    [...layers.cluster.toReversed(), layers.base].map((root) => new Sysroot(fs, root)),
    facts.names,
    expected,
    {
      'cluster-check.sh': fs.readFile(`${expected.shippedFiles}/cluster-check.sh`),
      ...facts.files,
      own: `${own.server} ${own.path}\n`,
      others: others.map(({ node, server, path }) => `${node} ${server} ${path}\n`).join(''),
      persistent: persistent
        .map(({ path, access, token, boots }) => `${path} ${access} ${token} ${boots}\n`)
        .join(''),
    },
  );
}
