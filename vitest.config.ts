import { availableParallelism, totalmem } from 'node:os';
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * System tests that take longest, so that none of them is what everybody waits for at the end. The last takes images of the
 * second, fourth and fifth (test/support/built-images.ts).
 */
const LONGEST = [
  ...['scenarios', 'architectures', 'example-sites', 'rpm-boot', 'kernels', 'cluster'],
  ...['boot-matrix', 'first-cluster', 'whole-path', 'mixed-lab'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.indexOf(basename(moduleId, '.test.ts'));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

/**
 * Test files that boot machines at the same time. A file has up to four machines, of 1 GiB each; with more files than processors guests
 * run into the limits of their own systemd.
 */
const LABS = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / (6 * 1024 ** 3))));

/**
 * Test projects, fastest first. `unit` needs nothing but Node; `judges` compares with independent tools on
 * real roots; `system` builds, packs and boots. `on-demand` takes an hour or more: every scenario, further roots.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      // A test takes milliseconds; the limit is for machines that have other things to do.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'judges',
          include: ['test/judges/**/*.test.ts'],
          globalSetup: ['test/support/judge-roots.setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 1_200_000,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/support/judge-roots.setup.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          maxWorkers: LABS,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'on-demand',
          include: ['test/on-demand/**/*.test.ts'],
          globalSetup: ['test/support/judge-roots.setup.ts'],
          testTimeout: 10_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
