import { beforeEach, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { ioError } from '../../../../src/host/io-error.js';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import { readRecord, writeRecord } from '../../../../src/pipelines/publish/published-record.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { readStatus } from '../../../../src/serving/status-file.js';
import { MaskedFileSystem } from '../../../support/masked-file-system.js';
import { publishPorts, publishSite, REQUEST, WRITER } from '../../../support/publish-site.js';

const PATH = '/state/published.json';
let fs: FileSystem;
beforeEach(async () => {
  fs = publishSite();
  await publish(publishPorts(fs), REQUEST, WRITER);
});

const text = () => Buffer.from(fs.readFile(PATH)).toString();

describe('the record', () => {
  it('is JSON, with a line for each node, and comes back as it was written', () => {
    const { nodes } = JSON.parse(text()) as { nodes: readonly { name: string }[] };
    expect(nodes.map(({ name }) => name)).toEqual(['n1', 'n2', 'c1']);
    expect(
      text()
        .split('\n')
        .slice(1, 4)
        .map((line) => line.slice(0, 12)),
    ).toEqual(['{"name":"n1"', '{"name":"n2"', '{"name":"c1"']);
    const record = readRecord(fs, '/state')!;
    expect(record.site?.nodes).toEqual(nodes);
    expect(record.nodes.get('c1')).toEqual(nodes[2]);
    expect(record.nodes.get('c2')).toBeUndefined();
    const before = text();
    writeRecord(fs, '/state', record);
    expect(text()).toBe(before);
  });

  it.each<[string, (text: string) => string]>([
    ['formatted anew', (written) => JSON.stringify(JSON.parse(written), null, 2)],
    [
      'of format 1, which had the nodes in the site',
      (written) => {
        const { nodes, site, code: _code, ...rest } = JSON.parse(written);
        return JSON.stringify({ ...rest, format: 1, site: { ...site, nodes } }, null, 1);
      },
    ],
  ])('%s is read, too: nothing has changed', (_, edit) => {
    fs.writeFile(PATH, edit(text()));
    expect(planPublish(fs, REQUEST).changes).toBe(false);
    expect(readRecord(fs, '/state')?.site?.nodes.map(({ name }) => name)).toEqual(['n1', 'n2', 'c1']);
  });

  it.each([
    '',
    'nonsense',
    '{"format":3,"retired":{},"nodes":[\n]}\n',
    '{"format":2,"retired":{},"nodes":[\n{"na\n]}\n',
  ])('that is damaged is refused: %j', (damaged) => {
    fs.writeFile(PATH, damaged);
    expect(() => readRecord(fs, '/state')).toThrow('it is no record of what was published');
  });
});

/** What somebody without rights sees: names, and no contents. */
class ClosedFileSystem extends MaskedFileSystem {
  override readFile(path: string): Uint8Array {
    const code = 'EACCES';
    throw ioError(
      'open',
      path,
      Object.assign(new Error(`${code}: permission denied, open '${path}'`), { code }),
    );
  }
}

describe('somebody without the rights of root', () => {
  it('may read the record: what is in it is in the boot files, too', () => {
    expect(fs.lstat(PATH)?.mode).toBe(0o644);
    expect(text()).not.toContain('PRIVATE KEY');
  });

  it.each([
    ['the record', PATH, readRecord],
    ['what mkroot serve wrote', '/state/serve/status.json', readStatus],
  ])('who may not read %s is told so: it is not damaged', (_, path, read) => {
    fs.mkdir('/state/serve');
    fs.writeFile('/state/serve/status.json', '{}');
    expect(() => read(new ClosedFileSystem(fs, () => false), '/state')).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.Io,
        message: `Cannot open "${path}": permission denied (EACCES)`,
      }),
    );
  });
});

describe('other code of mkroot', () => {
  it('renders every file again, and is noted by a publish that has nothing else to do', async () => {
    const other = { ...REQUEST, code: 'other' };
    expect(planPublish(fs, other).changes).toBe(false);
    expect(readRecord(fs, '/state')?.code).toBe(REQUEST.code);
    expect((await publish(publishPorts(fs), other, WRITER)).changes).toBe(false);
    expect(readRecord(fs, '/state')?.code).toBe('other');
  });

  it('that would write another file finds it changed; the same code does not even look', async () => {
    const list = '/state/netboot/.mkroot-tree.json';
    const path = '/state/netboot/tftp/pxelinux.cfg/0A010102';
    // As if mkroot itself had written this text: the list has its digest.
    fs.writeFile(path, 'of older code\n');
    const plan = planPublish(fs, { ...REQUEST, code: 'older' });
    expect(plan.tree.changes).toMatchObject([{ path: 'tftp/pxelinux.cfg/0A010102', change: 'changed' }]);
    const { createHash } = await import('node:crypto');
    const { fileState } = await import('../../../../src/engine/file-state.js');
    const lines = JSON.parse(Buffer.from(fs.readFile(list)).toString()) as { files: string[][] };
    const files = lines.files.map(([name, ...rest]) =>
      name === 'tftp/pxelinux.cfg/0A010102'
        ? [name, fileState(fs.lstat(path)!), createHash('sha256').update('of older code\n').digest('hex')]
        : [name, ...rest],
    );
    fs.writeFile(list, JSON.stringify({ ...lines, files }));
    expect(planPublish(fs, REQUEST).tree.changes).toEqual([]);
    expect(planPublish(fs, { ...REQUEST, code: 'newer' }).tree.changes).toEqual([
      { path: 'tftp/pxelinux.cfg/0A010102', change: 'changed' },
    ]);
  });
});
