import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MkrootError } from '../../../../src/errors.js';
import { bootTestNode } from '../../../../src/pipelines/boot-test/boot-test-node.js';
import {
  type ClusterLab,
  type Round,
  runRounds,
} from '../../../../src/pipelines/boot-test/cluster-rounds.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

vi.mock('../../../../src/pipelines/boot-test/boot-test-node.js');

/** Machines that run until they are stopped; the head node's command fails. */
const ended: string[] = [];
const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);

beforeEach(() => {
  ended.length = 0;
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => process.off('unhandledRejection', note));

function machinesThat({ comeUp }: { comeUp: boolean }): void {
  vi.mocked(bootTestNode).mockImplementation(async (_ports, machine, { vigil, options }) => {
    if (comeUp) vigil?.due(0, [{ name: 'look-1', passed: true, detail: '' }]);
    await new Promise<never>((_resolve, reject) => {
      options.signal?.addEventListener('abort', () => {
        ended.push(machine.test.node.name);
        reject(new MkrootError('interrupted'));
      });
    });
    throw new Error('unreachable');
  });
}

function run(signal?: AbortSignal) {
  const progress = new SilentProgress();
  const ports = {
    runner: new ScriptedRunner({ sh: { exitCode: 1 } }),
    progress,
    clock: { now: () => new Date(0) },
  };
  const machine = (name: string) => ({
    test: { node: { name, group: 'g' }, published: { address: '10.1.1.1' } },
  });
  const round = { site: {}, machines: [machine('n1'), machine('n2')], persistent: new Map() };
  const lab = { namespace: {}, head: {}, logs: '/logs', options: { during: ['false'], signal } };
  return runRounds(
    ports as unknown as Parameters<typeof runRounds>[0],
    lab as unknown as ClusterLab,
    round as unknown as Round,
  );
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('nodes that stay up while a command runs', () => {
  it('are stopped when the command fails, which is what is told', async () => {
    machinesThat({ comeUp: true });
    await expect(run()).rejects.toThrow('Cannot run "sh"');
    expect(ended).toEqual(['n1', 'n2']);
    await settled();
    expect(unhandled).toEqual([]);
  });

  it('have all ended when an interruption is told', async () => {
    machinesThat({ comeUp: false });
    const interrupt = new AbortController();
    const running = run(interrupt.signal);
    setTimeout(() => interrupt.abort(), 5);
    await expect(running).rejects.toThrow('interrupted');
    expect(ended).toEqual(['n1', 'n2']);
    await settled();
    expect(unhandled).toEqual([]);
  });
});
