import { applyRead } from '../conflicts/apply-read.ts';
import { cancelEdits } from '../conflicts/cancel-edits.ts';
import { carryOver } from '../conflicts/follow-merges.ts';
import { applyContext } from '../conflicts/read-object.ts';
import { removeRows } from '../conflicts/remove-rows.ts';
import type { Transaction } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readRows } from '../db/reconcile/rows.ts';
import { lockRows } from '../db/rows/mirror-rows.ts';
import type { Confirmed } from './confirm.ts';
import type { Pass } from './pass.ts';

/** Rows held in memory at a time. */
const AT_ONCE = 1_000;

export interface Removal {
  /** Database time from before the records were asked for. */
  readonly askedAt: string;
  /** What an absence means: without a word of the feed, that is all that is known. */
  readonly reason: 'deleted' | 'not_visible' | 'archived';
  /** Whether rows that are gone may go. */
  readonly mayRemove: boolean;
}

/**
 * Carries out what was confirmed, all tombstones of the pass in one transaction. Rows that a user
 * holds, and those written since the records were asked for, are left to the next comparison.
 */
export async function takeAway(pass: Pass, found: Confirmed, removal: Removal): Promise<void> {
  const { deps, table, counts } = pass;
  const context = applyContext(deps, table, removal.askedAt);
  const gone = removal.mayRemove ? found.gone : [];
  const outcome = await deps.db.transaction(
    async (tx) => {
      const applied = await applyRead(tx, table, found.alive, context);
      const carried = await carryOver(tx, table, found, context);
      const removed = { deleted: 0, setAside: 0, conflicts: 0 };
      for (let from = 0; from < gone.length; from += AT_ONCE) {
        const part = await removeGone(tx, table, gone.slice(from, from + AT_ONCE), removal);
        removed.deleted += part.deleted;
        removed.setAside += part.setAside;
        removed.conflicts += part.conflicts;
      }
      return { applied, carried, removed };
    },
    { asWriter: true },
  );
  const { applied, carried, removed } = outcome;
  counts.missing += applied.inserted;
  counts.differed += applied.updated;
  counts.merged += applied.merged + carried.merged;
  counts.deleted += removed.deleted;
  const left = gone.length - removed.deleted - removed.setAside;
  counts.deferred += applied.deferred + carried.deferred + left;
  counts.setAside += applied.setAside + carried.setAside + removed.setAside;
  counts.conflicts += applied.conflicts + carried.conflicts + removed.conflicts;
}

/** @returns how many are gone now, those included whose row was gone before. */
async function removeGone(
  tx: Transaction,
  table: MirrorTable,
  ids: readonly string[],
  { askedAt, reason }: Removal,
): Promise<{ readonly deleted: number; readonly setAside: number; readonly conflicts: number }> {
  // Locked before they are read, so that none is written anew in between.
  const locked = await lockRows(tx, table, ids.toSorted());
  const rows = await readRows(tx, table, ids);
  const askedAtMs = Date.parse(askedAt);
  const standing = new Map(rows.map((row) => [row.id, Date.parse(row.syncedAt ?? '')]));
  const isOlder = (id: string) => locked.has(id) && !((standing.get(id) ?? 0) > askedAtMs);
  const due = rows.filter(({ id }) => isOlder(id));
  const { removed, setAside } = await removeRows(
    tx,
    table,
    due.map(({ id, fields }) => ({ id, record: fields, reason, deletedAt: null })),
    { readAt: askedAt },
  );
  const absent = ids.filter((id) => removed.has(id) || !standing.has(id));
  const { conflicts } = await cancelEdits(tx, table.object, [...absent, ...setAside]);
  return { deleted: absent.length, setAside: setAside.size, conflicts };
}
