import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import {
  CAPABILITIES_PATH,
  collectCapabilities,
} from '../../../../src/stages/initrd/collect-capabilities.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const fs = memoryFileSystem({
  '/root/usr/bin/ping': 'ping',
  '/root/usr/bin/with blank': 'blank',
  '/root/usr/bin/two': 'two',
});

async function collect(stdout: string) {
  const tree = new ArchiveTree();
  const runner = new ScriptedRunner({ getcap: { stdout } });
  const warnings = await collectCapabilities(tree, { fs, runner }, new Sysroot(fs, '/root'));
  const entry = tree.get(CAPABILITIES_PATH);
  const text =
    entry?.kind === 'file' && entry.content.from === 'bytes'
      ? Buffer.from(entry.content.data).toString()
      : undefined;
  return { text, warnings, argv: runner.commands.map(({ argv }) => argv) };
}

const sum = (content: string) => createHash('sha256').update(content).digest('hex');

describe('collectCapabilities', () => {
  it('lists files with their digests, sorted, whatever libcap prints and blanks are in names', async () => {
    const { text, warnings, argv } = await collect(
      '/root/usr/bin/with blank cap_setgid,cap_setuid=ep\n/root/usr/bin/two = cap_chown+p cap_net_raw+ep\n/root/usr/bin/ping cap_net_raw=ep\n',
    );
    expect(argv).toEqual([['getcap', '-r', '/root']]);
    expect(warnings).toEqual([]);
    expect(text).toBe(
      `${sum('ping')}\tcap_net_raw=ep\t/usr/bin/ping\n${sum('two')}\tcap_chown+p cap_net_raw+ep\t/usr/bin/two\n${sum('blank')}\tcap_setgid,cap_setuid=ep\t/usr/bin/with blank\n`,
    );
  });

  it('adds nothing for a root that has none', async () => {
    expect(await collect('')).toMatchObject({ text: undefined, warnings: [] });
  });

  it('says which line it does not understand, and takes nothing from it', async () => {
    const { text, warnings } = await collect(
      '/root/usr/bin/ping cap_net_raw=ep [rootid=1000]\n/root/usr/bin/gone =ep\n',
    );
    expect(text).toBeUndefined();
    expect(warnings).toEqual([
      "capabilities are lost over NFS, since getcap's words are not understood: /root/usr/bin/gone =ep",
      "capabilities are lost over NFS, since getcap's words are not understood: /root/usr/bin/ping cap_net_raw=ep [rootid=1000]",
    ]);
  });
});
