import { query } from './postgres.ts';
import { runProgram, type Stage, withDatabase } from './stage.ts';

export interface PushRun {
  readonly perSecond: number;
  /** Writes sent. */
  readonly writes: number;
  /** Of the program, its start included, and of Postgres, microseconds a change. */
  readonly clientMicros: number;
  readonly databaseMicros: number | null;
}

/** Edits rows here and sends them, the reading of what is overwritten included. */
export async function measurePush(stage: Stage, changes: number): Promise<PushRun> {
  const { emulator, postgres } = stage;
  return await withDatabase(postgres, async (databaseUrl) => {
    await runProgram(emulator, databaseUrl, ['backfill', 'person']);
    await query(
      databaseUrl,
      `UPDATE clarify.person SET job_title = 'Pushed'
        WHERE id IN (SELECT id FROM clarify.person ORDER BY id LIMIT $1)`,
      [changes],
    );
    const before = await countWrites(stage);
    const usedBefore = await postgres.processorMs();
    const { processorMs } = await runProgram(emulator, databaseUrl, ['push', 'person']);
    const usedAfter = await postgres.processorMs();
    const [row] = await query(
      databaseUrl,
      `SELECT count(*) FILTER (WHERE state <> 'done')::integer AS unsettled,
              extract(epoch FROM max(done_at) - min(sent_at))::float8 AS seconds
         FROM clarify_sync.outbox`,
    );
    if (row?.['unsettled'] !== 0) throw new Error(`${String(row?.['unsettled'])} were not pushed`);
    return {
      perSecond: changes / Number(row['seconds']),
      writes: (await countWrites(stage)) - before,
      clientMicros: (processorMs * 1000) / changes,
      databaseMicros:
        usedBefore === null || usedAfter === null
          ? null
          : ((usedAfter - usedBefore) * 1000) / changes,
    };
  });
}

async function countWrites({ emulator }: Stage): Promise<number> {
  const { endpoints } = await emulator.stats();
  return Object.entries(endpoints)
    .filter(([endpoint]) => !endpoint.startsWith('GET '))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
}
