import {
  type ReadDeps,
  type Reading,
  type ReadOptions,
  type ReadResult,
  serverNow,
  startReading,
  walkObject,
  watermarkOf,
} from '../conflicts/read-object.ts';
import { moveCursor } from '../db/cursor.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { EARLIEST_MS, formatInstant, parseInstant, walkStart } from '../domain/walk/instant.ts';

export interface BackfillOptions extends ReadOptions {
  /** Leave out records created before this instant. */
  readonly since?: string | undefined;
  /** Forget how far an earlier attempt came. */
  readonly restart?: boolean | undefined;
}

/**
 * Reads every record of an object, in the order of creation, from where an earlier attempt
 * stopped. Incremental pull takes over from the newest edit there was before the first page, so
 * that nothing falls between.
 *
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function backfillObject(
  deps: ReadDeps,
  table: MirrorTable,
  options: BackfillOptions,
): Promise<ReadResult> {
  const reading = await startReading(deps.db, table.object);
  if (reading.cursor.backfill === null || options.restart) {
    await begin(deps, table, reading, options);
  }
  const { backfill } = reading.cursor;
  const from =
    walkStart(watermarkOf(reading.cursor, 'created'), serverNow(deps)) ?? backfill?.since ?? null;
  await walkObject(deps, table, reading, { ...options, orderBy: 'created', from, probe: false });
  if (reading.state === 'ok') await finish(deps, reading);
  return { state: reading.state, reason: reading.reason, counts: reading.counts };
}

async function begin(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: BackfillOptions,
): Promise<void> {
  const startedAt = new Date(serverNow(deps)).toISOString();
  // Bounded below, so that records without `_updated_at` cannot stand first.
  const newest = await deps.remote.readPage(
    {
      object: table.schema,
      orderBy: 'updated',
      direction: 'desc',
      from: formatInstant(EARLIEST_MS),
      offset: 0,
      limit: 1,
    },
    options,
  );
  reading.counts.requests += 1;
  const newestMs = parseInstant(newest.records[0]?.updatedAt ?? null) ?? EARLIEST_MS;
  // A record stamped in the future must not carry incremental pull past what is edited meanwhile.
  const handover = formatInstant(Math.min(newestMs, Date.parse(startedAt)));
  const { cursor } = reading;
  // Once incremental pull runs, it goes on beside the backfill and keeps its own watermarks.
  const first = cursor.phase === 'backfill';
  reading.cursor = await deps.db.transaction((tx) =>
    moveCursor(tx, cursor, {
      backfill: { startedAt, since: options.since ?? null, createdBefore: null, handover, read: 0 },
      createdWatermark: null,
      // The feed's clock is the records', which `Date` may not show.
      deletedWatermark: first ? handover : cursor.deletedWatermark,
    }),
  );
}

async function finish(deps: ReadDeps, reading: Reading): Promise<void> {
  const { cursor } = reading;
  const handover = cursor.backfill?.handover ?? formatInstant(EARLIEST_MS);
  const first = cursor.phase === 'backfill';
  reading.cursor = await deps.db.transaction((tx) =>
    moveCursor(tx, cursor, {
      phase: 'incremental',
      updatedWatermark: first ? handover : cursor.updatedWatermark,
      backfill: null,
    }),
  );
}
