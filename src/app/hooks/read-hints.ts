import type { MirrorTable } from '../../db/mirror/table.ts';
import {
  type DueHint,
  endHints,
  putOffHints,
  readDueHints,
  readHintsDue,
} from '../../db/position/hints.ts';
import type { Priority } from '../../domain/remote.ts';
import { followHintedMerges } from '../../pull/follow-hinted-merges.ts';
import { readHinted } from '../../pull/read-hinted.ts';
import { settleHinted } from '../../reconcile/settle-hinted.ts';
import { objectError } from '../object-error.ts';
import type { Session } from '../session.ts';

/** What came of the hints of one object that were due. */
export interface HintsRead {
  readonly hints: number;
  readonly requests: number;
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
}

/** Hints looked at together: as many records as a page holds. */
export const HINTS_AT_ONCE = 500;
/** Whoever has to be asked several times is left for the next look. */
const WITHIN_MS = 5_000;

/**
 * Looks at what is due of an object's hints: what was merged is followed, what is said to be gone has to
 * prove it, what changed is read together. What fails is the object's trouble, and is looked at again.
 *
 * @throws what ends the service.
 */
export async function readHints(
  session: Session,
  table: MirrorTable,
  { signal, priority }: { readonly signal: AbortSignal; readonly priority: Priority },
): Promise<HintsRead> {
  const { object } = table;
  const part = { object, part: 'hints' } as const;
  const total = { hints: 0, requests: 0, inserted: 0, updated: 0, removed: 0 };
  const options = { signal, priority, withinMs: WITHIN_MS };
  try {
    const hints = await readDueHints(session.db, object, HINTS_AT_ONCE);
    total.hints = hints.length;
    const deleted = hints.filter(({ kind }) => kind === 'deleted');
    const merged = hints.filter(({ kind }) => kind === 'merged');
    const changed = hints.filter(({ kind }) => kind === 'changed');
    if (merged.length > 0) {
      const counts = await followHintedMerges(session, table, merged, options);
      total.requests += counts.requests;
      total.removed += counts.merged;
    }
    if (deleted.length > 0) {
      const ids = deleted.map(({ id }) => id);
      const counts = await settleHinted(session, table, ids, options);
      total.requests += counts.requests;
      total.inserted += counts.missing;
      total.updated += counts.differed;
      total.removed += counts.deleted + counts.merged;
      await lookedAt(session, object, deleted);
    }
    if (changed.length > 0) {
      const { counts } = await readHinted(session, table, changed, options);
      total.requests += counts.requests;
      total.inserted += counts.inserted;
      total.updated += counts.updated;
      total.removed += counts.removed;
    }
    await session.troubles.worked(part);
  } catch (error) {
    await objectError(session, part, error, signal);
  }
  return total;
}

/** {@link readHints} of every object that has any due. One statement where none has. */
export async function readAllHints(
  session: Session,
  options: {
    readonly objects?: readonly string[] | undefined;
    readonly signal: AbortSignal;
    readonly priority: Priority;
  },
): Promise<void> {
  const { objects } = await readHintsDue(session.db);
  const due = new Set(objects.filter((object) => options.objects?.includes(object) ?? true));
  for (const table of session.tables) {
    if (due.has(table.object)) await readHints(session, table, options);
  }
}

/** A list may show what is gone for a while: it is looked at once more when that is over. */
async function lookedAt({ db }: Session, object: string, hints: readonly DueHint[]): Promise<void> {
  await db.transaction(async (tx) => {
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
  });
}
