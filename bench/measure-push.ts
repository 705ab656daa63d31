import { query } from './postgres.ts';
import { runNode } from './process.ts';
import { environment, PROGRAM, type Stage, withDatabase } from './stage.ts';

export interface PushRun {
  /** From the first change that was claimed to the last that was settled. */
  readonly perSecond: number;
  readonly writes: number;
  /** Every request that reads, those of the start included. */
  readonly reads: number;
  /** Of the program, its start included, and of Postgres, microseconds a change. */
  readonly clientMicros: number;
  readonly databaseMicros: number | null;
}

/**
 * Edits two fields of rows here and sends them, the reading of what is overwritten included.
 *
 * @param main the program; default this one
 */
export async function measurePush(
  stage: Stage,
  changes: number,
  main: string = PROGRAM,
): Promise<PushRun> {
  const { emulator, postgres } = stage;
  return await withDatabase(postgres, async (databaseUrl) => {
    const env = environment(emulator, databaseUrl);
    await runNode([main, 'backfill', 'person', '--json'], env);
    await query(
      databaseUrl,
      `UPDATE clarify.person
          SET job_title = 'Pushed', lifecycle = CASE WHEN lifecycle = 'Lead' THEN 'Customer' ELSE 'Lead' END
        WHERE id IN (SELECT id FROM clarify.person ORDER BY id LIMIT $1)`,
      [changes],
    );
    const before = await countRequests(stage);
    const usedBefore = await postgres.processorMs();
    const { processorMs } = await runNode([main, 'push', 'person', '--json'], env);
    const usedAfter = await postgres.processorMs();
    const after = await countRequests(stage);
    const [row] = await query(
      databaseUrl,
      `SELECT count(*) FILTER (WHERE state <> 'done')::integer AS unsettled,
              extract(epoch FROM max(done_at) - min(sent_at))::float8 AS seconds
         FROM clarify_sync.outbox`,
    );
    if (row?.['unsettled'] !== 0) throw new Error(`${String(row?.['unsettled'])} were not pushed`);
    return {
      perSecond: changes / Number(row['seconds']),
      writes: after.writes - before.writes,
      reads: after.reads - before.reads,
      clientMicros: (processorMs * 1000) / changes,
      databaseMicros:
        usedBefore === null || usedAfter === null
          ? null
          : ((usedAfter - usedBefore) * 1000) / changes,
    };
  });
}

async function countRequests({ emulator }: Stage) {
  const endpoints = Object.entries((await emulator.stats()).endpoints);
  const sum = (isRead: boolean) =>
    endpoints
      .filter(([endpoint]) => endpoint.startsWith('GET ') === isRead)
      .reduce((all, [, { requests }]) => all + requests, 0);
  return { writes: sum(false), reads: sum(true) };
}
