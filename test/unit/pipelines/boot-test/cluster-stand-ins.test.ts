import { describe, expect, it } from 'vitest';
import { StandIns } from '../../../../src/pipelines/boot-test/cluster-stand-ins.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

const DIRECTORY = '/state/mkroot-lab-x';

function standIns(writeState: boolean): { fs: FileSystem; stand: StandIns } {
  const fs = memoryFileSystem({ [`${DIRECTORY}/owner`]: '', '/state/booted/n1': 'ip=10.1.1.1\n' });
  const clock = { now: () => new Date(0), monotonicMs: () => 0, sleep: async () => {} };
  const ports = { fs, clock, runner: new ScriptedRunner(), progress: new SilentProgress() };
  return { fs, stand: new StandIns(ports, { directory: DIRECTORY, state: '/state', writeState }) };
}

describe('what stands in for published files in a lab', () => {
  it('is an empty directory for leases and reports; one that had to be made is gone in the end', () => {
    const { fs, stand } = standIns(false);
    stand.blank('serve');
    stand.blank('booted');
    expect(stand.mounts).toEqual([
      { from: `${DIRECTORY}/serve`, onto: '/state/serve' },
      { from: `${DIRECTORY}/booted`, onto: '/state/booted' },
    ]);
    expect(fs.readdir(`${DIRECTORY}/booted`)).toEqual([]);
    expect(stand.place('serve')).toBe(`${DIRECTORY}/serve`);
    stand.end();
    expect(fs.readdir('/state')).toEqual(['booted', 'mkroot-lab-x']);
    expect(fs.readdir('/state/booted')).toEqual(['n1']);
  });

  it('is one directory for all versions of a host layer; a version is never replaced', () => {
    const { fs, stand } = standIns(false);
    const copies = `${DIRECTORY}/hosts/n1/versions`;
    const published = '/state/hosts/n1/versions';
    const first = stand.hostVersion('n1', `${published}/abc/layer`);
    expect(first).toEqual({ target: `${copies}/abc`, layer: `${published}/abc/layer` });
    fs.mkdir(first.target);
    expect(stand.hostVersion('n1', `${published}/abc/layer`)).toEqual({
      target: `${copies}/abc.boot-2`,
      layer: `${published}/abc.boot-2/layer`,
    });
    expect(stand.hostVersion('n1', `${published}/def/layer`).target).toBe(`${copies}/def`);
    expect(stand.mounts).toEqual([{ from: copies, onto: published }]);
  });

  it('is one directory for what several nodes write to', () => {
    const { stand } = standIns(false);
    expect(stand.persistent('/srv/home')).toBe(stand.persistent('/srv/home'));
    expect(stand.persistent('/srv/home')).not.toBe(stand.persistent('/srv/scratch'));
    expect(stand.replaced).toEqual(['directories that outlive reboots: as they are at a first boot']);
  });

  it('is nothing for what nodes write where the state is to be written; the lab’s marks are gone in the end', () => {
    const { fs, stand } = standIns(true);
    stand.blank('booted');
    expect(stand.place('booted')).toBe('/state/booted');
    expect(stand.persistent('/state/hosts/n1/persistent/var/@')).toBe('/state/hosts/n1/persistent/var/@');
    expect(stand.mounts).toEqual([]);
    fs.mkdir('/state/booted/marks');
    stand.removeInTheEnd('/state/booted/marks');
    stand.end();
    expect(fs.readdir('/state/booted')).toEqual(['n1']);
  });
});
