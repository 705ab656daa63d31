import { runBare } from './bare.ts';
import { type BackfillRun, runBackfill } from './measure-backfill.ts';
import { type Postgres, runProgram, startEmulator } from './stage.ts';

export interface GrowthPoint extends BackfillRun {
  readonly barePerSecond: number;
}

/** One backfill, and the bare loop beside it, of a workspace of this size and latency. */
export async function measurePoint(
  postgres: Postgres,
  people: number,
  latencyMs: number,
): Promise<GrowthPoint> {
  const emulator = await startEmulator(people, latencyMs);
  try {
    const database = await postgres.createDatabase();
    try {
      const all = { records: people, column: '_created_at', from: null } as const;
      await runProgram({ emulator, databaseUrl: database.url }, ['backfill', 'c_project']);
      const bare = await runBare(emulator, database.url, all);
      const run = await runBackfill(emulator, database.url, people);
      return { ...run, barePerSecond: bare.perSecond };
    } finally {
      await database.drop();
    }
  } finally {
    await emulator.stop();
  }
}
