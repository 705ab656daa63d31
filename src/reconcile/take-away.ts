import { applyRead } from '../conflicts/apply-read.ts';
import { cancelEdits } from '../conflicts/cancel-edits.ts';
import { carryOver } from '../conflicts/follow-merges.ts';
import { applyContext } from '../conflicts/read-object.ts';
import { writeTombstones } from '../db/departures.ts';
import { deleteRows } from '../db/mirror-rows.ts';
import { readRows } from '../db/reconcile-rows.ts';
import type { Confirmed } from './confirm.ts';
import type { Pass } from './pass.ts';

export interface Removal {
  /** Database time from before the records were asked for. */
  readonly askedAt: string;
  /** What an absence means: without a word of the feed, that is all that is known. */
  readonly reason: 'deleted' | 'not_visible';
  /** Whether rows that are gone may go. */
  readonly mayRemove: boolean;
}

/**
 * Carries out what was confirmed, all tombstones of the pass in one transaction. Rows that a user
 * holds, and those written since the records were asked for, are left to the next comparison.
 */
export async function takeAway(pass: Pass, found: Confirmed, removal: Removal): Promise<void> {
  const { deps, table, counts } = pass;
  const { object } = table;
  const context = applyContext(deps, table, removal.askedAt);
  const gone = removal.mayRemove ? found.gone : [];
  const outcome = await deps.db.transaction(
    async (tx) => {
      const applied = await applyRead(tx, table, found.alive, context);
      const carried = await carryOver(tx, table, found, context);
      const rows = await readRows(tx, table, gone);
      const askedAtMs = Date.parse(removal.askedAt);
      const changed = new Set(
        rows.filter((r) => Date.parse(r.syncedAt ?? '') > askedAtMs).map(({ id }) => id),
      );
      const due = gone.filter((id) => !changed.has(id));
      const deleted = await deleteRows(tx, table, due);
      const tombstones = rows.filter(({ id }) => deleted.has(id));
      await writeTombstones(
        tx,
        object,
        tombstones.map(({ id, fields }) => {
          return { id, record: fields, reason: removal.reason, deletedAt: null };
        }),
      );
      const standing = new Set(rows.map(({ id }) => id));
      const absent = due.filter((id) => deleted.has(id) || !standing.has(id));
      const { conflicts } = await cancelEdits(tx, object, absent);
      return { applied, carried, deleted: deleted.size, absent: absent.length, conflicts };
    },
    { asWriter: true },
  );
  const { applied, carried } = outcome;
  counts.missing += applied.inserted;
  counts.differed += applied.updated;
  counts.merged += applied.merged + carried.merged;
  counts.deleted += outcome.absent;
  counts.deferred += applied.deferred + carried.deferred + gone.length - outcome.absent;
  counts.conflicts += applied.conflicts + carried.conflicts + outcome.conflicts;
}
