import { defineConfig } from 'vitest/config';

/** Apart from the others: it needs a JDK and Maven, which npm does not bring. */
export default defineConfig({
  test: {
    include: ['test/cdc/**/*.test.ts'],
    globalSetup: ['test/support/build-global.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
