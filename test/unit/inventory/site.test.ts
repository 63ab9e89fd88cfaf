import { describe, expect, test } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { planImport } from '../../../src/inventory/import-nodes.js';
import { loadInventory, type Site } from '../../../src/inventory/load-inventory.js';
import { createSite } from '../../../src/inventory/new-site.js';
import { removeNodes } from '../../../src/inventory/remove-nodes.js';
import { resolveNode } from '../../../src/inventory/resolve-node.js';
import { selectNodes } from '../../../src/inventory/select-nodes.js';
import { setNode } from '../../../src/inventory/set-node.js';
import { writeImport } from '../../../src/inventory/write-import.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const SITE: Site = {
  directory: '/home/ada/site',
  workingDirectory: '/home/ada',
  images: ['compute', 'compute-bookworm'],
};

/** A new site in memory, and the text of one of its files. */
function newSite() {
  const fs = memoryFileSystem();
  createSite(fs, SITE.directory, { 'recipes/compute.yaml': new TextEncoder().encode('name: compute\n') });
  const text = (name: string) => new TextDecoder().decode(fs.readFile(`${SITE.directory}/${name}`));
  return { fs, text };
}

function errorOf(action: () => unknown): MkrootError {
  try {
    action();
  } catch (error) {
    if (error instanceof MkrootError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a new site', () => {
  test('decodes as it is', () => {
    const { fs } = newSite();
    expect([...loadInventory(fs, SITE).nodes.keys()]).toEqual(['n001', 'n002', 'n003', 'n004']);
  });

  test('decodes with everything that stands in comments, too', () => {
    const { fs, text } = newSite();
    const opened = text('nodes.yaml').replace(
      /^( *)# (?=csv:|overrides:| {2}n003:|mtu:|persistent:| {2}- |kernelArg|serial)/gm,
      '$1',
    );
    fs.writeFile(`${SITE.directory}/nodes.yaml`, opened);
    fs.writeFile(`${SITE.directory}/nodes.csv`, 'name,mac\nn001,52:54:00:00:00:01\n');
    const { node } = resolveNode(loadInventory(fs, SITE), 'n003');
    expect(node).toMatchObject({
      image: 'compute-bookworm',
      mtu: 9000,
      persistent: [{ path: '/home' }, { path: '/var/log' }],
      serialConsole: { device: 'ttyS0' },
    });
  });

  test('overwrites nothing, and says what is in the way', () => {
    const { fs, text } = newSite();
    fs.writeFile(`${SITE.directory}/nodes.yaml`, 'mine');
    fs.remove(`${SITE.directory}/recipes`);
    const error = errorOf(() => createSite(fs, SITE.directory, {}));
    expect(error.message).toContain(
      'nodes.yaml, overlays/cluster/etc/motd, nodes.schema.json would be overwritten',
    );
    expect(error.exitCode).toBe(ExitCode.Usage);
    expect(text('nodes.yaml')).toBe('mine');
  });

  test('a directory without nodes.yaml is told how to get one', () => {
    expect(errorOf(() => loadInventory(memoryFileSystem(), SITE))).toMatchObject({
      exitCode: ExitCode.NotFound,
      hint: expect.stringContaining('mkroot init'),
    });
  });
});

describe('setting a value of a node', () => {
  test('of a range that cannot be read is a wrong argument, as everywhere', () => {
    const { fs } = newSite();
    for (const [text, why] of [
      ['n[1', 'a bracket is not closed'],
      ['n[3-1]', '[3-1] counts down'],
      ['', 'it is empty'],
    ] as const) {
      const error = { exitCode: ExitCode.Usage, message: expect.stringContaining(`"${text}": ${why}`) };
      expect(
        errorOf(() => setNode(fs, SITE, text, { values: [{ field: 'boot', value: 'local' }] })),
      ).toMatchObject(error);
      expect(errorOf(() => selectNodes(loadInventory(fs, SITE), { names: text }))).toMatchObject(error);
    }
  });

  test('of a range adds one entry to overrides, changes that node alone and keeps every line', () => {
    const { fs, text } = newSite();
    const before = text('nodes.yaml');
    const result = setNode(fs, SITE, 'n003', { values: [{ field: 'image', value: 'compute-bookworm' }] });
    expect(result).toEqual({ changed: ['n003'], entry: 'overrides.n003' });
    expect(text('nodes.yaml')).toBe(`${before}overrides:\n  n003: { image: compute-bookworm }\n`);
    setNode(fs, SITE, 'n003', { values: [{ field: 'image', value: 'compute' }] });
    expect(text('nodes.yaml')).toBe(`${before}overrides:\n  n003: { image: compute }\n`);
  });

  test('keeps the line ends of a file from Windows', () => {
    const { fs, text } = newSite();
    const before = text('nodes.yaml').replaceAll('\n', '\r\n');
    fs.writeFile(`${SITE.directory}/nodes.yaml`, before);
    setNode(fs, SITE, 'n003', { values: [{ field: 'image', value: 'compute-bookworm' }] });
    expect(text('nodes.yaml')).toBe(`${before}overrides:\r\n  n003: { image: compute-bookworm }\r\n`);
  });

  test('goes through a link to the file behind it, and keeps its mode', () => {
    const { fs, text } = newSite();
    fs.mkdir('/srv');
    fs.writeFile('/srv/nodes.yaml', text('nodes.yaml'), 0o640);
    fs.remove(`${SITE.directory}/nodes.yaml`);
    fs.symlink('../../../srv/nodes.yaml', `${SITE.directory}/nodes.yaml`);
    setNode(fs, SITE, 'n003', { values: [{ field: 'boot', value: 'local' }] });
    expect(fs.lstat(`${SITE.directory}/nodes.yaml`)?.kind).toBe('symlink');
    expect(fs.lstat('/srv/nodes.yaml')?.mode).toBe(0o640);
    expect(text('nodes.yaml')).toContain('n003: { boot: local }');
  });

  test('with an entry of its own changes that entry, unless something nearer has the value', () => {
    const { fs, text } = newSite();
    const yaml = text('nodes.yaml').replace(
      'nodes:\n',
      'csv: nodes.csv\nnodes:\n  s1: { group: compute, ip: 10.1.2.1 } # storage\n',
    );
    fs.writeFile(`${SITE.directory}/nodes.yaml`, yaml);
    fs.writeFile(`${SITE.directory}/nodes.csv`, 'name,mac\n');
    expect(setNode(fs, SITE, 's1', { values: [{ field: 'variables.rack', value: 'r9' }] }).entry).toBe(
      'nodes.s1',
    );
    expect(text('nodes.yaml')).toContain(
      '  s1: { group: compute, ip: 10.1.2.1, variables: { rack: r9 } } # storage\n',
    );
    fs.writeFile(`${SITE.directory}/nodes.csv`, 'name,image\ns1,compute\n');
    expect(setNode(fs, SITE, 's1', { values: [{ field: 'image', value: 'compute-bookworm' }] }).entry).toBe(
      'overrides.s1',
    );
  });

  test('that does not fit, or that a later override hides, writes nothing', () => {
    const { fs, text } = newSite();
    const unknown = errorOf(() =>
      setNode(fs, SITE, 'n003', { values: [{ field: 'image', value: 'compte' }] }),
    );
    expect(unknown.details).toEqual(['  image "compte" is not known; did you mean "compute"?']);
    const yaml = `${text('nodes.yaml')}overrides:\n  n003: {}\n  n[001-004]: { boot: local }\n`;
    fs.writeFile(`${SITE.directory}/nodes.yaml`, yaml);
    const hidden = errorOf(() =>
      setNode(fs, SITE, 'n003', { values: [{ field: 'boot', value: 'memtest' }] }),
    );
    expect(hidden.message).toMatch(/"n\[001-004\]" in site\/nodes.yaml:\d+:\d+ goes before it/);
    expect(text('nodes.yaml')).toBe(yaml);
  });
});

describe('setting the MAC address of a node', () => {
  const MACS = `csv: nodes.csv
cluster: { image: compute, servers: { head: { address: 10.1.0.1, roles: [nfs] } } }
networks: { internal: { subnet: 10.1.0.0/16 } }
groups: { compute: {} }
nodes:
  a: { group: compute, ip: 10.1.2.1, mac: 52-54-00-00-00-0A } # first
  b[1-2]:
    group: compute
    ip: 10.1.2.2
    mac: [525400000001, '52:54:00:00:00:02']   # two
  c: { group: compute, ip: 10.1.2.9 }
  n[1-3]: { group: compute, ip: 10.1.1.1 }
`;
  const ROWS = '# rack 1\r\nname;mac;variables.note\r\nn1;52:54:00:00:00:11;"a;b"\r\nn3;;x\r\n';
  const NEW = '52:54:00:00:00:99';
  const over = (yaml: string, name: string) => `${yaml}overrides:\n  ${name}: { boot: local }\n`;

  function macSite() {
    const { fs, text } = newSite();
    fs.writeFile(`${SITE.directory}/nodes.yaml`, MACS);
    fs.writeFile(`${SITE.directory}/nodes.csv`, ROWS);
    return { fs, text };
  }

  test.each([
    ['a', 'nodes.a', MACS.replace('52-54-00-00-00-0A', `"${NEW}"`), ROWS],
    ['b1', 'nodes.b[1-2]', MACS.replace('525400000001', `"${NEW}"`), ROWS],
    ['b2', 'nodes.b[1-2]', MACS.replace("'52:54:00:00:00:02'", `"${NEW}"`), ROWS],
    ['c', 'nodes.c', MACS.replace('10.1.2.9 }', `10.1.2.9, mac: "${NEW}" }`), ROWS],
    ['n1', 'site/nodes.csv', MACS, ROWS.replace('52:54:00:00:00:11', NEW)],
    ['n2', 'site/nodes.csv', MACS, `${ROWS}n2;${NEW}\r\n`],
    ['n3', 'site/nodes.csv', MACS, ROWS.replace('n3;;x', `n3;${NEW};x`)],
  ])('%s changes it where it stands (%s), and nothing else', (name, entry, yaml, rows) => {
    const { fs, text } = macSite();
    expect(setNode(fs, SITE, name, { mac: '5254.0000.0099' })).toEqual({ changed: [name], entry });
    expect([text('nodes.yaml'), text('nodes.csv')]).toEqual([yaml, rows]);
    expect(loadInventory(fs, SITE).nodes.get(name)?.mac?.value).toBe(NEW);
    expect(setNode(fs, SITE, name, { mac: NEW }).changed).toEqual([]);
  });

  test('that stands in nodes.yaml and in the CSV file changes both', () => {
    const { fs, text } = macSite();
    fs.writeFile(`${SITE.directory}/nodes.csv`, 'name,mac\na,52:54:00:00:00:0a\n');
    setNode(fs, SITE, 'a', { mac: NEW });
    expect(text('nodes.yaml')).toContain(`mac: "${NEW}" } # first`);
    expect(text('nodes.csv')).toBe(`name,mac\na,${NEW}\n`);
  });

  test.each([
    ['c', 'nodes.c', MACS.replace('10.1.2.9 }', `10.1.2.9, mac: "${NEW}", boot: local }`), ROWS],
    ['b1', 'nodes.b[1-2] and overrides.b1', over(MACS.replace('525400000001', `"${NEW}"`), 'b1'), ROWS],
    ['n1', 'site/nodes.csv and overrides.n1', over(MACS, 'n1'), ROWS.replace('52:54:00:00:00:11', NEW)],
    ['n2', 'site/nodes.csv and overrides.n2', over(MACS, 'n2'), `${ROWS}n2;${NEW}\r\n`],
  ])('%s goes with other values, which are written with it (%s)', (name, entry, yaml, rows) => {
    const { fs, text } = macSite();
    const changes = { mac: NEW, values: [{ field: 'boot', value: 'local' }] };
    expect(setNode(fs, SITE, name, changes)).toEqual({ changed: [name], entry });
    expect([text('nodes.yaml'), text('nodes.csv')]).toEqual([yaml, rows]);
    expect(setNode(fs, SITE, name, changes).changed).toEqual([]);
  });

  test('in a nodes.csv that is new goes with other values, too', () => {
    const { fs, text } = macSite();
    fs.writeFile(`${SITE.directory}/nodes.yaml`, MACS.replace('csv: nodes.csv\n', ''));
    fs.remove(`${SITE.directory}/nodes.csv`);
    setNode(fs, SITE, 'n2', { mac: NEW, values: [{ field: 'boot', value: 'local' }] });
    expect(text('nodes.csv')).toBe(`name,mac\nn2,${NEW}\n`);
    expect(text('nodes.yaml')).toMatch(/^overrides:\n {2}n2: \{ boot: local \}$/m);
    expect(text('nodes.yaml')).toMatch(/^csv: nodes\.csv$/m);
  });

  test('writes nothing where one of the other values does not fit', () => {
    const { fs, text } = macSite();
    for (const name of ['c', 'n1']) {
      const changes = { mac: NEW, values: [{ field: 'image', value: 'compte' }] };
      expect(errorOf(() => setNode(fs, SITE, name, changes)).exitCode).toBe(ExitCode.InvalidInput);
    }
    expect([text('nodes.yaml'), text('nodes.csv')]).toEqual([MACS, ROWS]);
  });

  test('to that of another node, to none, or of no node or several, is refused and writes nothing', () => {
    const { fs, text } = macSite();
    const taken = errorOf(() => setNode(fs, SITE, 'n1', { mac: '52:54:00:00:00:02' }));
    expect(taken.details.join()).toContain('mac 52:54:00:00:00:02 of n1 is that of b2');
    expect(taken.exitCode).toBe(ExitCode.InvalidInput);
    expect(errorOf(() => setNode(fs, SITE, 'n1', { mac: 'ff:ff:ff:ff:ff:ff' })).exitCode).toBe(
      ExitCode.Usage,
    );
    expect(errorOf(() => setNode(fs, SITE, 'n[1-2]', { mac: NEW })).exitCode).toBe(ExitCode.Usage);
    expect(errorOf(() => setNode(fs, SITE, 'n9', { mac: NEW })).exitCode).toBe(ExitCode.NotFound);
    expect([text('nodes.yaml'), text('nodes.csv')]).toEqual([MACS, ROWS]);
  });
});

describe('removing nodes', () => {
  const YAML = `csv: nodes.csv
cluster: { image: compute, servers: { head: { address: 10.1.0.1, roles: [nfs] } } }
networks: { internal: { subnet: 10.1.0.0/16 } }
groups: { compute: {} }
nodes:
  # the first
  a: { group: compute, ip: 10.1.2.1 } # old
  b[1-2]:
    group: compute
    ip: 10.1.2.2   # and .3
  # the rack
  n[1-3]: { group: compute, ip: 10.1.1.1 }
overrides:   # what is different
  a: { boot: local }
`;
  const ROWS =
    'name,mac,ip,group\r\na,52:54:00:00:00:01\r\n# new\r\nx,52:54:00:00:00:02,10.1.3.1,compute\r\nn1,52:54:00:00:00:03\r\n';

  function removalSite(yaml = YAML) {
    const { fs, text } = newSite();
    fs.writeFile(`${SITE.directory}/nodes.yaml`, yaml);
    fs.writeFile(`${SITE.directory}/nodes.csv`, ROWS);
    return { fs, text };
  }

  test.each([
    [
      ['a'],
      ['site/nodes.csv', 'site/nodes.yaml'],
      YAML.replace('  a: { group: compute, ip: 10.1.2.1 } # old\n', '').replace(
        'overrides:   # what is different\n  a: { boot: local }\n',
        'overrides: {}   # what is different\n',
      ),
      ROWS.replace('a,52:54:00:00:00:01\r\n', ''),
    ],
    [
      ['b1', 'b2'],
      ['site/nodes.yaml'],
      YAML.replace('  b[1-2]:\n    group: compute\n    ip: 10.1.2.2   # and .3\n', ''),
      ROWS,
    ],
    [['x'], ['site/nodes.csv'], YAML, ROWS.replace('x,52:54:00:00:00:02,10.1.3.1,compute\r\n', '')],
  ])('%j takes out what stands about them in %j, and nothing else', (names, files, yaml, rows) => {
    const { fs, text } = removalSite();
    expect(removeNodes(fs, SITE, names)).toEqual({ names, files });
    expect([text('nodes.yaml'), text('nodes.csv')]).toEqual([yaml, rows]);
    const left = loadInventory(fs, SITE).nodes;
    expect(names.filter((name) => left.has(name))).toEqual([]);
  });

  test('of a range of which others stay, one that is not there, or one on a line with others, is refused and writes nothing', () => {
    const { fs, text } = removalSite();
    const part = errorOf(() => removeNodes(fs, SITE, ['a', 'n2']));
    expect(part.message).toBe(
      'Cannot remove "n2": it is one of "n[1-3]" in nodes of site/nodes.yaml, and others of it stay',
    );
    expect(part.hint).toContain('Write that entry without it, its address too');
    expect(errorOf(() => removeNodes(fs, SITE, ['n9'])).exitCode).toBe(ExitCode.NotFound);
    expect([text('nodes.yaml'), text('nodes.csv')]).toEqual([YAML, ROWS]);
    const onOne = YAML.replace(
      'overrides:   # what is different\n  a: { boot: local }',
      'overrides: { a: { boot: local } }',
    );
    const other = removalSite(onOne);
    expect(errorOf(() => removeNodes(other.fs, SITE, ['a'])).hint).toBe('Change the file by hand.');
    expect([other.text('nodes.yaml'), other.text('nodes.csv')]).toEqual([onOne, ROWS]);
  });
});

describe('writing an import', () => {
  const seen = [1, 2, 5].map((last) => ({
    mac: `52:54:00:00:00:0${last}`,
    ip: `10.1.1.${last}`,
    line: last,
  }));

  test('makes nodes.csv, names it in nodes.yaml, and a second import finds everything known', () => {
    const { fs, text } = newSite();
    const request = { names: ['n001', 'n002', 'n005'], group: 'compute' };
    const plan = planImport(loadInventory(fs, SITE), seen, request);
    expect(writeImport(fs, SITE, plan.nodes)).toEqual(['site/nodes.csv', 'site/nodes.yaml']);
    expect(text('nodes.csv')).toBe(
      'name,mac,ip,group\nn001,52:54:00:00:00:01\nn002,52:54:00:00:00:02\nn005,52:54:00:00:00:05,10.1.1.5,compute\n',
    );
    expect(text('nodes.yaml')).toMatch(/\ncsv: nodes.csv\n$/);
    expect(planImport(loadInventory(fs, SITE), seen, request).nodes).toEqual([]);
  });

  test('leaves a nodes.csv with rows that nodes.yaml does not name; goes on with its own, and with a head line', () => {
    const { fs, text } = newSite();
    const nodes = [{ name: 'n001', mac: '52:54:00:00:00:01', line: 1 }];
    const before = text('nodes.yaml');
    const old = 'name,mac,ip,group\nold1,52:54:00:00:00:99,10.1.1.99,compute\n';
    fs.writeFile(`${SITE.directory}/nodes.csv`, old);
    const error = errorOf(() => writeImport(fs, SITE, nodes));
    expect(error).toMatchObject({ exitCode: ExitCode.InvalidInput });
    expect(error.message).toContain('"site/nodes.csv": it is there with rows that do not count');
    expect([text('nodes.csv'), text('nodes.yaml')]).toEqual([old, before]);
    for (const own of ['name,mac\nn001,52:54:00:00:00:01\n', '# MACs\nname,mac\n']) {
      fs.writeFile(`${SITE.directory}/nodes.yaml`, before);
      fs.writeFile(`${SITE.directory}/nodes.csv`, own);
      expect(writeImport(fs, SITE, nodes)).toEqual(['site/nodes.csv', 'site/nodes.yaml']);
      expect(text('nodes.csv')).toContain('name,mac\nn001,52:54:00:00:00:01\n');
    }
  });

  test('that would make a bad inventory writes nothing', () => {
    const { fs, text } = newSite();
    const nodes = [{ name: 'n005', mac: '52:54:00:00:00:05', ip: '10.1.250.9', group: 'compute', line: 1 }];
    const before = text('nodes.yaml');
    expect(errorOf(() => writeImport(fs, SITE, nodes)).details[0]).toContain('range that DHCP hands out');
    expect(text('nodes.yaml')).toBe(before);
    expect(fs.lstat(`${SITE.directory}/nodes.csv`)).toBeUndefined();
  });
});
