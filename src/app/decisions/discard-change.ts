import { applyRecords } from '../../conflicts/apply-records.ts';
import { crmMinusDatabaseMs } from '../../conflicts/clocks.ts';
import { endLinks } from '../../conflicts/link-end.ts';
import type { Transaction } from '../../db/connection/database.ts';
import type { MirrorTable } from '../../db/mirror/table.ts';
import { settleForRemote } from '../../db/outbox/conflict-review.ts';
import { cancelEntries, type OutboxEntry, readEntry } from '../../db/outbox/review.ts';
import { readUnsettled, rewriteEntries } from '../../db/outbox/unsettled.ts';
import { readDatabaseTime } from '../../db/position/cursor.ts';
import { deleteRows } from '../../db/rows/mirror-rows.ts';
import { UsageError } from '../../domain/errors.ts';
import type { EntryRewrite, FieldChanges, PendingEntry } from '../../domain/merge-record.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { Session } from '../session.ts';
import { type Discarded, discardLink } from './discard-link.ts';
import { rowHeld, rowRefused } from './row-held.ts';

/**
 * Gives up a change that was not sent: it is cancelled, and in the same transaction the row gets
 * back what the CRM holds now. Discarding the insert of a row born here removes the row, with
 * everything that waits for it.
 *
 * @throws UsageError where there is no such entry or it is not waiting; SyncError `row-held`,
 *   `row-refused` where the row cannot be removed.
 */
export async function discardChange(
  session: Session,
  id: bigint,
  signal: AbortSignal,
): Promise<Discarded> {
  const entry = waiting(id, await readEntry(session.db, id));
  if (entry.op === 'link' || entry.op === 'unlink') {
    const recheck = (locked: OutboxEntry | null) => waiting(id, locked);
    return await discardLink(session, { entry, recheck }, signal);
  }
  const table = session.tables.find(({ object }) => object === entry.object);
  if (table === undefined) throw new UsageError([`${entry.object} is no longer mirrored`]);
  if (entry.recordId.startsWith('local:')) return await discardBirth(session, table, entry);

  const readAt = await readDatabaseTime(session.db);
  const request = { object: table.schema, id: entry.recordId };
  const record = await session.remote.readRecord(request, { priority: 'push', signal });
  return await session.db.transaction<Discarded>(
    async (tx) => {
      const locked = waiting(id, await readEntry(tx, id, true));
      await cancelEntries(tx, [id]);
      await passBaseOn(tx, locked);
      const { object, recordId } = locked;
      const fields = Object.keys(locked.changes);
      await settleForRemote(tx, { object, recordId, fields, by: 'outbox discard' });
      if (record === null) return 'record is gone';
      // Some servers leave out what is empty: then the base is the last that is known.
      const bases = Object.entries(locked.changes).map(
        ([field, { base }]) => [field, base] as const,
      );
      const known = { ...record, fields: { ...Object.fromEntries(bases), ...record.fields } };
      return await restore(tx, { session, table, record: known, readAt });
    },
    { asWriter: true },
  );
}

async function restore(
  tx: Transaction,
  into: {
    readonly session: Session;
    readonly table: MirrorTable;
    readonly record: RemoteRecord;
    readonly readAt: string;
  },
): Promise<Discarded> {
  const { session, table, record, readAt } = into;
  const { deferred, setAside } = await applyRecords(tx, table, [record], {
    readAt,
    versions: session.remote.capabilitiesOf(table.object).versions,
    crmMinusDatabaseMs: crmMinusDatabaseMs(session),
    policyOf: (field) => session.policyOf(table.object, field),
  });
  if (deferred > 0) throw rowHeld(table.object, record.id);
  return setAside > 0 ? 'remote value put aside' : 'remote value restored';
}

async function discardBirth(
  session: Session,
  table: MirrorTable,
  { id, op, object, recordId }: OutboxEntry,
): Promise<Discarded> {
  if (op !== 'insert') {
    throw new UsageError(
      [`change ${id} is of a ${object} that ${session.remote.title} does not know yet`],
      'discard its insert, or write the row again',
    );
  }
  return await session.db.transaction<Discarded>(
    async (tx) => {
      waiting(id, await readEntry(tx, id, true));
      const entries = (await readUnsettled(tx, object, [recordId])).get(recordId) ?? [];
      await cancelEntries(
        tx,
        entries.map((entry) => entry.id),
      );
      const exists = await tx.query(`SELECT 1 FROM ${table.qualified} WHERE id = $1`, [recordId]);
      const { deleted, refused } = await deleteRows(tx, table, [recordId]);
      const trouble = refused.get(recordId);
      if (trouble !== undefined) throw rowRefused(object, recordId, trouble);
      if (exists.length > 0 && !deleted.has(recordId)) throw rowHeld(object, recordId);
      await endLinks(tx, session.links, { object, ids: [recordId], by: 'local' });
      return 'row removed';
    },
    { asWriter: true },
  );
}

/**
 * A later edit of the same field was made on top of what is given up: it is measured against
 * what lay beneath from now on, or a remote change in between would go unnoticed (invariant 5).
 */
async function passBaseOn(tx: Transaction, discarded: OutboxEntry): Promise<void> {
  const { object, recordId } = discarded;
  const entries = (await readUnsettled(tx, object, [recordId])).get(recordId) ?? [];
  const later = entries.filter(({ id, op }) => id > discarded.id && op === 'update');
  await rewriteEntries(tx, object, rebase(discarded.changes, later));
}

export function rebase(
  discarded: FieldChanges,
  later: readonly PendingEntry[],
): readonly EntryRewrite[] {
  const left = new Map(Object.entries(discarded));
  return later.flatMap(({ id, state, changes }) => {
    const hit = Object.entries(changes).filter(([field]) => left.has(field));
    if (hit.length === 0 || state === 'sending') return [];
    const rebased = hit.map(([field, { base, value }]) => {
      // Null lies beneath what was empty.
      const given = left.get(field);
      const beneath = given === undefined ? base : given.base;
      left.delete(field);
      return [field, { base: beneath, value }] as const;
    });
    return [{ id, state, changes: { ...changes, ...Object.fromEntries(rebased) }, parked: {} }];
  });
}

function waiting<Entry extends OutboxEntry>(id: bigint, entry: Entry | null): Entry {
  if (entry === null) {
    throw new UsageError(
      [`there is no change ${id} in the outbox`],
      'see `clarify-sync outbox list`',
    );
  }
  if (entry.state === 'pending' || entry.state === 'parked') return entry;
  throw entry.state === 'sending'
    ? new UsageError([`change ${id} is being sent just now`], 'look again in a moment')
    : new UsageError([`change ${id} is ${entry.state} already`]);
}
