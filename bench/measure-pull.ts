import { type Measured, runBare } from './bare.ts';
import { query } from './postgres.ts';
import { lastRun, runProgram, type Stage, withDatabase } from './stage.ts';

export interface PullComparison {
  readonly perSecond: number;
  readonly bare: Measured;
  /** Of a pull of people that found nothing to do, as the server counted them. */
  readonly idleRequests: number;
  /** Of them those that ask for deletions. */
  readonly idleDeletions: number;
}

const BATCH = 100;

/**
 * Edits people in batches, as a busy workspace does, and pulls the edits; the bare loop copies the
 * same pages into an empty table, where the pull compares, locks and overwrites rows that stand.
 */
export async function measurePull(stage: Stage, changes: number): Promise<PullComparison> {
  const { emulator, postgres } = stage;
  return await withDatabase(postgres, async (databaseUrl) => {
    const pull = () => runProgram(emulator, databaseUrl, ['pull', 'person']);
    await runProgram(emulator, databaseUrl, ['backfill', 'person']);
    await pull();
    const before = await countPeople(stage);
    await pull();
    const after = await countPeople(stage);

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
    const task = { records: changes, column: '_updated_at', from } as const;
    const bare = await runBare(stage, databaseUrl, task);
    await pull();
    const { seconds, counts } = await lastRun(databaseUrl, 'pull');
    if (counts['updated'] !== changes) throw new Error(`${counts['updated']} of ${changes} pulled`);
    return {
      perSecond: changes / seconds,
      bare,
      idleRequests: after.all - before.all,
      idleDeletions: after.deletions - before.deletions,
    };
  });
}

/** Requests about people so far. */
async function countPeople({ emulator }: Stage): Promise<{ all: number; deletions: number }> {
  const { endpoints } = await emulator.stats();
  const count = (part: string) =>
    Object.entries(endpoints)
      .filter(([endpoint]) => endpoint.includes(part))
      .reduce((sum, [, { requests }]) => sum + requests, 0);
  return { all: count('/person/'), deletions: count('/person/deleted-resources') };
}
