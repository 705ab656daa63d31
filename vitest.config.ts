import { defineConfig } from 'vitest/config';

/** Conditions are waited for, and on a busy machine a second is not long. */
const patient = { poll: { timeout: 20_000 } };

export default defineConfig({
  test: {
    // Most of them wait, for a lease to end or a pause to pass: by threes it takes a third of the time.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: patient.poll.timeout,
        },
      },
      {
        test: {
          name: 'pg',
          include: ['test/pg/**/*.test.ts'],
          setupFiles: ['test/support/schema-setup.ts'],
          globalSetup: ['test/support/postgres-global.ts'],
          // More than any condition is waited for: a test that is ended from outside does not say by what.
          testTimeout: 60_000,
          expect: patient,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/build-global.ts', 'test/support/postgres-global.ts'],
          testTimeout: 120_000,
          expect: patient,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
