import { defineConfig } from 'vitest/config';

/**
 * Test projects, fastest first. `unit` needs nothing but Node; `judges` compares with independent tools on
 * real roots; `system` builds, packs and boots.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
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
    ],
  },
});
