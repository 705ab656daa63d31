import { type ApplyContext, applyRecords } from '../conflicts/apply-records.ts';
import { endLinks } from '../conflicts/link-end.ts';
import { removeRows } from '../conflicts/remove-rows.ts';
import type { Transaction } from '../db/connection/database.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { addFollowUps, addUnkept, recordRefused, settleEntries } from '../db/outbox/outbox.ts';
import { rebaseOnTwins } from '../db/outbox/twin-bases.ts';
import { type ConflictOfRecord, readUnsettled, recordConflicts } from '../db/outbox/unsettled.ts';
import { forgetTombstones, type Tombstone, writeTombstones } from '../db/rows/departures.ts';
import { mapIds, type Rename, rewriteReferences } from '../db/rows/identities.ts';
import { deferRecords } from '../db/rows/set-aside.ts';
import { goneReason, type Removal } from '../domain/capabilities.ts';
import type { RemoteError } from '../domain/errors.ts';
import { LOST_TO_DELETE } from '../domain/merge-record.ts';
import type { FollowUp, Outgoing, Settlement } from './outgoing.ts';
import { rebase } from './rebase.ts';
import { NOT_KEPT, type Sent } from './sent.ts';
import { supplantedBy } from './supplanted.ts';

export interface SettleContext extends ApplyContext {
  readonly epoch: bigint;
  /** Every table, for references to what was created. */
  readonly tables: readonly MirrorTable[];
  readonly links: readonly LinkTable[];
  readonly removal: Removal;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/**
 * Ends what was sent, in one transaction with everything that follows from it: ids, rows,
 * references, tombstones. The CRM has it, so that it is settled even where its row cannot be
 * written: the row is put aside. Safe to repeat: entries settled already are left alone.
 */
export async function settle(
  tx: Transaction,
  table: MirrorTable,
  sent: readonly Sent[],
  context: SettleContext,
): Promise<void> {
  const { object } = table;
  await rebaseOnTwins(tx, table, createdBy(sent));
  const { delivered, created } = await settleOutbox(tx, table, sent, context);
  const gone = sent.flatMap((s) => (s.kind === 'gone' ? [s.change] : []));
  const vanished = gone.filter(({ kind }) => kind === 'update');
  const deleted = delivered.flatMap(({ change }) => (change.kind === 'delete' ? [change] : []));
  await recordConflicts(tx, object, vanished.flatMap(lostToDelete));
  const tombstones = (changes: readonly Outgoing[]) =>
    changes.map((change) => toTombstone(change, context.removal));
  const { setAside } = await removeRows(tx, table, tombstones(vanished), context);
  const away = [...deleted, ...gone].filter(({ recordId }) => !setAside.has(recordId));
  await writeTombstones(tx, object, tombstones(away));
  const idsOf = (changes: readonly Outgoing[]) => changes.map(({ recordId }) => recordId);
  const here = [...deleted, ...gone.filter(({ kind }) => kind === 'delete')];
  await endLinks(tx, context.links, { object, ids: idsOf(vanished), by: 'remote' });
  await endLinks(tx, context.links, { object, ids: idsOf(here), by: 'local' });
  await removeTwins(tx, table, tombstones(here), context);

  await rebase(
    tx,
    table,
    delivered.flatMap(({ change, record }) => (record ? [{ fields: change.fields, record }] : [])),
  );
  // The CRM itself says that it is back, whatever lists may show for a while.
  const back = delivered.flatMap(({ change, record }) =>
    change.restores === true && record ? [record.id] : [],
  );
  await forgetTombstones(tx, object, back);
  const records = delivered.flatMap(({ record }) => (record ? [record] : []));
  await applyRecords(tx, table, records, { ...context, isAnswer: true });
  if (created.length > 0) await rewriteReferences(tx, context.tables);
}

function createdBy(sent: readonly Sent[]): Rename[] {
  return sent.flatMap((one) =>
    one.kind === 'delivered' && one.change.kind === 'create' && one.record
      ? [{ oldId: one.change.recordId, id: one.record.id }]
      : [],
  );
}

/** Ids and entries: all of it but the rows. */
async function settleOutbox(
  tx: Transaction,
  { object }: MirrorTable,
  sent: readonly Sent[],
  { epoch, random, policyOf }: SettleContext,
) {
  const delivered = sent.flatMap((s) => (s.kind === 'delivered' ? [s] : []));
  const created = createdBy(sent);
  await mapIds(tx, object, created, 'pushed');
  await settleEntries(
    tx,
    epoch,
    sent.map((s) => toSettlement(s, random)),
  );
  await addFollowUps(tx, object, delivered.flatMap(toFollowUp));
  await addUnkept(tx, object, delivered.flatMap(toUnkept));
  await recordConflicts(
    tx,
    object,
    delivered.flatMap((one) => lostToOther(one, policyOf)),
  );
  const refused = sent.filter((s) => s.kind === 'unclear' && !s.error.ambiguous);
  await recordRefused(
    tx,
    epoch,
    refused.flatMap(({ change }) => change.entries),
  );
  return { delivered, created };
}

/**
 * {@link settle} while somebody holds the table: what has arrived is not sent again, and its row
 * follows with the next pull, from `deferred`. What would take rows away stays in flight.
 */
export async function settleAside(
  tx: Transaction,
  table: MirrorTable,
  sent: readonly Sent[],
  context: SettleContext,
): Promise<void> {
  const staying = sent.filter(({ kind, change }) => kind !== 'gone' && change.kind !== 'delete');
  const { delivered } = await settleOutbox(tx, table, staying, context);
  const answered = delivered.flatMap(({ change, record }) =>
    record ? [{ fields: change.fields, record }] : [],
  );
  await rebase(tx, table, answered);
  const records = answered.map(({ record }) => record);
  await deferRecords(tx, table.object, records, context);
}

/**
 * A row deleted here may have come in by itself before its create was known to have arrived: it
 * must not stay. One that was written again since is somebody's.
 */
async function removeTwins(
  tx: Transaction,
  table: MirrorTable,
  gone: readonly Tombstone[],
  context: SettleContext,
): Promise<void> {
  const ids = gone.map(({ id }) => id);
  const written = await readUnsettled(tx, table.object, ids);
  const unwritten = gone.filter(({ id }) => !written.has(id));
  await removeRows(tx, table, unwritten, context);
}

/** What a record does not show although it was created with it stays to be sent, as an edit. */
function toFollowUp({ change, left = {} }: Sent & { kind: 'delivered' }): readonly FollowUp[] {
  const [of] = change.entries;
  if (of === undefined || Object.keys(left).length === 0) return [];
  return [{ recordId: change.recordId, changes: left, blockedBy: of, of }];
}

/** What the CRM took and does not keep is parked by itself, the rest of the change is done. */
function toUnkept({ change, unkept = {} }: Sent & { kind: 'delivered' }) {
  const [of] = change.entries;
  const fields = Object.keys(unkept);
  if (of === undefined || fields.length === 0) return [];
  return [
    { recordId: change.recordId, changes: unkept, reason: `${NOT_KEPT}: ${fields.join(', ')}`, of },
  ];
}

function lostToOther(
  { change, record, supplanted = {} }: Sent & { kind: 'delivered' },
  policyOf: SettleContext['policyOf'],
): readonly ConflictOfRecord[] {
  const { recordId, fields: local } = change;
  const lost = { recordId: record?.id ?? recordId, remoteBy: record?.updatedBy ?? null, local };
  const baseOf = (field: string) => change.changes[field]?.base ?? null;
  return supplantedBy({ ...lost, supplanted, baseOf }, policyOf);
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

function toSettlement(sent: Sent, random: () => number): Settlement {
  const ids = sent.change.entries;
  switch (sent.kind) {
    case 'delivered':
      return { ids, outcome: { state: 'done' } };
    case 'gone':
      return { ids, outcome: { state: sent.change.kind === 'delete' ? 'done' : 'cancelled' } };
    case 'refused':
      return {
        ids,
        outcome: { state: 'parked', reason: reasonOf(sent.error), neverArrived: true },
      };
    case 'waits':
      return {
        ids,
        outcome: { state: 'pending', reason: 'blocked', retryInMs: 0, blockedBy: sent.waitsFor },
      };
    case 'unclear':
      // Stays in flight: whether it arrived is found out once a late write has had time to show.
      return { ids: [], outcome: { state: 'done' } };
    case 'failed': {
      const ceilingMs = Math.min(
        LONGEST_RETRY_MS,
        FIRST_RETRY_MS * 2 ** (sent.change.attempts - 1),
      );
      // The client lets the endpoint alone for longer, and asks every few minutes.
      const askedMs = Math.min(LONGEST_RETRY_MS, sent.error.retryAfterMs ?? 0);
      const retryInMs = Math.max(askedMs, random() * ceilingMs);
      const neverArrived = !sent.error.ambiguous && !sent.change.mayHaveArrived;
      const reason = reasonOf(sent.error);
      return { ids, outcome: { state: 'pending', reason, retryInMs, neverArrived } };
    }
  }
}

function reasonOf(error: RemoteError): string {
  return `${error.code}: ${error.reason ?? error.message}`;
}

/** An edit of a record somebody deleted meanwhile: the delete stands, the edit is on record. */
function lostToDelete(change: Outgoing) {
  return Object.entries(change.changes).map(([field, { base, value }]) => {
    return { recordId: change.recordId, field, base, local: value, ...LOST_TO_DELETE };
  });
}

function toTombstone(change: Outgoing, removal: Removal): Tombstone {
  const record = Object.fromEntries(
    Object.entries(change.changes).map(([field, { base }]) => [field, base]),
  );
  const fields = change.kind === 'delete' ? record : null;
  return { id: change.recordId, record: fields, reason: goneReason(removal), deletedAt: null };
}
