import { median } from './figures.ts';
import { type Emulator, lastRun, type Postgres, query, runProgram, startService } from './stage.ts';

type Deps = { readonly emulator: Emulator; readonly postgres: Postgres };

export interface PushRun {
  readonly changes: number;
  readonly perSecond: number;
  /** Writes sent. */
  readonly writes: number;
}

/** Edits rows here and sends them, the reading of what is overwritten included. */
export async function measurePush(deps: Deps, changes: number): Promise<PushRun> {
  const { emulator, postgres } = deps;
  const database = await postgres.createDatabase();
  try {
    const databaseUrl = database.url;
    await runProgram({ emulator, databaseUrl }, ['backfill', 'person']);
    await query(
      databaseUrl,
      `UPDATE clarify.person SET job_title = 'Pushed'
        WHERE id IN (SELECT id FROM clarify.person ORDER BY id LIMIT $1)`,
      [changes],
    );
    const before = await countWrites(emulator);
    await runProgram({ emulator, databaseUrl }, ['push', 'person']);
    const [row] = await query(
      databaseUrl,
      `SELECT count(*) FILTER (WHERE state <> 'done')::integer AS unsettled,
              extract(epoch FROM max(done_at) - min(sent_at))::float8 AS seconds
         FROM clarify_sync.outbox`,
    );
    if (row?.['unsettled'] !== 0) throw new Error(`${String(row?.['unsettled'])} were not pushed`);
    const writes = (await countWrites(emulator)) - before;
    return { changes, perSecond: changes / Number(row['seconds']), writes };
  } finally {
    await database.drop();
  }
}

async function countWrites(emulator: Emulator): Promise<number> {
  const { endpoints } = await emulator.stats();
  return Object.entries(endpoints)
    .filter(([endpoint]) => !endpoint.startsWith('GET '))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
}

/** Milliseconds from a commit here to its arrival in Clarify, with the service at work. */
export async function measureCommits(deps: Deps, commits: number): Promise<number> {
  const { emulator, postgres } = deps;
  const database = await postgres.createDatabase();
  try {
    const databaseUrl = database.url;
    await runProgram({ emulator, databaseUrl }, ['backfill']);
    await lastRun(databaseUrl, 'backfill');
    const service = await startService(emulator, databaseUrl);
    try {
      const people = await query(databaseUrl, 'SELECT id FROM clarify.person LIMIT $1', [commits]);
      const took: number[] = [];
      for (const { id } of people) {
        const { recordsWritten } = await emulator.stats();
        await query(databaseUrl, `UPDATE clarify.person SET job_title = 'Prompt' WHERE id = $1`, [
          id,
        ]);
        const committedMs = performance.now();
        while ((await emulator.stats()).recordsWritten === recordsWritten) {
          if (performance.now() - committedMs > 60_000) throw new Error('a commit never arrived');
        }
        took.push(performance.now() - committedMs);
      }
      return median(took);
    } finally {
      await service.stop();
    }
  } finally {
    await database.drop();
  }
}
