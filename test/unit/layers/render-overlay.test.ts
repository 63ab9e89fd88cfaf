import { describe, expect, test } from 'vitest';
import { readOverlay } from '../../../src/layers/read-overlay.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { problemLines, render } from './layer-fixture.js';

const overlay = '/site/overlays/cluster';

function textOf({ tree }: ReturnType<typeof render>, path: string): string {
  const entry = tree.get(path);
  if (entry?.kind !== 'file' || !('data' in entry.content)) throw new Error(`no rendered file ${path}`);
  return Buffer.from(entry.content.data).toString('utf8');
}

describe('templates', () => {
  test('a template is rendered and loses its suffix; other files are copied as they are', () => {
    const fs = memoryFileSystem({
      [`${overlay}/etc/motd.liquid`]: 'On {{ node.name }}: {% for n in list %}{{ n }} {% endfor %}\n',
      [`${overlay}/etc/raw`]: '{{ not a template }}',
    });
    const rendered = render(fs, { node: { name: 'n017' }, list: [1, 2] });
    expect(textOf(rendered, '/etc/motd')).toBe('On n017: 1 2 \n');
    expect(rendered.tree.get('/etc/raw')).toMatchObject({ content: { source: `${overlay}/etc/raw` } });
    expect(rendered.tree.entries().map(({ path }) => path)).toEqual(['/', '/etc', '/etc/motd', '/etc/raw']);
  });

  test('all unknown variables are told at once with file, line and column, and per what it was rendered', () => {
    const fs = memoryFileSystem({
      [`${overlay}/etc/a.liquid`]: 'x\n{{ node.nmae }} {{ clutser }}\n',
      [`${overlay}/etc/b.liquid`]: '{{ node.name | upcaes }}',
      [`${overlay}/etc/c.liquid`]: '{% if %}',
    });
    expect(problemLines(render(fs, { node: { name: 'n' } }))).toEqual([
      'overlays/cluster/etc/a.liquid:2:4: unknown variable node.nmae (rendered per group)',
      'overlays/cluster/etc/a.liquid:2:20: unknown variable clutser (rendered per group)',
      'overlays/cluster/etc/b.liquid:1:1: unknown filter upcaes',
      expect.stringMatching(/^overlays\/cluster\/etc\/c.liquid:1:\d+: /),
    ]);
  });

  test('an unknown filter hides no other problem, wherever it stands, and what it would give is no problem', () => {
    const fs = memoryFileSystem({
      [`${overlay}/.partials/p`]: '{{ who | pfoo }}{{ gone }}',
      [`${overlay}/a.liquid`]: '{{ node.name | foo }} {{ nosuch }}',
      [`${overlay}/b.liquid`]: '{{ nosuch | foo | bar }}',
      [`${overlay}/c.liquid`]: '{% if node %}{{ node.name | foo }}\n{{ nosuch }}{% endif %}{{ x | bar }}',
      [`${overlay}/d.liquid`]: '{% include "p" %}{{ nosuch }}{{ 1 | foo }}',
      [`${overlay}/e.liquid`]:
        '{% assign q = node | foo %}{{ q.a.b | upcase }}{% for i in q %}{{ i.c | plus: 1 }}{{ nosuch }}{% endfor %}{{ q | map: "x" | sort | join: "," }}',
    });
    const variables = { node: { name: 'n' }, who: 'w' };
    const lines = problemLines(render(fs, variables)).map((line) =>
      line.replace('overlays/cluster/', '').replace(' (rendered per group)', ''),
    );
    expect(lines).toEqual([
      'a.liquid:1:1: unknown filter foo',
      'a.liquid:1:26: unknown variable nosuch',
      'b.liquid:1:1: unknown filter foo',
      'b.liquid:1:1: unknown filter bar',
      'b.liquid:1:4: unknown variable nosuch',
      'c.liquid:1:14: unknown filter foo',
      'c.liquid:2:4: unknown variable nosuch',
      'c.liquid:2:24: unknown filter bar',
      'c.liquid:2:27: unknown variable x',
      '.partials/p:1:1: unknown filter pfoo',
      '.partials/p:1:20: unknown variable gone',
      'd.liquid:1:21: unknown variable nosuch',
      'd.liquid:1:30: unknown filter foo',
      'e.liquid:1:1: unknown filter foo',
      expect.stringMatching(/^e\.liquid:1:\d+: unknown variable nosuch$/),
    ]);
    // The same filters again, of another template: nothing is remembered of the first.
    expect(problemLines(render(fs, variables))).toHaveLength(lines.length);
  });

  test('included files come from .partials only, and their errors name them', () => {
    const fs = memoryFileSystem({
      [`${overlay}/.partials/greeting.liquid`]: 'hello {{ who }}',
      [`${overlay}/.partials/out`]: { link: '/etc/passwd' },
      [`${overlay}/.partials/etc/passwd`]: 'inside',
      '/etc/passwd': 'outside',
      [`${overlay}/a.liquid`]:
        '{% render "greeting.liquid", who: "you" %}, {% include "../../../../etc/passwd" %}, {% include "out" %}',
      [`${overlay}/b.liquid`]: '{% render "greeting.liquid" %}',
      [`${overlay}/c.liquid`]: '{% include "/site/overlays/cluster/a.liquid" %}',
    });
    const rendered = render(fs);
    // '..' and absolute links stop at .partials, as in a chroot.
    expect(textOf(rendered, '/a')).toBe('hello you, inside, inside');
    expect(problemLines(rendered)).toEqual([
      'overlays/cluster/.partials/greeting.liquid:1:10: unknown variable who (rendered per group)',
      'overlays/cluster/c.liquid:1:1: there is no file "/site/overlays/cluster/a.liquid" in .partials/ of the overlay',
    ]);
    expect(rendered.tree.get('/.partials')).toBeUndefined();
  });

  test('endless includes, endless loops and the clock are refused; nothing of JavaScript is in reach', () => {
    const fs = memoryFileSystem({
      [`${overlay}/.partials/loop`]: '{% include "loop" %}{% include "loop" %}',
      [`${overlay}/a.liquid`]: '{% include "loop" %}',
      [`${overlay}/b.liquid`]: '{% for i in (1..1000000000) %}x{% endfor %}',
      [`${overlay}/c.liquid`]: '{{ "now" | date: "%s" }}',
      [`${overlay}/d.liquid`]: '{{ node.constructor.constructor }}',
      [`${overlay}/e.liquid`]: '{{ node.__proto__ }}',
    });
    const lines = problemLines(render(fs, { node: { name: 'n' } }));
    expect(lines.find((line) => line.includes('a.liquid'))).toContain('include each other without end');
    expect(lines.find((line) => line.includes('b.liquid'))).toMatch(/too long or too much memory/);
    expect(lines.find((line) => line.includes('c.liquid'))).toContain('the filter date is not there');
    expect(lines.find((line) => line.includes('d.liquid'))).toContain('unknown variable node.constructor');
    expect(lines.find((line) => line.includes('e.liquid'))).toContain('unknown variable node.__proto__');
  });

  test('a template that is not UTF-8 is a problem, a file that is not is copied', () => {
    const fs = memoryFileSystem({
      [`${overlay}/a.liquid`]: Buffer.from([0xff, 0xfe]),
      [`${overlay}/b\xff`]: Buffer.from([0xff]),
    });
    const rendered = render(fs);
    expect(problemLines(rendered)).toEqual(['overlays/cluster/a.liquid:1:1: it is not UTF-8 text']);
    expect(rendered.tree.get('/b\xff')?.kind).toBe('file');
  });

  test('a file beside a template of the same name is a problem', () => {
    const fs = memoryFileSystem({ [`${overlay}/a`]: '', [`${overlay}/a.liquid`]: '' });
    const read = readOverlay(fs, { name: 'cluster', directory: overlay, label: 'overlays/cluster' });
    expect('problems' in read ? read.problems.map(({ message }) => message) : []).toEqual([
      '"/a" is there twice, as a file and as a template',
    ]);
  });
});

describe('owners and modes', () => {
  test('directories take over those of the directory they cover, unless overlay.yaml declares them', () => {
    const fs = memoryFileSystem({
      '/base/etc/munge': null,
      '/base/root': null,
      [`${overlay}/etc/munge/x`]: '',
      [`${overlay}/root/y`]: '',
      [`${overlay}/overlay.yaml`]: 'attributes:\n  - { path: /root, mode: 0750 }\n',
    });
    fs.chmod('/base/etc/munge', 0o700);
    fs.chown('/base/etc/munge', 105, 110);
    fs.chmod('/base/root', 0o700);
    fs.chown('/base/root', 0, 42);
    const { tree } = render(fs);
    expect(tree.get('/etc/munge')).toMatchObject({ mode: 0o700, uid: 105, gid: 110, declared: false });
    expect(tree.get('/root')).toMatchObject({ mode: 0o750, uid: 0, gid: 42, declared: true });
    expect(tree.get('/overlay.yaml')).toBeUndefined();
  });

  test('what belongs to the keeper of the overlay belongs to root; names come from the image, patterns reach many', () => {
    const fs = memoryFileSystem({
      [`${overlay}/etc/munge/munge.key`]: 'key',
      [`${overlay}/etc/munge/b`]: '',
      [`${overlay}/etc/mine`]: '',
      [`${overlay}/etc/theirs`]: '',
      [`${overlay}/overlay.yaml`]:
        'attributes:\n  - { path: /etc/munge/**, owner: munge, group: munge, mode: 0640 }\n  - { path: /etc/munge/*.key, mode: 0400 }\n',
    });
    for (const path of ['', '/etc/mine', '/etc/munge/b']) fs.chown(`${overlay}${path}`, 1000, 1000);
    fs.chown(`${overlay}/etc/theirs`, 7, 8);
    const { tree } = render(fs);
    expect(tree.get('/etc/mine')).toMatchObject({ uid: 0, gid: 0 });
    expect(tree.get('/etc/theirs')).toMatchObject({ uid: 7, gid: 8 });
    expect(tree.get('/etc/munge/b')).toMatchObject({ uid: 105, gid: 110, mode: 0o640 });
    expect(tree.get('/etc/munge/munge.key')).toMatchObject({ uid: 105, gid: 110, mode: 0o400 });
  });

  test('settings that are wrong, and attributes that mean nothing, are told with their places', () => {
    const bad = memoryFileSystem({
      [`${overlay}/overlay.yaml`]: 'scope: nodes\ndelete: [etc/motd, /a/../b]\nattributes:\n  - path: /x\n',
    });
    const read = readOverlay(bad, { name: 'cluster', directory: overlay, label: 'overlays/cluster' });
    expect(problemLines({ problems: 'problems' in read ? read.problems : [] }).sort()).toEqual([
      expect.stringMatching(
        /^overlays\/cluster\/overlay.yaml:1:8: scope "nodes" is not known .*did you mean "node"/,
      ),
      'overlays/cluster/overlay.yaml:2:10: delete[0] "etc/motd" is not an absolute path',
      'overlays/cluster/overlay.yaml:2:20: delete[1] "/a/../b" must not contain ".."',
      expect.stringContaining('overlay.yaml:4:5: attributes[0] a mapping needs "mode", "owner" or "group"'),
    ]);
    const idle = memoryFileSystem({
      [`${overlay}/overlay.yaml`]: 'attributes:\n  - { path: /no, owner: nobdy }\n',
    });
    expect(problemLines(render(idle))).toEqual([
      expect.stringMatching(/overlay.yaml:2:\d+: attributes\[0\].owner "nobdy" is not known in the image/),
      expect.stringMatching(/overlay.yaml:2:\d+: attributes\[0\].path "\/no" is neither in the overlay nor/),
    ]);
  });
});

describe('deletions', () => {
  test('a declared deletion becomes one whiteout for each path that it means; an idle one is noted', () => {
    const fs = memoryFileSystem({
      '/base/etc/apt/sources.list.d/a.list': '',
      '/base/etc/apt/sources.list.d/b.list': '',
      '/base/usr/share/doc/x/y': '',
      [`${overlay}/overlay.yaml`]: 'delete: [/etc/apt/sources.list.d/*.list, /usr/share/doc, /nothing]\n',
    });
    const { tree, idleDeletions } = render(fs);
    expect(
      tree
        .entries()
        .filter(({ kind }) => kind === 'whiteout')
        .map(({ path }) => path),
    ).toEqual(['/etc/apt/sources.list.d/a.list', '/etc/apt/sources.list.d/b.list', '/usr/share/doc']);
    expect(idleDeletions.map(({ pattern }) => pattern)).toEqual(['/nothing']);
  });

  test('a directory that is deleted and filled anew hides each old name by a whiteout of its own: nothing is opaque', () => {
    const fs = memoryFileSystem({
      '/base/etc/apt/sources.list.d/a.list': '',
      '/base/etc/apt/sources.list.d/mine.list': 'old',
      [`${overlay}/etc/apt/sources.list.d/mine.list`]: 'new',
      [`${overlay}/overlay.yaml`]: 'delete: [/etc/apt/sources.list.d]\n',
    });
    const { tree } = render(fs);
    expect(tree.get('/etc/apt/sources.list.d')?.kind).toBe('directory');
    expect(tree.get('/etc/apt/sources.list.d/a.list')?.kind).toBe('whiteout');
    expect(tree.get('/etc/apt/sources.list.d/mine.list')?.kind).toBe('file');
  });

  test('an overlay with a serial carries it into the layer', () => {
    const fs = memoryFileSystem({ [`${overlay}/overlay.yaml`]: 'serial: 7\n' });
    expect(textOf(render(fs), '/etc/mkroot/serial/cluster')).toBe('7\n');
  });
});
