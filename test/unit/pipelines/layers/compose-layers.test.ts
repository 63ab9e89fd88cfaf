import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import type { LayerComposer } from '../../../../src/pipelines/layers/compose-layers.js';
import { findStack } from '../../../../src/pipelines/layers/enter-stack.js';
import { findTargets, nodesOf, openComposer } from '../../../../src/pipelines/layers/open-composer.js';
import { lintLayers, renderFile, renderLayers } from '../../../../src/pipelines/layers/render-layers.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const NODES = `cluster:
  overlays: [all]
  image: compute
  variables: { who: cluster, only: cluster }
  servers: { head: { address: 10.1.0.1, roles: [nfs] } }
networks: { internal: { subnet: 10.1.0.0/16 } }
groups:
  compute: { overlays: [compute, own], variables: { who: group } }
  storage: {}
nodes:
  n[1-3]: { group: compute, ip: 10.1.1.1 }
  compute: { group: storage, ip: 10.1.2.1 }
overrides:
  n2: { overlays: [special], variables: { who: n2 } }
  n3: { image: other }
`;

function site(more: Readonly<Record<string, string | null>> = {}) {
  const image = '/state/images/compute/generations/1';
  const fs = memoryFileSystem({
    '/site/nodes.yaml': NODES,
    '/site/overlays/all/etc/who.liquid': '{{ variables.who }} {{ variables.only }}',
    '/site/overlays/all/overlay.yaml': 'scope: cluster\n',
    '/site/overlays/compute/etc/who.liquid': '{{ group.name }} {{ group.image }} {{ variables.who }}',
    '/site/overlays/own/etc/me.liquid':
      '{{ node.name }} {{ variables.who }} {% if node.gateway %}gateway{% endif %}',
    '/site/overlays/own/overlay.yaml': 'scope: node\n',
    '/site/overlays/special/etc/special': 'special',
    [`${image}/manifest.json`]: '{}',
    [`${image}/root/etc/passwd`]: 'root:x:0:0::/root:/bin/sh\n',
    '/state/images/compute/current': { link: 'generations/1' },
    ...more,
  });
  const composer = openComposer(
    fs,
    { directory: '/site', workingDirectory: '/site', images: ['compute', 'other'] },
    '/state',
  );
  const text = (name: string, path: string) =>
    Buffer.from(renderFile(fs, composer, name, path).bytes).toString();
  return { fs, composer, text };
}

const BAD_RANGES = [
  ['n[1', 'a bracket is not closed'],
  ['n[001-', 'a bracket is not closed'],
  ['', 'it is empty'],
] as const;

function paths(composer: LayerComposer, name: string): string[] {
  const [node] = findTargets(composer, [`node:${name}`]).nodes;
  return composer
    .host(node!)
    .tree.entries()
    .map(({ path }) => path);
}

describe('layers of a site', () => {
  test('overlays of the cluster lie below those of the group, each rendered for its scope', () => {
    const { text } = site();
    expect(text('storage', '/etc/who')).toBe('cluster cluster');
    expect(text('group:compute', 'etc/who')).toBe('compute compute group');
    // A node goes before a group of the same name.
    expect(text('compute', '/etc/hostname')).toBe('compute\n');
  });

  test('the list of a node has its machine-id and keys; private ones are not shown', () => {
    const identity = '/state/hosts/n1/identity';
    const { fs, composer, text } = site({
      [`${identity}/machine-id`]: `${'1'.repeat(32)}\n`,
      [`${identity}/ssh/ssh_host_rsa_key`]: 'private',
      [`${identity}/ssh/ssh_host_rsa_key.pub`]: 'public',
      '/site/hosts/n1/etc/ssh/own': 'mine',
    });
    const listed = (name: string) =>
      renderLayers(fs, composer, name)
        .entries.filter(({ entry: { path, kind } }) => /machine-id|ssh/.test(path) && kind === 'file')
        .map(({ entry: { path }, layer, withheld }) => `${layer} ${path}${withheld ? ' not shown' : ''}`);
    expect(listed('n1')).toEqual([
      'host /etc/machine-id',
      'host /etc/ssh/own',
      'host /etc/ssh/ssh_host_rsa_key not shown',
      'host /etc/ssh/ssh_host_rsa_key.pub',
    ]);
    expect(renderLayers(fs, composer, 'n1').identity).toBe('kept');
    expect(text('n1', '/etc/machine-id')).toBe(`${'1'.repeat(32)}\n`);
    expect(text('n1', '/etc/ssh/ssh_host_rsa_key.pub')).toBe('public');
    expect(() => text('n1', '/etc/ssh/ssh_host_rsa_key')).toThrow(/private keys are not shown/);
    expect(listed('n2')).toEqual([]);
    expect(renderLayers(fs, composer, 'n2').identity).toBe('none');
    expect(renderLayers(fs, composer, 'group:compute').identity).toBeUndefined();
  });

  test('overlays of scope node, and those that only a node has, become part of its host layer', () => {
    const { composer, text } = site();
    expect(text('n1', '/etc/me')).toBe('n1 group ');
    expect(text('n2', '/etc/me')).toBe('n2 n2 ');
    expect(paths(composer, 'n1')).not.toContain('/etc/special');
    expect(paths(composer, 'n2')).toContain('/etc/special');
    expect(composer.shared('compute').tree.get('/etc/me')).toBeUndefined();
  });

  test('a node that boots another image has a shared layer of its own, and pointers to it', () => {
    const { composer, text } = site();
    expect(text('n3', '/hopeless.overlay')).toBe('layers/compute@other/current/layer\n');
    expect(text('n1', '/hopeless.overlay')).toBe('layers/compute/current/layer\n');
    expect(text('n1', '/hopeless.root')).toBe('images/compute/generations/1/root\n');
    expect(composer.shared('compute', 'other').name).toBe('compute@other');
    expect(composer.missingImages()).toEqual(['other']);
  });

  test('a finding that many layers have is told once', () => {
    const { composer } = site({ '/site/hosts/template/run/x': '' });
    const found = lintLayers(composer, { groups: [], nodes: composer.values.nodes.slice(0, 2) });
    expect(
      found.filter(({ rule }) => rule === 'hidden-by-mount').map(({ path, layers }) => [path, layers]),
    ).toEqual([['/run/x', ['n1', 'n2']]]);
  });

  test('names are nodes, sets of nodes or groups; a mistyped one is told with the nearest', () => {
    const { composer } = site();
    const names = (...given: string[]) =>
      nodesOf(composer, findTargets(composer, given)).map(({ name }) => name);
    expect(names('n[1-2]', 'storage')).toEqual(['n1', 'n2', 'compute']);
    expect(names('group:compute')).toEqual(['n1', 'n2', 'n3']);
    expect(() => names('storag')).toThrow('has no node or group of that name; did you mean "storage"?');
    expect(() => names('n[1-9]')).toThrow(/Cannot find "n4"/);
    for (const [text, why] of BAD_RANGES) {
      for (const prefix of ['', 'node:']) {
        expect(() => names(`${prefix}${text}`)).toThrow(
          expect.objectContaining({ message: `Cannot find "${text}": ${why}`, exitCode: ExitCode.Usage }),
        );
      }
    }
  });

  test('what can be entered is a node, a group or a recipe: all of them are named where it is none', () => {
    const { fs } = site({ '/recipes/compute.yaml': '' });
    const enter = (name: string) =>
      findStack(fs, {
        name,
        site: { directory: '/site', workingDirectory: '/site', images: ['compute', 'other'] },
        recipes: { workingDirectory: '/site', directories: ['/recipes'], hostArchitecture: 'amd64' },
        state: '/state',
      });
    expect(() => enter('n4')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /^Cannot find "n4": nodes.yaml has no node or group .*did you mean "n1"/,
        ),
        details: ['Groups: compute, storage', 'Recipes: compute'],
        exitCode: ExitCode.NotFound,
      }),
    );
    expect(() => enter('x.yaml')).toThrow(/Cannot find recipe "x.yaml"/);
    expect(() => enter('recipe:n4')).toThrow(/Cannot find recipe "n4"/);
    for (const [text, why] of BAD_RANGES) {
      const error = { message: `Cannot find "${text}": ${why}`, exitCode: ExitCode.Usage };
      expect(() => enter(text)).toThrow(expect.objectContaining(error));
    }
  });

  test('problems of all overlays of a layer are told together', () => {
    const { composer } = site({
      '/site/overlays/all/etc/a.liquid': '{{ node.name }}',
      '/site/overlays/compute/etc/b.liquid': '{{ nodes.x }}',
    });
    const details = (() => {
      try {
        composer.shared('compute');
      } catch (error) {
        return (error as { details: string[] }).details;
      }
      return [];
    })();
    expect(details).toEqual([
      '  overlays/all/etc/a.liquid:1:4: unknown variable node (rendered per cluster)',
      '  overlays/compute/etc/b.liquid:1:4: unknown variable nodes.x (rendered per group)',
    ]);
  });
});
