import { cancelEdits } from '../conflicts/cancel-edits.ts';
import { serverNow } from '../conflicts/clocks.ts';
import { carryOver, readMerged } from '../conflicts/follow-merges.ts';
import { applyContext, instantOf, type ReadDeps, type Reading } from '../conflicts/read-object.ts';
import { removeRows } from '../conflicts/remove-rows.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type Cursor, moveCursor } from '../db/position/cursor.ts';
import { markTombstonesDeleted } from '../db/reconcile/merges.ts';
import { markDeletionsAbsent, markDeletionsRead } from '../db/reconcile/state.ts';
import { readVersions } from '../db/rows/mirror-rows.ts';
import type { DeletedRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import {
  acceptDeletions,
  deletionsSince,
  nextDeletionsRequest,
  startDeletions,
} from '../domain/walk/deletions.ts';
import { readMergedAway } from './merged-away.ts';

/** A stamp cut to the second may lie before an edit made within that second. */
const STAMP_MS = 1_000;
const PAGE_RECORDS = 500;

export interface DeletionsRead {
  readonly cursor: Cursor;
  /** Rows taken away. */
  readonly removed: number;
  /** Rows that something keeps. */
  readonly setAside: number;
  readonly requests: number;
  /** `absent` where the server has no feed; `incomplete` where it did not hold still. */
  readonly state: 'ok' | 'absent' | 'incomplete';
}

/**
 * Takes away the rows of records that the deletions feed names, all of a pass in one transaction
 * with the cursor (invariants 6 and 8). Rows that a user holds are left for the next pass, and so
 * is the watermark before them; those that something else keeps are put aside, and hold up nothing.
 */
export async function pullDeletions(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: CallOptions,
): Promise<DeletionsRead> {
  const { object } = table;
  const { cursor } = reading;
  if (cursor.feedIsMissing)
    return { cursor, removed: 0, setAside: 0, requests: 0, state: 'absent' };
  const startedAt = await instantOf(deps, reading);
  const watermarkMs = cursor.deletedWatermark === null ? 0 : Date.parse(cursor.deletedWatermark);
  const feed = await readFeed(deps, table, watermarkMs, options);
  if (feed === null) {
    await markDeletionsAbsent(deps.db, object);
    return { cursor, removed: 0, setAside: 0, requests: 1, state: 'absent' };
  }
  const away = await readMergedAway(deps, table, feed.deletions, options);
  const deletions = new Map(feed.deletions);
  for (const one of away.gone) deletions.set(one.record.id, one);
  if (deletions.size === 0) {
    const isNews = feed.watermarkMs !== null && !cursor.deletionsNoted;
    if (isNews) await markDeletionsRead(deps.db, object, startedAt);
    const state = feed.watermarkMs === null ? 'incomplete' : 'ok';
    return { cursor, removed: 0, setAside: 0, requests: feed.requests, state };
  }
  const merged = await readMerged(deps, table, [...deletions.keys()], options);
  const requests = feed.requests + away.requests + merged.requests;
  return await deps.db.transaction(
    async (tx) => {
      const carried = await carryOver(tx, table, merged, applyContext(deps, table, startedAt));
      const versions = await readVersions(tx, table, [...deletions.keys()]);
      // A record edited after its deletion was restored: the feed may go on naming it.
      const due = [...deletions.values()].filter(({ record, deletedAtMs }) => {
        const updatedAt = versions.get(record.id);
        if (updatedAt === undefined || merged.ids.has(record.id)) return false;
        return updatedAt === null || Date.parse(updatedAt) <= deletedAtMs + STAMP_MS;
      });
      const { removed, setAside } = await removeRows(tx, table, due.map(toTombstone), {
        readAt: startedAt,
      });
      await markTombstonesDeleted(tx, object, [...deletions.values()].map(toTombstone));
      const isGone = (id: string) => removed.has(id) || setAside.has(id);
      const gone = [...deletions.keys()].filter((id) => !versions.has(id) || isGone(id));
      await cancelEdits(tx, object, gone);
      const held = due.filter(({ record }) => !isGone(record.id));
      const heldMs = Math.min(...held.map(({ deletedAtMs }) => deletedAtMs));
      const nextMs = Math.min(feed.watermarkMs ?? watermarkMs, heldMs);
      const moved =
        nextMs > watermarkMs
          ? await moveCursor(tx, cursor, { deletedWatermark: new Date(nextMs).toISOString() })
          : cursor;
      if (feed.watermarkMs !== null) await markDeletionsRead(tx, object, startedAt);
      const isWhole = feed.watermarkMs !== null && held.length === 0;
      const state = isWhole ? 'ok' : 'incomplete';
      return {
        cursor: moved,
        removed: removed.size + carried.merged,
        setAside: setAside.size + carried.setAside,
        requests,
        state,
      };
    },
    { asWriter: true },
  );
}

/** The whole feed since the watermark, by id; null where the server has none. */
async function readFeed(
  deps: { readonly remote: Remote; readonly nowMs: () => number },
  table: MirrorTable,
  watermarkMs: number,
  options: CallOptions,
): Promise<{
  readonly deletions: ReadonlyMap<string, DeletedRecord>;
  readonly requests: number;
  /** Null where the feed did not hold still. */
  readonly watermarkMs: number | null;
} | null> {
  const { remote } = deps;
  const startedAtMs = serverNow(deps);
  const sinceMs = deletionsSince(watermarkMs, startedAtMs);
  const deletions = new Map<string, DeletedRecord>();
  let state = startDeletions({ sinceMs, limit: PAGE_RECORDS, startedAtMs });
  let requests = 0;
  let readMs: number | null = null;
  for (let request = nextDeletionsRequest(state); request; request = nextDeletionsRequest(state)) {
    const page = await remote.readDeletions?.({ object: table.schema, ...request }, options);
    if (page == null) return null;
    requests += 1;
    const step = acceptDeletions(state, {
      deletions: page.deletions.map(({ record, deletedAtMs }) => ({ id: record.id, deletedAtMs })),
      more: page.more,
    });
    state = step.state;
    readMs = step.watermarkMs;
    for (const index of step.accepted) {
      const deletion = page.deletions[index];
      const known = deletion && deletions.get(deletion.record.id);
      // A record restored and deleted again stands there twice: the later deletion counts.
      if (deletion && (!known || known.deletedAtMs < deletion.deletedAtMs)) {
        deletions.set(deletion.record.id, deletion);
      }
    }
  }
  return { deletions, requests, watermarkMs: readMs };
}

function toTombstone({ record, deletedAtMs }: DeletedRecord) {
  const deletedAt = new Date(deletedAtMs).toISOString();
  return { id: record.id, record: record.fields, reason: 'deleted' as const, deletedAt };
}
