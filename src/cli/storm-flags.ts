import { Flags } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';
import { MOST_STORM_NODES } from '../vm/storm-network.js';

/** The options of `mkroot qemu-test` that are about storms. */
export const STORM_FLAGS = {
  storm: Flags.string({
    description:
      'boot so many copies of a node at once and count what each costs; several numbers, several storms',
    helpValue: 'N,...',
    exclusive: ['nodes', 'scenario'],
  }),
  'node-limit': Flags.integer({
    description: 'Mbit/s of each node’s link in a storm, both ways',
    default: 1_000,
    min: 1,
    max: 100_000,
    helpValue: 'MBIT',
  }),
  'lab-uplink': Flags.integer({
    description: 'Mbit/s of the link that a storm’s nodes share',
    default: 10_000,
    min: 1,
    max: 100_000,
    helpValue: 'MBIT',
  }),
  uplink: Flags.integer({
    description: 'Mbit/s of the head node that a storm is extrapolated to',
    default: 10_000,
    min: 1,
    helpValue: 'MBIT',
  }),
  'server-cpus': Flags.integer({
    description: 'processors of the head node that a storm is extrapolated to',
    default: 8,
    min: 1,
  }),
} as const;

/** Reads `--storm`: numbers of nodes, in rising order and each once. */
export function stormSizes(text: string): number[] {
  const sizes = text.split(',').map((word) => (/^\d{1,6}$/.test(word.trim()) ? Number(word) : 0));
  const wrong = sizes.findIndex((size) => size < 1 || size > MOST_STORM_NODES);
  if (wrong === -1) return [...new Set(sizes)].sort((a, b) => a - b);
  throw new MkrootError(
    `Cannot boot a storm of "${text.split(',')[wrong]}" nodes: it is no number from 1 to ${MOST_STORM_NODES}`,
    { exitCode: ExitCode.Usage, hint: 'For example: --storm 2,4,8' },
  );
}
