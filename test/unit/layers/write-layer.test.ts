import { describe, expect, test } from 'vitest';
import { diffLayers, layerManifest } from '../../../src/layers/layer-manifest.js';
import { LayerTree } from '../../../src/layers/layer-tree.js';
import { readLayer } from '../../../src/layers/read-layer.js';
import { writeLayer } from '../../../src/layers/write-layer.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

const TOP = { origin: 'test', uid: 0, gid: 0 } as const;

function tree(motd = 'hello\n', mode = 0o644): LayerTree {
  const layer = new LayerTree('test');
  const content = { data: Buffer.from(motd) };
  layer.put({ ...TOP, kind: 'file', path: '/etc/motd', mode, gid: 42, declared: false, content });
  layer.put({ ...TOP, kind: 'symlink', path: '/etc/link\xff', mode: 0o777, target: 'motd' });
  layer.put({ ...TOP, kind: 'directory', path: '/etc', mode: 0o750, declared: true, clears: false });
  return layer;
}

/** mknod(1) as far as memfs can: nothing appears. */
const runner = () => new ScriptedRunner({ xargs: {} });

describe('writing a layer', () => {
  test('owners, modes, links and names come out exactly, with fixed times', async () => {
    const fs = memoryFileSystem();
    const { changed, layer } = await writeLayer({ fs, runner: runner() }, tree(), '/state/layers/compute');
    expect(changed).toBe(true);
    expect(fs.lstat(`${layer}/etc`)).toMatchObject({ kind: 'directory', mode: 0o750, mtime: 0 });
    expect(fs.lstat(`${layer}/etc/motd`)).toMatchObject({ mode: 0o644, uid: 0, gid: 42, mtime: 0 });
    expect(fs.readlink(`${layer}/etc/link\xff`)).toBe('motd');
    expect(fs.readdir('/state/layers/compute')).toEqual(['current', 'versions']);
    expect(fs.readdir('/state/layers/compute/current/.')).toEqual(['layer', 'manifest.json']);
    expect(layerManifest(fs, readLayer(fs, layer, '')).digest).toBe(layerManifest(fs, tree()).digest);
  });

  test('the same contents are not written again', async () => {
    const fs = memoryFileSystem();
    const { layer } = await writeLayer({ fs, runner: runner() }, tree(), '/s');
    const before = fs.lstat(layer)?.ino;
    expect((await writeLayer({ fs, runner: runner() }, tree(), '/s')).changed).toBe(false);
    expect(fs.lstat(layer)?.ino).toBe(before);
  });

  test('what a killed run left beside is removed, and a failure leaves the old layer whole', async () => {
    const fs = memoryFileSystem({ '/s/versions/.new-old/layer/x': '' });
    const { id } = await writeLayer({ fs, runner: runner() }, tree(), '/s');
    expect(fs.readdir('/s/versions')).toEqual([id]);
    const broken = tree('new');
    broken.put({ ...TOP, kind: 'whiteout', path: '/etc/gone', mode: 0 });
    const failing = new ScriptedRunner({ xargs: { exitCode: 1, stderr: 'mknod: not permitted' } });
    await expect(writeLayer({ fs, runner: failing }, broken, '/s')).rejects.toThrow(
      /Cannot write deletions to .*: mknod failed/,
    );
    expect(Buffer.from(fs.readFile('/s/current/layer/etc/motd')).toString()).toBe('hello\n');
    expect(fs.readdir('/s/versions')).toEqual([id]);
  });

  test('other contents become a version beside the old one, which nodes may have mounted; going back writes nothing', async () => {
    const fs = memoryFileSystem();
    const old = await writeLayer({ fs, runner: runner() }, tree(), '/s');
    const before = fs.lstat(old.layer)?.ino;
    const other = await writeLayer({ fs, runner: runner() }, tree('new\n'), '/s');
    expect(fs.readdir('/s/versions')).toEqual([old.id, other.id].sort());
    expect(fs.readlink('/s/current')).toBe(`versions/${other.id}`);
    await writeLayer({ fs, runner: runner() }, tree(), '/s');
    expect(fs.readlink('/s/current')).toBe(`versions/${old.id}`);
    expect(fs.lstat(old.layer)?.ino).toBe(before);
  });

  test('a version that somebody changed by hand is passed over, and left to the nodes that have it', async () => {
    const fs = memoryFileSystem();
    const { id, layer } = await writeLayer({ fs, runner: runner() }, tree(), '/s');
    fs.writeFile(`${layer}/etc/motd`, 'jello\n');
    const again = await writeLayer({ fs, runner: runner() }, tree(), '/s');
    expect(again).toMatchObject({ id: `${id}-2`, changed: true });
    expect(Buffer.from(fs.readFile(`${layer}/etc/motd`)).toString()).toBe('jello\n');
  });

  test('whiteouts are made by name, whatever bytes are in it', async () => {
    const scripted = runner();
    const layer = tree();
    layer.put({ ...TOP, kind: 'whiteout', path: '/etc/a\nb\xff', mode: 0 });
    await writeLayer({ fs: memoryFileSystem(), runner: scripted }, layer, '/s');
    expect(Buffer.from(scripted.commands[0]?.input as Uint8Array).toString('latin1')).toBe('/etc/a\nb\xff\0');
  });

  test('a device is refused with where it comes from', async () => {
    const layer = tree();
    layer.put({
      ...TOP,
      kind: 'special',
      path: '/dev/x',
      mode: 0,
      what: 'block',
      origin: 'overlays/a/dev/x',
    });
    await expect(writeLayer({ fs: memoryFileSystem(), runner: runner() }, layer, '/s')).rejects.toThrow(
      'Cannot put "/dev/x" into a layer: it is a block (from overlays/a/dev/x)',
    );
  });

  test('the difference of two layers names what was added, removed and changed, and how', () => {
    const fs = memoryFileSystem();
    const after = tree('hello, all\n', 0o600);
    after.remove('/etc/link\xff');
    after.put({ ...TOP, kind: 'whiteout', path: '/etc/gone', mode: 0 });
    expect(diffLayers(layerManifest(fs, tree()), layerManifest(fs, after))).toEqual([
      { path: '/etc/gone', change: 'added', what: [] },
      { path: '/etc/link\xff', change: 'removed', what: [] },
      { path: '/etc/motd', change: 'changed', what: ['content (6 to 11 bytes)', 'mode 0644 to 0600'] },
    ]);
  });
});
