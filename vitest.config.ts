import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take images which others build (test/support/built-images.ts) come after them. */
class BuildersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const takes = ({ moduleId }: TestSpecification) =>
      readFileSync(moduleId, 'utf8').includes('takeImage(') ? 1 : 0;
    return (await super.sort(files)).sort((a, b) => takes(a) - takes(b));
  }
}

/**
 * Test projects, fastest first. `unit` needs nothing but Node; `judges` compares with independent tools on
 * real roots; `system` builds, packs and boots. `on-demand` takes an hour or more: every scenario, further roots.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: BuildersFirst },
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
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/support/judge-roots.setup.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
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
