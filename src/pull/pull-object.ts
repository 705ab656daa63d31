import {
  applyDeferred,
  type ReadDeps,
  type Reading,
  type ReadOptions,
  type ReadResult,
  serverNow,
  startReading,
  walkObject,
  watermarkOf,
} from '../conflicts/read-object.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { walkStart } from '../domain/walk/instant.ts';
import { pullDeletions } from './pull-deletions.ts';

/**
 * Brings one object's mirror up to date: what changed since the last time, then what was deleted
 * (invariants 1, 6 and 8). The object has been backfilled.
 *
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function pullObject(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReadOptions,
): Promise<ReadResult> {
  const reading = await startReading(deps.db, table.object);
  await applyDeferred(deps, table, reading);
  await readChanges(deps, table, reading, options);
  const feed = await pullDeletions(deps, table, reading.cursor, options);
  reading.counts.requests += feed.requests;
  reading.counts.removed += feed.removed;
  const { counts } = reading;
  if (reading.state === 'ok' && feed.state === 'incomplete') {
    return { state: 'incomplete', reason: 'deletions-unsettled', counts };
  }
  return { state: reading.state, reason: reading.reason, counts };
}

/** What changed alone, without deletions: what a push takes in before it overwrites anything. */
export async function pullChanges(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReadOptions,
): Promise<void> {
  const reading = await startReading(deps.db, table.object);
  if (reading.cursor.phase !== 'incremental') return;
  // What came in while a field was in flight has to be merged before the field goes out again.
  await applyDeferred(deps, table, reading);
  await readChanges(deps, table, reading, options);
}

async function readChanges(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  const nowMs = serverNow(deps);
  const from = walkStart(watermarkOf(reading.cursor, 'updated'), nowMs);
  await walkObject(deps, table, reading, { ...options, orderBy: 'updated', from, probe: true });
  if (reading.cursor.stamping === 'always') return;
  // Records without `_updated_at` match no filter on it: new ones are found by their creation.
  const createdFrom = walkStart(watermarkOf(reading.cursor, 'created'), nowMs);
  const byCreation = { orderBy: 'created', from: createdFrom, probe: true } as const;
  await walkObject(deps, table, reading, { ...options, ...byCreation });
}
