import { describe, expect, it } from 'vitest';
import { scenarioJobs } from '../../../../src/pipelines/boot-test/scenario-jobs.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { SilentProgress } from '../../../support/silent-progress.js';

/** Machines of 1024 MiB, for which 1280 MiB are wanted. */
function jobsWith(wish: { jobs?: number; processors: number }, meminfo: string | undefined) {
  const progress = new SilentProgress();
  const fs = memoryFileSystem(meminfo === undefined ? {} : { '/proc/meminfo': meminfo });
  const jobs = scenarioJobs({ fs, progress }, { ...wish, memory: 1024 });
  return { jobs, said: progress.lines };
}

const available = (mebibytes: number) =>
  `MemTotal:       99999999 kB\nMemFree:               1 kB\nMemAvailable:   ${String(mebibytes * 1024).padStart(8)} kB\n`;

describe('how many machines run at the same time', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [16, 8],
  ])('of %i processors by default %i', (processors, jobs) => {
    expect(jobsWith({ processors }, available(90_000))).toEqual({ jobs, said: [] });
    expect(jobsWith({ processors }, undefined)).toEqual({ jobs, said: [] });
  });

  it('by default no more than there is memory for, and one at least', () => {
    expect(jobsWith({ processors: 16 }, available(3 * 1280)).jobs).toBe(3);
    expect(jobsWith({ processors: 16 }, available(3 * 1280 - 1)).jobs).toBe(2);
    expect(jobsWith({ processors: 16 }, available(100))).toEqual({ jobs: 1, said: [] });
  });

  it('is what was asked for, with a warning where the memory is too small', () => {
    expect(jobsWith({ jobs: 5, processors: 1 }, available(5 * 1280))).toEqual({ jobs: 5, said: [] });
    expect(jobsWith({ jobs: 5, processors: 1 }, available(4000))).toEqual({
      jobs: 5,
      said: ['warn 5 machines at once may take 6400 MiB, and 4000 MiB are available'],
    });
    expect(jobsWith({ jobs: 1, processors: 1 }, available(100))).toEqual({ jobs: 1, said: [] });
    expect(jobsWith({ jobs: 5, processors: 1 }, 'MemTotal: 1 kB\n')).toEqual({ jobs: 5, said: [] });
  });
});
