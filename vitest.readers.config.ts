import { defineConfig } from 'vitest/config';

/** Apart from the others: it installs what other people read and write the tables with. */
export default defineConfig({
  test: {
    include: ['test/readers/**/*.test.ts'],
    globalSetup: ['test/readers/tools-global.ts', 'test/support/postgres-global.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
