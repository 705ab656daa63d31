import { serverNow } from '../conflicts/clocks.ts';
import {
  type ReadDeps,
  type Reading,
  type ReadOptions,
  type ReadResult,
  startReading,
  walkObject,
  watermarkOf,
} from '../conflicts/read-object.ts';
import { retryAside } from '../conflicts/retry-aside.ts';
import type { Turns } from '../conflicts/turns.ts';
import { type Cursor, loadCursor } from '../db/cursor.ts';
import { rewriteReferences } from '../db/identities.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type Watermark, walkStart } from '../domain/walk/instant.ts';
import { pullDeletions } from './pull-deletions.ts';

export interface PullDeps extends ReadDeps {
  readonly turns: Turns;
}

/**
 * Brings one object's mirror up to date: what changed since the last time, then what was deleted
 * (invariants 1, 6 and 8). The object has been backfilled. Takes turns with whoever else reads it.
 *
 * @throws RemoteError
 */
export async function pullObject(
  deps: PullDeps,
  table: MirrorTable,
  options: ReadOptions,
): Promise<ReadResult> {
  const reading = await startReading(deps.db, table.object);
  await inTurn(deps, reading, options, async () => {
    await retryAside(deps, table, reading, options);
    await readChanges(deps, table, reading, options);
  });
  // What a user held when another record got its id, and what shows a link that is in flight.
  await deps.db.transaction((tx) => rewriteReferences(tx, [table]), { asWriter: true });
  const { state, reason } = reading;
  const feed = await inTurn(deps, reading, options, () =>
    pullDeletions(deps, table, reading.cursor, options),
  );
  const { counts } = reading;
  counts.requests += feed.requests;
  counts.removed += feed.removed;
  counts.setAside += feed.setAside;
  if (state === 'ok' && feed.state === 'incomplete') {
    return { state: 'incomplete', reason: 'deletions-unsettled', counts };
  }
  return { state, reason, counts };
}

/**
 * What changed alone, without deletions: what a push takes in before it overwrites anything.
 *
 * @param after what an earlier call came to, within the same push: only what was stamped since is
 *   read, and no watermark moves; what shows late is for the next pull.
 * @returns how far it came, to be handed in again; null where the next call begins anew.
 */
export async function pullChanges(
  deps: PullDeps,
  table: MirrorTable,
  { after, ...options }: ReadOptions & { readonly after: string | null },
): Promise<string | null> {
  const reading = await startReading(deps.db, table.object);
  return await inTurn(deps, reading, options, async () => {
    // What came in while a field was in flight has to be merged before the field goes out again.
    await retryAside(deps, table, reading, options);
    if (after !== null) {
      const since = { orderBy: 'updated', from: after, probe: true, passing: true } as const;
      return (await walkObject(deps, table, reading, { ...options, ...since })) ?? after;
    }
    const { phase, backfill } = reading.cursor;
    if (phase === 'backfill' && backfill === null) return null;
    await readChanges(deps, table, reading, options);
    return reading.state === 'ok' ? reading.cursor.updatedWatermark : null;
  });
}

/** Runs `read` with the cursor as it stands once nobody else moves it. */
async function inTurn<T>(
  deps: PullDeps,
  reading: Reading,
  { signal }: ReadOptions,
  read: () => Promise<T>,
): Promise<T> {
  const { object } = reading.cursor;
  return await deps.turns.take(object, signal, async () => {
    reading.cursor = await loadCursor(deps.db, object);
    reading.state = 'ok';
    reading.reason = null;
    return await read();
  });
}

async function readChanges(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  const nowMs = serverNow(deps);
  const from = walkStart(updatedBefore(reading.cursor), nowMs);
  await walkObject(deps, table, reading, { ...options, orderBy: 'updated', from, probe: true });
  const { phase, stamping } = reading.cursor;
  if (stamping === 'always' || phase === 'backfill') return;
  // Records without `_updated_at` match no filter on it: new ones are found by their creation.
  const createdFrom = walkStart(watermarkOf(reading.cursor, 'created'), nowMs);
  const byCreation = { orderBy: 'created', from: createdFrom, probe: true } as const;
  await walkObject(deps, table, reading, { ...options, ...byCreation });
}

/** A first read under way has seen, or will see, everything up to the newest edit at its start. */
function updatedBefore(cursor: Cursor): Watermark | null {
  const watermark = watermarkOf(cursor, 'updated');
  if (watermark !== null || cursor.backfill === null) return watermark;
  const { handover, startedAt } = cursor.backfill;
  return { at: handover, movedAtMs: Date.parse(startedAt), confirmed: false };
}
