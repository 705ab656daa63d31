import { cancelEdits } from '../conflicts/cancel-edits.ts';
import { type Cursor, moveCursor } from '../db/cursor.ts';
import type { Database } from '../db/database.ts';
import { writeTombstones } from '../db/departures.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { deleteRows, readVersions } from '../db/mirror-rows.ts';
import type { DeletedRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';

/** The feed's stamps are whole seconds, and a deletion may show late: this much is read again. */
const OVERLAP_MS = 90_000;
/** A stamp cut to the second may lie before an edit made within that second. */
const STAMP_MS = 1_000;
const PAGE_RECORDS = 500;
const MOST_ROUNDS = 4;

export interface DeletionsRead {
  readonly cursor: Cursor;
  /** Rows taken away. */
  readonly removed: number;
  /** `absent` where the server has no feed; `incomplete` where it did not hold still. */
  readonly state: 'ok' | 'absent' | 'incomplete';
}

/**
 * Takes away the rows of records that the deletions feed names, all of a pass in one transaction
 * with the cursor (invariants 6 and 8). Rows that a user holds are left for the next pass, and so
 * is the watermark before them.
 */
export async function pullDeletions(
  deps: { readonly db: Database; readonly remote: Remote },
  table: MirrorTable,
  cursor: Cursor,
  options: CallOptions,
): Promise<DeletionsRead> {
  const watermarkMs = cursor.deletedWatermark === null ? 0 : Date.parse(cursor.deletedWatermark);
  const feed = await readFeed(deps.remote, table, Math.max(0, watermarkMs - OVERLAP_MS), options);
  if (feed === null) return { cursor, removed: 0, state: 'absent' };
  if (feed.deletions.size === 0) {
    return { cursor, removed: 0, state: feed.complete ? 'ok' : 'incomplete' };
  }
  return await deps.db.transaction(
    async (tx) => {
      const versions = await readVersions(tx, table, [...feed.deletions.keys()]);
      // A record edited after its deletion was restored: the feed may go on naming it.
      const due = [...feed.deletions.values()].filter(({ record, deletedAtMs }) => {
        const updatedAt = versions.get(record.id);
        if (updatedAt === undefined) return false;
        return updatedAt === null || Date.parse(updatedAt) <= deletedAtMs + STAMP_MS;
      });
      const ids = due.map(({ record }) => record.id);
      const removed = await deleteRows(tx, table, ids);
      await writeTombstones(
        tx,
        table.object,
        due.filter((d) => removed.has(d.record.id)).map(toTombstone),
      );
      const gone = [...feed.deletions.keys()].filter((id) => !versions.has(id) || removed.has(id));
      await cancelEdits(tx, table.object, gone);
      const held = due.filter(({ record }) => !removed.has(record.id));
      const nextMs = feed.complete ? nextWatermark(feed.deletions.values(), held) : watermarkMs;
      const moved =
        nextMs > watermarkMs
          ? await moveCursor(tx, cursor, { deletedWatermark: new Date(nextMs).toISOString() })
          : cursor;
      const state = feed.complete && held.length === 0 ? 'ok' : 'incomplete';
      return { cursor: moved, removed: removed.size, state };
    },
    { asWriter: true },
  );
}

/**
 * The whole feed since an instant, by id. It is in no particular order and may grow between two
 * pages, so it is read again until a round brings as many as it says there are.
 */
async function readFeed(
  remote: Remote,
  table: MirrorTable,
  sinceMs: number,
  options: CallOptions,
): Promise<{ deletions: ReadonlyMap<string, DeletedRecord>; complete: boolean } | null> {
  const deletions = new Map<string, DeletedRecord>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = deletions.size;
    let total: number | null = null;
    for (let offset = 0, more = true; more; ) {
      const request = { object: table.schema, sinceMs, offset, limit: PAGE_RECORDS };
      const page = await remote.readDeletions(request, options);
      if (page === null) return null;
      for (const deletion of page.deletions) deletions.set(deletion.record.id, deletion);
      offset += page.deletions.length;
      total = page.total;
      more = page.more && page.deletions.length > 0;
    }
    const counted = round === 0 && total === deletions.size;
    const nothingNew = round > 0 && deletions.size === before;
    if (counted || nothingNew) return { deletions, complete: true };
  }
  return { deletions, complete: false };
}

function nextWatermark(seen: Iterable<DeletedRecord>, held: readonly DeletedRecord[]): number {
  if (held.length > 0) return Math.min(...held.map(({ deletedAtMs }) => deletedAtMs));
  let latestMs = 0;
  for (const { deletedAtMs } of seen) latestMs = Math.max(latestMs, deletedAtMs);
  return latestMs;
}

function toTombstone({ record, deletedAtMs }: DeletedRecord) {
  const deletedAt = new Date(deletedAtMs).toISOString();
  return { id: record.id, record: record.fields, reason: 'deleted' as const, deletedAt };
}
