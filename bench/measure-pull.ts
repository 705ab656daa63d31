import { runBare } from './bare.ts';
import { type Emulator, lastRun, type Postgres, query, runProgram } from './stage.ts';

export interface PullComparison {
  readonly changes: number;
  readonly perSecond: number;
  readonly barePerSecond: number;
  readonly ratio: number;
  /** Of a pull that found nothing to do. */
  readonly idleRequests: number;
}

const BATCH = 100;

/**
 * Edits people in batches, as a busy workspace does, and pulls the edits; the bare loop copies the
 * same pages into an empty table, where the pull compares, locks and overwrites rows that stand.
 */
export async function measurePull(
  deps: { readonly emulator: Emulator; readonly postgres: Postgres },
  changes: number,
): Promise<PullComparison> {
  const { emulator, postgres } = deps;
  const database = await postgres.createDatabase();
  try {
    const databaseUrl = database.url;
    const pull = () => runProgram({ emulator, databaseUrl }, ['pull', 'person']);
    await runProgram({ emulator, databaseUrl }, ['backfill', 'person']);
    await pull();
    const idle = await lastRun(databaseUrl, 'pull');

    const people = await query(databaseUrl, 'SELECT id FROM clarify.person ORDER BY id LIMIT $1', [
      changes,
    ]);
    const startMs = Date.now();
    for (let first = 0; first < people.length; first += BATCH) {
      const ids = people.slice(first, first + BATCH).map(({ id }) => id);
      const at = startMs + Math.floor(first / BATCH);
      await emulator.act('bulk-touch', { object: 'person', ids, at });
    }
    const from = new Date(startMs).toISOString();
    const bare = await runBare(emulator, databaseUrl, {
      records: changes,
      column: '_updated_at',
      from,
    });
    await pull();
    const { seconds, counts } = await lastRun(databaseUrl, 'pull');
    if (counts['updated'] !== changes) throw new Error(`${counts['updated']} of ${changes} pulled`);
    const perSecond = changes / seconds;
    return {
      changes,
      perSecond,
      barePerSecond: bare.perSecond,
      ratio: perSecond / bare.perSecond,
      idleRequests: idle.counts['requests'] ?? Number.NaN,
    };
  } finally {
    await database.drop();
  }
}
