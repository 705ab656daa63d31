import { defineConfig } from 'vitest/config';

/** Apart from the others: it installs other people's clients of each API. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
