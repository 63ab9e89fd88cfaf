import { beforeEach, describe, expect, it } from 'vitest';
import { makeCurrent } from '../../../../src/images/image-store.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { G2, NODES, publishPorts, publishSite, REQUEST, WRITER } from '../../../support/publish-site.js';

const MEMORY = '/state/cache/host-layers';
const { code: _code, ...FORGETFUL } = REQUEST;

let fs: FileSystem;
const edit = (path: string, text: string) => fs.writeFile(`/site/${path}`, text);

beforeEach(async () => {
  fs = publishSite({
    '/site/hosts/template/etc/rack.liquid': '{% include "who" %} {{ variables.rack }}\n',
    '/site/hosts/template/.partials/who': 'I am {{ node.name }}',
    '/site/overlays/all/overlay.yaml': 'scope: node\n',
    '/site/overlays/all/etc/all.liquid':
      '{% if node.name == "c1" %}{% for one in nodes %}{{ one.name }} {% endfor %}{% endif %}\n',
  });
  edit(
    'nodes.yaml',
    NODES.replace('overlays: [cluster]', 'overlays: [cluster, all]\n  variables: { rack: 1 }'),
  );
  await publish(publishPorts(fs), REQUEST, WRITER);
});

/** What a plan reads below STATE/hosts, and what it says. */
function planned(request = REQUEST) {
  const read = new Set<string>();
  const watched: FileSystem = new Proxy(fs, {
    get:
      (target, key: keyof FileSystem) =>
      (path: string, ...rest: unknown[]) => {
        if ((key === 'readFile' || key === 'readdir') && path.startsWith('/state/hosts/'))
          read.add(path.split('/')[3]!);
        return Reflect.apply(Reflect.get(target, key), target, [path, ...rest]);
      },
  });
  const { nodes, layers, tree, findings, changes } = planPublish(watched, request);
  const told = layers.map(({ name, version, there, becomesCurrent, differences }) => ({
    name,
    id: version.id,
    there,
    becomesCurrent,
    differences,
  }));
  return { read: [...read].sort(), plan: { nodes, layers: told, files: tree.changes, findings, changes } };
}

describe('what is remembered of layers', () => {
  it('spares reading any of them where nothing has changed', () => {
    expect(planned()).toMatchObject({ read: [], plan: { changes: false } });
    expect(planned(FORGETFUL)).toMatchObject({ read: ['c1', 'n1', 'n2'], plan: { changes: false } });
  });

  it('holds however the path of the site is spelt, but for nodes of which something was found: that names files', async () => {
    fs.mkdir('/site/hosts/n2/etc');
    edit('hosts/n2/etc/motd.bak', 'old\n');
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(planned().read).toEqual([]);
    const inside = { ...REQUEST, site: { ...REQUEST.site, workingDirectory: '/site' } };
    const { read, plan } = planned(inside);
    expect({ read, changes: plan.changes }).toEqual({ read: ['n2'], changes: false });
    expect(plan.findings.map(({ rule, origin }) => [rule, origin])).toEqual([
      ['leftover-file', 'hosts/n2/etc/motd.bak'],
    ]);
  });

  const EDITS: Readonly<Record<string, readonly [affected: readonly string[], act: () => void]>> = {
    'a variable of one node': [
      ['n2'],
      () => edit('nodes.yaml', `${text('/site/nodes.yaml')}overrides: { n2: { variables: { rack: 2 } } }\n`),
    ],
    'another node that comes: only a template that reads the list of nodes is rendered again': [
      ['c1'], // and n3, of which there is nothing to read
      () => edit('nodes.yaml', `${text('/site/nodes.yaml')}  n3: { group: compute, ip: 10.1.1.3 }\n`),
    ],
    'a template': [['c1', 'n1', 'n2'], () => edit('hosts/template/etc/rack.liquid', '{{ node.ip }}\n')],
    'a file that templates include': [
      ['c1', 'n1', 'n2'],
      () => edit('hosts/template/.partials/who', 'We are {{ node.name }}'),
    ],
    'the mode of a file of an overlay': [
      ['c1', 'n1', 'n2'],
      () => edit('hosts/template/overlay.yaml', 'attributes: [{ path: /etc/rack, mode: 0600 }]\n'),
    ],
    'a directory for one node': [
      ['n1'],
      () => {
        fs.mkdir('/site/hosts/n1/etc');
        edit('hosts/n1/etc/mine', 'mine\n');
      },
    ],
    'a shared layer, over which host layers lie': [
      ['n1', 'n2'],
      () => edit('overlays/compute/etc/hosts', '127.0.0.1 localhost\n'),
    ],
    'a generation of the image': [['c1', 'n1', 'n2'], () => makeCurrent(fs, '/state', 'compute', G2)],
    'a key of a node': [
      ['n1'],
      () =>
        fs.writeFile(
          '/state/hosts/n1/identity/ssh/ssh_host_ed25519_key.pub',
          'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA root@n1\n',
        ),
    ],
    'a machine-id of a node': [
      ['c1'],
      () => fs.writeFile('/state/hosts/c1/identity/machine-id', `${'0'.repeat(32)}\n`),
    ],
    'a file of a published layer, by hand': [
      ['n2'],
      () => fs.writeFile(`${layerOf('n2')}/etc/hostname`, 'n9\n'),
    ],
    'a file that somebody put into a published layer': [
      ['n2'],
      () => fs.writeFile(`${layerOf('n2')}/etc/more`, 'more\n'),
    ],
    'a published layer that somebody removed': [['n2'], () => fs.remove(layerOf('n2'))],
    'a link to the current version': [['n2'], () => fs.remove('/state/hosts/n2/current')],
    'a finding of the linter': [
      ['c1', 'n1', 'n2'],
      () => {
        fs.symlink('/nowhere', '/site/hosts/template/etc/lost');
      },
    ],
  };
  const text = (path: string) => Buffer.from(fs.readFile(path)).toString();
  const layerOf = (node: string) =>
    `/state/hosts/${node}/${fs.readlink(`/state/hosts/${node}/current`)}/layer`;

  it.each(Object.entries(EDITS))(
    '%s: the plan is the same as without memory, and so is the next one',
    async (_, [affected, act]) => {
      act();
      const { read, plan } = planned();
      expect(read).toEqual(affected);
      expect(plan).toEqual(planned(FORGETFUL).plan);
      await publish(publishPorts(fs), REQUEST, WRITER);
      const next = planned();
      expect(next).toMatchObject({ read: [], plan: { changes: false } });
      expect(next.plan).toEqual(planned(FORGETFUL).plan);
    },
  );

  it('counts for the same code only, is not needed, and what is damaged of it is found out anew', () => {
    expect(planned({ ...REQUEST, code: 'other' }).read).toEqual(['c1', 'n1', 'n2']);
    const whole = text(MEMORY);
    for (const damaged of ['', 'nonsense\nend', whole.slice(0, -20), whole.replace('["n1",', '["n1",,')]) {
      fs.writeFile(MEMORY, damaged);
      const { read, plan } = planned();
      expect(plan.changes).toBe(false);
      expect(read).toContain('n1');
    }
    fs.remove(MEMORY);
    expect(planned()).toMatchObject({ read: ['c1', 'n1', 'n2'], plan: { changes: false } });
  });

  it('a publish of some nodes keeps what is known of the others, and forgets who is gone', async () => {
    await publish(publishPorts(fs), { ...REQUEST, only: ['canary'] }, WRITER);
    expect(planned().read).toEqual([]);
    edit('nodes.yaml', text('/site/nodes.yaml').replace(/ {2}c1: .*\n/, ''));
    await publish(publishPorts(fs), REQUEST, WRITER);
    expect(text(MEMORY)).not.toContain('"c1"');
    expect(planned().read).toEqual([]);
  });
});
