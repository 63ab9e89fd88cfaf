import { takeLock } from '../../engine/state-lock.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type KeptChanges, keepChanges } from '../../layers/keep-changes.js';
import type { LayerTree } from '../../layers/layer-tree.js';
import type { LayerView } from '../../layers/layer-view.js';
import type { Overlay } from '../../layers/read-overlay.js';
import { type SessionChanges, sessionChanges } from '../../layers/session-changes.js';
import { buildLayer } from '../../layers/write-layer.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { AccountIds } from '../../rootfs/account-ids.js';
import { NAME_SERVICE } from '../../sandbox/name-service.js';
import { findTreeStrategy, RootTree } from '../../sandbox/root-tree.js';

/** A stack to be entered, and the overlay that what happens in it belongs to. */
export interface EnteredStack {
  /** As the user named it, for messages. */
  readonly name: string;
  readonly root: BytePath;
  /** The layers between the root and what is written, the lowest first. */
  readonly layers: readonly LayerTree[];
  /** The overlay whose directory takes the changes. */
  readonly overlay: Overlay;
  /** What lies below that overlay. */
  readonly below: LayerView;
  readonly accounts: AccountIds;
}

/** How a stack is entered. */
export interface EnterRequest {
  readonly stack: EnteredStack;
  readonly state: BytePath;
  /** A program and its arguments; a login shell if empty. */
  readonly command: readonly string[];
  /** Hand over the terminal; otherwise the program's output is captured. */
  readonly terminal: boolean;
  /** Environment of the session besides PATH and HOME, such as TERM. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly discard: boolean;
  /** For the lock: who we are. */
  readonly pid: number;
  readonly commandLine: string;
  readonly signal?: AbortSignal;
}

/** What a session came to. */
export interface EnterResult {
  readonly changes: SessionChanges;
  /** Absent with `discard`. */
  readonly kept?: KeptChanges;
  /** Where the overlay's directory is, as the user knows it. */
  readonly directory: string;
  /** What the command wrote to its standard output, if it was captured. */
  readonly output: Uint8Array;
}

/** The shell of the session: bash where the root has one. */
const SHELL: readonly [string, ...string[]] = [
  '/bin/sh',
  '-c',
  'cd "$HOME" 2>/dev/null; if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi',
];

/**
 * Runs a shell or a command in the real stack: the image below, its layers, and on top a new layer that takes every change.
 * Afterwards the changes become those of the overlay's directory. The stack is mounted in a private namespace; a session
 * that is killed leaves no mount and no process, and its changes are lost like those of a command that fails.
 */
export async function enterLayer(ports: Ports, request: EnterRequest): Promise<EnterResult> {
  const { fs } = ports;
  const { state, stack } = request;
  const directory = `${state}/enter/${toBytePath(stack.overlay.label.replace(/[^\w.-]+/g, '-'))}`;
  fs.mkdir(directory, 0o700);
  const lock = await takeLock(ports, {
    path: `${directory}/lock`,
    holder: {
      pid: request.pid,
      command: request.commandLine,
      since: ports.clock.now().toISOString(),
    },
    wait: false,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  try {
    for (const name of fs.readdir(directory)) {
      if (name.startsWith('.session-')) fs.remove(`${directory}/${name}`); // of one that was killed
    }
    const session = fs.makeTemporaryDirectory(`${directory}/.session-`);
    try {
      return await runSession(ports, request, session, `${directory}/conflicts`);
    } finally {
      fs.remove(session);
    }
  } finally {
    await lock.release();
  }
}

async function runSession(
  ports: Ports,
  request: EnterRequest,
  session: BytePath,
  conflicts: BytePath,
): Promise<EnterResult> {
  const { fs } = ports;
  const { stack, signal } = request;
  const directory = stack.overlay.label;
  const scratch = `${session}/scratch`;
  const layers = stack.layers.map((_, index) => `${scratch}/layer-${index}`);
  const tree = await RootTree.open(
    ports,
    {
      strategy: 'overlay',
      below: [stack.root, ...layers],
      layer: `${scratch}/upper`,
      scratch,
      inMemory: (await findTreeStrategy(ports, session)) === 'copy',
    },
    async (seen) => {
      for (const [index, layer] of stack.layers.entries())
        await buildLayer(ports, layer, seen(layers[index]!));
    },
  );
  try {
    await tree.mountForPrograms();
    await tree.runOnHost(['sh', '-e', '-c', NAME_SERVICE, 'sh', tree.path], { name: 'name service' });
    const output = await runInside(tree, request);
    if (signal?.aborted) throw interrupted(stack.name);
    const changes = sessionChanges(fs, {
      upper: tree.scratchPath(`${scratch}/upper`),
      merged: tree.hostPath,
      below: [...layers.map((layer) => tree.scratchPath(layer)).reverse(), stack.root],
    });
    if (request.discard) return { changes, output, directory };
    const { overlay, accounts, below: underOverlay } = stack;
    fs.remove(conflicts);
    const kept = keepChanges(fs, changes, { overlay, accounts, below: underOverlay, conflicts });
    return { changes, kept, output, directory };
  } finally {
    await tree.close();
  }
}

async function runInside(tree: RootTree, request: EnterRequest): Promise<Uint8Array> {
  const { command, terminal, env, signal, commandLine, stack } = request;
  const [program, ...args] = command;
  const argv: readonly [string, ...string[]] = program === undefined ? SHELL : [program, ...args];
  try {
    const { stdout } = await tree.run(argv, {
      env: { DEBIAN_FRONTEND: undefined, DEBCONF_NONINTERACTIVE_SEEN: undefined, ...env },
      byHand: () => commandLine,
      ...(terminal ? { input: 'inherit', output: 'inherit' } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    return stdout;
  } catch (error) {
    const isFailure = error instanceof MkrootError && error.exitCode === ExitCode.ToolFailed;
    // A shell ends with the code of its last command; that says nothing about the session.
    if (program === undefined && isFailure && !signal?.aborted) return new Uint8Array();
    if (!isFailure || signal?.aborted) throw error;
    throw new MkrootError(`${error.message}; what it changed in "${stack.name}" is thrown away`, {
      exitCode: ExitCode.ToolFailed,
      details: error.details,
      cause: error,
    });
  }
}

function interrupted(name: string): MkrootError {
  return new MkrootError(`Cannot go on in "${name}": interrupted, nothing is changed`, {
    exitCode: ExitCode.Interrupted,
  });
}
