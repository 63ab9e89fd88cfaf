import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SIDECAR_FORMAT, type Sidecar } from '../../../../src/archive/sidecar.js';
import { stormSizes } from '../../../../src/cli/storm-flags.js';
import { ExitCode } from '../../../../src/errors.js';
import { chooseTransports, stormBoot } from '../../../../src/pipelines/boot-test/storm-boot.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { refusalOf } from '../../../support/refusal.js';

const subject = { root: '/image/root', kernel: '/image/vmlinuz', initrd: '/image/initrd.img' };
const image = { path: '/image/root.squashfs', sha256: 'ab'.repeat(32), size: 4096 };

/** The sidecar of an empty initrd with these modules. */
function sidecarText(modules: readonly string[]): string {
  const sidecar: Sidecar = {
    format: SIDECAR_FORMAT,
    mkroot: '0',
    kernel: '6.12',
    architecture: 'amd64',
    compression: { format: 'none' },
    sizes: { packed: 0, unpacked: 0 },
    sha256: createHash('sha256').digest('hex'),
    modules,
    builtins: [],
    nics: [],
    warnings: [],
    entries: [],
  };
  return JSON.stringify(sidecar);
}

const how = { console: 'ttyS0,115200', kernelArguments: ['quiet'] };

describe('what the nodes of a storm boot', () => {
  it('by NFS: the directory, by the version of the transport', () => {
    const { commandLine, httpDirectory, subject: booted } = stormBoot('nfs-4.1', subject, undefined, how);
    expect(commandLine).toContain('mkroot.base=10.77.0.1:/base ');
    expect(commandLine).toMatch(/mkroot\.nfsvers=4\.1\b/);
    expect(commandLine).toMatch(/ quiet$/);
    expect(httpDirectory).toBeUndefined();
    expect(booted).toBe(subject);
  });

  it('by a file: where it is served, and its digest', () => {
    const nfs = stormBoot('squashfs-nfs', subject, image, how);
    expect(nfs.commandLine).toContain('mkroot.base=10.77.0.1:/image/root.squashfs');
    expect(nfs.subject.image).toBe('/image');
    expect(nfs.httpDirectory).toBeUndefined();
    const http = stormBoot('squashfs-http', subject, image, how);
    expect(http.commandLine).toContain(`http://10.77.0.1/root.squashfs,sha256=${image.sha256},size=4096`);
    expect(http.httpDirectory).toBe('/image');
  });
});

describe('the transports of a storm', () => {
  const sidecar = (modules: readonly string[]) =>
    memoryFileSystem({ '/image/initrd.img': '', '/image/initrd.img.json': sidecarText(modules) });

  it('are by default all that the initrd can, and all for one that somebody else made', () => {
    expect(chooseTransports(sidecar(['nfsv3']), subject.initrd, undefined)).toEqual([
      'nfs-3',
      'nfs-4.1',
      'nfs-4.2',
    ]);
    expect(chooseTransports(sidecar(['squashfs', 'loop']), subject.initrd, undefined)).toHaveLength(5);
    expect(chooseTransports(memoryFileSystem({}), subject.initrd, undefined)).toHaveLength(5);
  });

  it('that the initrd was not made for are refused, with what to do', () => {
    const error = refusalOf(() => chooseTransports(sidecar(['nfsv3']), subject.initrd, ['squashfs-http']));
    expect(error).toMatchObject({ exitCode: ExitCode.InvalidInput });
    expect(error.hint).toContain('mkroot initrd --transport squashfs-http');
  });
});

describe('--storm', () => {
  it('takes numbers of nodes, in rising order and each once', () => {
    expect(stormSizes('8,2,4,2')).toEqual([2, 4, 8]);
  });

  it.each(['', '0', '2,x', '101', '-1', '1e2', '2;4'])('refuses "%s"', (text) => {
    expect(refusalOf(() => stormSizes(text)).exitCode).toBe(ExitCode.Usage);
    expect(refusalOf(() => stormSizes(text)).message).toMatch(/^Cannot boot a storm of ".*" nodes: /);
  });
});
