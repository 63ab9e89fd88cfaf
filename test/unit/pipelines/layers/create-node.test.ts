import { beforeEach, describe, expect, test } from 'vitest';
import { ExitCode, MkrootError } from '../../../../src/errors.js';
import { createNodes } from '../../../../src/pipelines/layers/create-node.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { NODES, publishPorts, publishSite, REQUEST } from '../../../support/publish-site.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const ADDED = `${NODES}  n3: { group: compute, ip: "10.1.1.3" }\n`;

let fs: FileSystem;
beforeEach(() => {
  fs = publishSite();
});

function create(ports = publishPorts(fs), { signal = new AbortController().signal, layers = true } = {}) {
  const request = { ...REQUEST, names: 'n3', group: 'compute', macs: [], layers };
  return createNodes(ports, request, { pid: 1, command: 'test', signal });
}

function nodesYaml(): string {
  return Buffer.from(fs.readFile('/site/nodes.yaml')).toString();
}

describe('creating a node', () => {
  test.each([true, false])('adds it to nodes.yaml; its host layer is made: %s', async (layers) => {
    const created = await create(publishPorts(fs), { layers });
    expect(nodesYaml()).toBe(ADDED);
    expect(created.layers.map(({ name }) => name)).toEqual(layers ? ['n3'] : []);
    expect(fs.lstat('/state/hosts/n3/identity/ssh') !== undefined).toBe(layers);
  });

  test('whose keys cannot be made is not in nodes.yaml, and the next try gets the same address', async () => {
    const ports = {
      ...publishPorts(fs),
      runner: new ScriptedRunner({ flock: { stdout: 'locked\n' }, sync: {} }),
    };
    await expect(create(ports)).rejects.toMatchObject({ exitCode: ExitCode.MissingTool });
    expect(nodesYaml()).toBe(NODES);
    await create();
    expect(nodesYaml()).toBe(ADDED);
  });

  test('that is interrupted while it waits for others is not in nodes.yaml', async () => {
    const interrupt = new AbortController();
    // The first flock does not wait; the second one would, and ends by the signal.
    const runner = new ScriptedRunner({
      flock: ({ argv }) => {
        if (argv.includes('--nonblock')) return { exitCode: 75 };
        interrupt.abort();
        return { exitCode: 130 };
      },
    });
    await expect(create({ ...publishPorts(fs), runner }, { signal: interrupt.signal })).rejects.toMatchObject(
      {
        exitCode: ExitCode.Interrupted,
      },
    );
    expect(nodesYaml()).toBe(NODES);
  });

  test('leaves what somebody saved in nodes.yaml while its keys were made, and says so', async () => {
    const ports = publishPorts(fs);
    const { run } = ports.runner;
    const saved = `${NODES}# saved meanwhile\n`;
    ports.runner.run = (command) => {
      if (command.argv[0] === 'ssh-keygen') fs.writeFile('/site/nodes.yaml', saved);
      return run.call(ports.runner, command);
    };
    const error = await create(ports).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MkrootError);
    expect(error).toMatchObject({
      message: 'Cannot write "/site/nodes.yaml": somebody else has changed it since it was read',
      exitCode: ExitCode.Locked,
    });
    expect(nodesYaml()).toBe(saved);
    expect(fs.readdir('/site').filter((name) => name.includes('.tmp-'))).toEqual([]);
  });
});
