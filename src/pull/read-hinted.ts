import { applyRead } from '../conflicts/apply-read.ts';
import {
  addApplied,
  contextOf,
  type ReadDeps,
  type ReadOptions,
  type ReadResult,
  refuseAll,
  startReading,
} from '../conflicts/read-object.ts';
import { readRecords } from '../conflicts/read-records.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { loadCursor, readDatabaseTime } from '../db/position/cursor.ts';
import { type DueHint, endHints, putOffHints } from '../db/position/hints.ts';

/**
 * Reads records anew that somebody has told of, together, and applies them in one transaction with
 * the end of their hints: those whose change is certain to show by now, and that were not told again
 * meanwhile. The others are read once more in their time. Who is not there any more is left to what
 * proves that (invariant 6).
 *
 * @throws RemoteError
 */
export async function readHinted(
  deps: ReadDeps,
  table: MirrorTable,
  hints: readonly DueHint[],
  options: ReadOptions,
): Promise<ReadResult> {
  const { object } = table;
  const reading = startReading(await loadCursor(deps.db, object));
  const readAt = await readDatabaseTime(deps.db);
  const ids = hints.map(({ id }) => id);
  const records = await readRecords(deps.remote, { object: table.schema, ids }, options);
  reading.counts.requests += 1;
  reading.counts.read += records.length;
  const context = await contextOf(deps, table, { records, readAt }, options);
  const applied = await deps.db.transaction(
    async (tx) => {
      // First: what turns out to be in doubt gets hints of its own.
      await endHints(
        tx,
        object,
        hints.filter(({ certain }) => certain),
      );
      await putOffHints(
        tx,
        object,
        hints.filter(({ certain }) => !certain),
      );
      const done = await applyRead(tx, table, records, context);
      refuseAll(table, done);
      return done;
    },
    { asWriter: true },
  );
  addApplied(reading, applied);
  const { state, reason, counts } = reading;
  return { state, reason, counts };
}
