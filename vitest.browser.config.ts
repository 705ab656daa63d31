import { defineConfig } from 'vitest/config';

/** Apart from the others: it needs a browser, which npm does not bring. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/support/postgres-global.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
