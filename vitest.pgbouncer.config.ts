import { defineConfig } from 'vitest/config';

/** Apart from the others: it needs PgBouncer, which npm does not bring. */
export default defineConfig({
  test: {
    include: ['test/pgbouncer/**/*.test.ts'],
    globalSetup: ['test/support/build-global.ts', 'test/support/postgres-global.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
