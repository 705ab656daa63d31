import { isolateHeldField, releaseEntry, settleForLocal } from '../db/conflict-decision.ts';
import { type ConflictEntry, readConflict, settleForRemote } from '../db/conflict-review.ts';
import { UsageError } from '../domain/errors.ts';
import { discardChange } from './discard-change.ts';
import type { Session } from './session.ts';

export interface Decision {
  readonly conflict: bigint;
  readonly take: 'local' | 'remote';
  /** Who decided, for the log of conflicts. */
  readonly by: string;
}

/**
 * Settles an open conflict as a person wants it. The local value is sent measured against the
 * remote one the conflict shows: should that have changed once more, it is in conflict again and
 * not overwritten (invariant 5). The remote one is read anew and put back into the row.
 *
 * @returns what came of it, in a few words.
 * @throws UsageError where it is not open; SyncError `row-held`.
 */
export async function resolveConflict(
  session: Session,
  { conflict: id, take, by }: Decision,
  signal: AbortSignal,
): Promise<string> {
  const conflict = open(id, await readConflict(session.db, id));
  if (take === 'local') return await takeLocal(session, conflict, by);
  const entry = await session.db.transaction((tx) => isolateHeldField(tx, conflict));
  if (entry !== null) return await discardChange(session, entry, signal);
  const { object, recordId, field } = conflict;
  await settleForRemote(session.db, { object, recordId, fields: [field], by });
  return 'nothing waited for it any more';
}

async function takeLocal(session: Session, conflict: ConflictEntry, by: string): Promise<string> {
  return await session.db.transaction(async (tx) => {
    const entry = await isolateHeldField(tx, conflict);
    if (entry === null) {
      throw new UsageError(
        [`nothing waits for conflict ${conflict.id} any more`],
        'take remote closes it; to change the value, write the row again',
      );
    }
    if (!(await settleForLocal(tx, conflict.id, by))) throw decided(conflict.id);
    await releaseEntry(tx, entry);
    return 'local value is due to be sent';
  });
}

function open(id: bigint, conflict: ConflictEntry | null): ConflictEntry {
  if (conflict === null) throw new UsageError([`there is no conflict ${id}`]);
  if (conflict.resolution !== 'open') throw decided(id);
  return conflict;
}

function decided(id: bigint): UsageError {
  return new UsageError([`conflict ${id} is settled already`]);
}
