import { withCurrentReferences } from '../conflicts/current-references.ts';
import type { Database, Sql } from '../db/connection/database.ts';
import { holdsLease } from '../db/lease/lease.ts';
import { lockForWriting } from '../db/mirror/lock.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { Looked } from '../db/outbox/claimable.ts';
import { type MassDeleteLimits, parkMassDelete } from '../db/outbox/delete-guard.ts';
import {
  addFollowUps,
  type ClaimedRecord,
  claimDue,
  recordSent,
  settleEntries,
} from '../db/outbox/outbox.ts';
import { loadCursor, readDatabaseTime } from '../db/position/cursor.ts';
import { readLocalIds } from '../db/service/local-ids.ts';
import type { Creating, Removal } from '../domain/capabilities.ts';
import { prerequisites } from '../domain/dependency-order.ts';
import { adoptKnown } from './adopt.ts';
import { holdBack } from './hold-back.ts';
import { leaseLost } from './lease-lost.ts';
import {
  coalesceAll,
  isLocalId,
  localReferences,
  type Outgoing,
  prepare,
  type Resolution,
  repeatedBy,
} from './outgoing.ts';
import { parkTaken } from './park-taken.ts';

const FIRST_READ_RETRY_MS = 5_000;

/** Whoever holds the table longer than that is waited for outside, not by a connection. */
export const CLAIM_LOCK_MS = 500;

export interface Claim {
  readonly outgoing: readonly Outgoing[];
  /** Database time of the claim: what is known of the records by then is older than any answer. */
  readonly readAt: string;
}

/**
 * Claims what is due of one object, of the records `looked` at alone (null: all were), and turns it into what can be sent, in one transaction: who is
 * not sent is settled or released in it. @returns null where nothing was due.
 *
 * @throws SyncError `lease-lost`, `database-lock-timeout` where somebody holds the table
 */
export async function claim(
  deps: {
    readonly db: Pick<Database, 'transaction'>;
    readonly tables: readonly MirrorTable[];
    readonly identityOf: (table: MirrorTable) => string | null;
    readonly creatingOf: (object: string) => Creating;
    readonly removalOf: (object: string) => Removal;
    readonly claimSizeOf: (object: string) => number;
    readonly massDelete: MassDeleteLimits;
  },
  table: MirrorTable,
  { epoch, looked }: { readonly epoch: bigint; readonly looked: Looked | null },
): Promise<Claim | null> {
  const { object } = table;
  return await deps.db.transaction(
    async (tx) => {
      if (!(await holdsLease(tx, epoch))) throw leaseLost();
      await lockForWriting(tx, table);
      const records = deps.claimSizeOf(object);
      const claimed = await claimDue(tx, { object, epoch, records, looked });
      if (claimed.length === 0) return null;
      const allowed = await guardDeletes(tx, table, epoch, { claimed, limits: deps.massDelete });
      const how = { identity: deps.identityOf(table), creating: deps.creatingOf(object) };
      const free = await holdBack(tx, { table, matchOn: repeatedBy(how) }, epoch, allowed);
      const changes = coalesceAll(await withPresentIds(tx, table, free));
      const objects = deps.tables.map((one) => one.object);
      const resolutions = new Map<string, Resolution>();
      for (const [target, ids] of localReferences(table.schema, changes, objects)) {
        for (const found of await readLocalIds(tx, target, [...ids])) {
          resolutions.set(`${target} ${found.localId}`, toResolution(found));
        }
      }
      const prepared = prepare(table.schema, changes, {
        resolve: (target, id) => resolutions.get(`${target} ${id}`) ?? { kind: 'unknown' },
        objects,
        earlier: prerequisites(
          deps.tables.map(({ schema }) => schema),
          object,
        ),
        ...how,
      });
      await addFollowUps(tx, object, prepared.followUps);
      await settleEntries(tx, epoch, prepared.settled);
      const known = await untilRead(tx, table, prepared.outgoing, epoch);
      const unknown = await adoptKnown(tx, { tables: deps.tables, table }, known, epoch);
      const outgoing = await parkTaken(tx, table, unknown, epoch);
      const isArchived = deps.removalOf(object) === 'restorable';
      await recordSent(
        tx,
        outgoing.flatMap((change) => sentOf(change, isArchived)),
      );
      return { outgoing, readAt: await readDatabaseTime(tx) };
    },
    { asWriter: true, lockTimeoutMs: CLAIM_LOCK_MS },
  );
}

/** What is remembered of a change once it is out; of most nothing. */
function sentOf(
  { kind, entries: ids, fields, afterwards, matchOn }: Outgoing,
  isArchived: boolean,
): readonly { readonly ids: readonly bigint[]; readonly sent: unknown }[] {
  switch (kind) {
    case 'create': {
      const later = afterwards !== undefined && { afterwards };
      return [{ ids, sent: { fields, ...(matchOn !== null && { matchOn }), ...later } }];
    }
    case 'update':
      return [];
    case 'delete':
      // Whoever takes it back sees by that that the CRM keeps the record.
      return isArchived ? [{ ids, sent: { archives: true } }] : [];
  }
}

/** Users may refer to a record by an id it no longer has. */
async function withPresentIds(
  tx: Sql,
  { schema }: MirrorTable,
  claimed: readonly ClaimedRecord[],
): Promise<readonly ClaimedRecord[]> {
  const all = claimed.flatMap(({ entries }) => entries);
  const byId = new Map(
    (await withCurrentReferences(tx, schema, all)).map((entry) => [entry.id, entry]),
  );
  return claimed.map((record) => {
    return { ...record, entries: record.entries.map((entry) => byId.get(entry.id) ?? entry) };
  });
}

/**
 * Before an object has been read once, nobody can say who a create is (invariant 4): those with an
 * identity wait. @returns the others.
 */
async function untilRead(
  tx: Sql,
  { object }: MirrorTable,
  outgoing: readonly Outgoing[],
  epoch: bigint,
): Promise<readonly Outgoing[]> {
  const early = outgoing.filter(({ identity }) => identity !== null);
  if (early.length === 0 || (await loadCursor(tx, object)).phase === 'incremental') return outgoing;
  const outcome = {
    state: 'pending',
    reason: 'first-read-unfinished: it may be a record that was not read yet',
    retryInMs: FIRST_READ_RETRY_MS,
  } as const;
  await settleEntries(
    tx,
    epoch,
    early.map(({ entries }) => ({ ids: entries, outcome })),
  );
  return outgoing.filter((change) => !early.includes(change));
}

/** What is left of a claim once too many deletes have been parked; the rest of a record follows. */
async function guardDeletes(
  tx: Sql,
  table: MirrorTable,
  epoch: bigint,
  round: { readonly claimed: readonly ClaimedRecord[]; readonly limits: MassDeleteLimits },
): Promise<readonly ClaimedRecord[]> {
  const guarded = ({ unapprovedDelete, recordId }: ClaimedRecord) =>
    unapprovedDelete && !isLocalId(recordId);
  if (!round.claimed.some(guarded)) return round.claimed;
  if (!(await parkMassDelete(tx, table, epoch, round.limits))) return round.claimed;
  const kept = round.claimed.filter((record) => !guarded(record));
  const others = round.claimed.filter((record) => !kept.includes(record));
  const ids = others.flatMap(({ entries }) => entries.map(({ id }) => id));
  const outcome = { state: 'pending', reason: null, retryInMs: 0 } as const;
  await settleEntries(tx, epoch, [{ ids, outcome }]);
  return kept;
}

function toResolution(found: {
  readonly id: string | null;
  readonly entry: bigint | null;
  readonly parked: boolean;
}): Resolution {
  if (found.id !== null) return { kind: 'known', id: found.id };
  if (found.entry === null) return { kind: 'unknown' };
  return { kind: 'waiting', entry: found.entry, parked: found.parked };
}
