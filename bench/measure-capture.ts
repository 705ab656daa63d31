import type { Database } from '../src/db/connection/database.ts';
import { bulkUpdates, openCaptureTable } from './capture-table.ts';
import { median } from './figures.ts';
import type { Postgres } from './postgres.ts';
import { withDatabase } from './stage.ts';

export interface CaptureCost {
  /** What is updated. */
  readonly update: string;
  readonly withoutMs: number;
  readonly withMs: number;
  /** Time with capture to time without. */
  readonly times: number;
  /** Likewise of Postgres' processor time; null where nobody tells. */
  readonly processorTimes: number | null;
}

/** What capture costs bulk updates: the same statement with and without triggers, in turn. */
export async function measureCapture(
  postgres: Postgres,
  { rows, rounds }: { readonly rows: number; readonly rounds: number },
  onCost: (cost: CaptureCost) => void,
): Promise<void> {
  await withDatabase(postgres, async (databaseUrl) => {
    const db = await openCaptureTable(databaseUrl, rows);
    try {
      for (const [update, set] of bulkUpdates()) {
        const without: Timed[] = [];
        const captured: Timed[] = [];
        for (let round = 0; round < rounds; round += 1) {
          without.push(await timeUpdate(db, postgres, { set, capture: false }));
          captured.push(await timeUpdate(db, postgres, { set, capture: true }));
        }
        const withoutMs = median(without.map(({ ms }) => ms));
        const withMs = median(captured.map(({ ms }) => ms));
        const processor = (timed: readonly Timed[]) => median(timed.map((one) => one.processorMs));
        const processorTimes = processor(captured) / processor(without);
        onCost({
          update,
          withoutMs,
          withMs,
          times: withMs / withoutMs,
          processorTimes: Number.isFinite(processorTimes) ? processorTimes : null,
        });
      }
    } finally {
      await db.close();
    }
  });
}

interface Timed {
  readonly ms: number;
  /** NaN where nobody tells. */
  readonly processorMs: number;
}

async function timeUpdate(
  db: Database,
  postgres: Postgres,
  { set, capture }: { readonly set: string; readonly capture: boolean },
): Promise<Timed> {
  await db.query(`ALTER TABLE clarify.deal ${capture ? 'ENABLE' : 'DISABLE'} TRIGGER USER`);
  await db.query('TRUNCATE clarify_sync.outbox');
  await db.query('VACUUM clarify.deal');
  await db.query('CHECKPOINT');
  const usedMs = await postgres.processorMs();
  const startedMs = performance.now();
  await db.query(`UPDATE clarify.deal SET ${set}`);
  const ms = performance.now() - startedMs;
  const usedAfterMs = await postgres.processorMs();
  const processorMs = usedMs === null || usedAfterMs === null ? NaN : usedAfterMs - usedMs;
  return { ms, processorMs };
}
