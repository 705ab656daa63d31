import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { percentile } from './figures.ts';
import { query } from './postgres.ts';
import { runNode } from './process.ts';
import {
  environment,
  PROGRAM,
  type Stage,
  startService,
  waitUntil,
  withDatabase,
} from './stage.ts';

export interface Pace {
  readonly perSecond: number;
  readonly commits: number;
  /** Rows changed by one statement, and sent, right before the first commit. */
  readonly afterRows?: number;
}

export interface CommitRun {
  readonly commits: number;
  /** Milliseconds from a commit here to its arrival in Clarify. */
  readonly medianMs: number;
  readonly worst1PercentMs: number;
}

/** Enough that no commit waits for another one's. */
const CONNECTIONS = 8;
const SETTLE_MS = 60_000;
const BULK_SETTLE_MS = 300_000;

/**
 * Commits edits at a steady pace, each of another row, with the service at work. When one has
 * arrived is what the server stamps it with: it runs on this machine, and so by the same clock.
 */
export async function measureCommits(
  { emulator, postgres }: Stage,
  paces: readonly Pace[],
  program = PROGRAM,
): Promise<readonly CommitRun[]> {
  return await withDatabase(postgres, async (databaseUrl) => {
    await runNode([program, 'backfill', '--json'], environment(emulator, databaseUrl));
    const service = await startService(emulator, databaseUrl, program);
    const pool = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS });
    try {
      // A service that leads may still be starting: what is measured is one at work.
      await query(
        databaseUrl,
        `UPDATE clarify.person SET job_title = 'First' WHERE id = (SELECT max(id) FROM clarify.person)`,
      );
      await readArrivals(databaseUrl, []);
      const runs: CommitRun[] = [];
      for (const [index, { perSecond, commits, afterRows = 0 }] of paces.entries()) {
        if (afterRows > 0) await changeInBulk(databaseUrl, afterRows);
        // A stretch of people for each pace: two edits of a row in one write would count as one.
        const people = await query(
          databaseUrl,
          'SELECT id FROM clarify.person ORDER BY id OFFSET $1 LIMIT $2',
          [paces.slice(0, index).reduce((sum, pace) => sum + pace.commits, 0), commits],
        );
        const ids = people.map(({ id }) => String(id));
        const committedAtMs = await commitSteadily(pool, ids, perSecond);
        const arrivedAtMs = await readArrivals(databaseUrl, ids);
        const took = ids.map((id) => (arrivedAtMs.get(id) ?? NaN) - (committedAtMs.get(id) ?? NaN));
        runs.push({
          commits,
          medianMs: percentile(took, 0.5),
          worst1PercentMs: percentile(took, 0.99),
        });
      }
      return runs;
    } finally {
      await pool.end();
      await service.stop();
    }
  });
}

/** The last rows by id: none of those that are committed one by one. */
async function changeInBulk(databaseUrl: string, rows: number): Promise<void> {
  await query(
    databaseUrl,
    `UPDATE clarify.person SET job_title = 'In bulk'
      WHERE id IN (SELECT id FROM clarify.person ORDER BY id DESC LIMIT $1)`,
    [rows],
  );
  await readArrivals(databaseUrl, [], BULK_SETTLE_MS);
}

/** One edit each, begun at its time whether or not those before are through. */
async function commitSteadily(
  pool: pg.Pool,
  ids: readonly string[],
  perSecond: number,
): Promise<ReadonlyMap<string, number>> {
  const committedAtMs = new Map<string, number>();
  const startedMs = performance.now();
  const commits = ids.map(async (id, index) => {
    await sleep((index * 1000) / perSecond);
    await pool.query(`UPDATE clarify.person SET job_title = 'Prompt' WHERE id = $1`, [id]);
    committedAtMs.set(id, Date.now());
  });
  await Promise.all(commits);
  const neededMs = ((ids.length - 1) * 1000) / perSecond;
  const tookMs = performance.now() - startedMs;
  if (tookMs > neededMs * 1.2 + 1_000) {
    throw new Error(`commits took ${Math.round(tookMs)} ms, where their pace gives ${neededMs} ms`);
  }
  return committedAtMs;
}

async function readArrivals(
  databaseUrl: string,
  ids: readonly string[],
  limitMs = SETTLE_MS,
): Promise<ReadonlyMap<string, number>> {
  await waitUntil('every commit is settled', limitMs, async () => {
    const [row] = await query(
      databaseUrl,
      `SELECT count(*)::integer AS waiting FROM clarify_sync.outbox WHERE state <> 'done'`,
    );
    return row?.['waiting'] === 0;
  });
  const rows = await query(
    databaseUrl,
    `SELECT id, job_title, extract(epoch FROM _updated_at)::float8 * 1000 AS "atMs"
       FROM clarify.person WHERE id = ANY($1::text[])`,
    [ids],
  );
  return new Map(rows.map(({ id, atMs }) => [String(id), Number(atMs)]));
}
