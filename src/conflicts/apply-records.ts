import type { Sql } from '../db/database.ts';
import { deferRecords, dropDeferred, forgetTombstones, readGoneSince } from '../db/departures.ts';
import { type DueRename, moveEntries, readDueRenames } from '../db/identities.ts';
import { columnText, encodeRecord } from '../db/mirror/encode.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  compareRows,
  type IncomingRow,
  insertRows,
  lockRows,
  renameRows,
  updateRows,
} from '../db/mirror-rows.ts';
import {
  type ConflictOfRecord,
  closeSettledConflicts,
  readUnsettled,
  recordConflicts,
  rewriteEntries,
} from '../db/outbox/unsettled.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import { type EntryRewrite, mergeRecord, type PendingEntry } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { withCurrentReferences } from './current-references.ts';
import type { RemoteWrites } from './remote-writes.ts';

export interface ApplyContext {
  /** Database time from before the records were read. */
  readonly readAt: string;
  readonly policyOf: (field: string) => ConflictPolicy;
  /** Local edits are stamped by the database's clock, the CRM's by its own. */
  readonly crmMinusDatabaseMs: number;
  /** Who wrote fields in the CRM when; where it is not told, the record's time has to do. */
  readonly writes?: RemoteWrites | undefined;
  /** Link tables to bring up to what the records tell; none where left out. */
  readonly links?: readonly LinkTable[];
}

export interface ApplyCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Put aside because somebody holds the row. */
  readonly deferred: number;
  readonly conflicts: number;
  /** Values that fit no column and went to `_extra`. */
  readonly extra: number;
  /**
   * Records known in a dated version that came without a date that can be read: what they hold is
   * taken over by the time it was read, and nothing proves that it is the newest.
   */
  readonly undated: number;
}

interface Candidate {
  readonly record: RemoteRecord;
  readonly row: IncomingRow;
  readonly present: boolean;
}

/**
 * Brings records, as read or as answered to a write, into their mirror table. The one way in
 * for every version of a record (invariants 2, 3, 5):
 *
 * 1. rows under an old id get the one their record has now
 * 2. what is equal, older, or known to be gone since is left alone
 * 3. rows are locked, never waited for: those held by a user are put aside; what another process
 *    has made newer until then is left alone as well
 * 4. only then, in a later statement, the outbox is read and merged with; what cannot be merged
 *    yet, because a field is in flight, is put aside too
 *
 * Runs in the caller's transaction, as writer; safe to repeat.
 */
export async function applyRecords(
  tx: Sql,
  table: MirrorTable,
  read: readonly RemoteRecord[],
  context: ApplyContext,
): Promise<ApplyCounts> {
  const records = newestOfEach(read);
  const heldByRename = await renameDue(tx, table, records);
  const free = records.filter(({ id }) => !heldByRename.has(id));
  const encoded = free.map((record) => toRow(table, record));
  const { candidates, undated } = await findCandidates(
    tx,
    table,
    { records: free, encoded },
    context,
  );

  const present = candidates.filter((c) => c.present);
  const locked = await lockRows(
    tx,
    table,
    present.map(({ record }) => record.id),
  );
  const held = present.filter(({ record }) => !locked.has(record.id));
  const usable = [
    ...candidates.filter((c) => !c.present),
    ...(await stillOlder(
      tx,
      table,
      present.filter(({ record }) => locked.has(record.id)),
      context,
    )),
  ];

  const usableIds = usable.map(({ record }) => record.id);
  await moveEntries(tx, table.object, usableIds);
  const unsettled = await readWaiting(tx, table, usableIds);
  const merged = mergeAll(table, usable, unsettled, context);
  const inserts = await withoutGone(
    tx,
    table,
    merged.rows.filter((c) => !c.present),
    context,
  );
  const updates = merged.rows.filter((c) => c.present);
  await insertRows(
    tx,
    table,
    inserts.map(({ row }) => row),
  );
  const updated = await updateRows(
    tx,
    table,
    updates.map(({ row }) => row),
  );
  await rewriteEntries(tx, table.object, merged.entries);
  await recordConflicts(tx, table.object, merged.conflicts);
  await closeSettledConflicts(tx, table.object, merged.rewritten);
  await forgetTombstones(
    tx,
    table.object,
    inserts.map(({ record }) => record.id),
  );

  const deferred = [
    ...records.filter(({ id }) => heldByRename.has(id)),
    ...held.map((c) => c.record),
  ];
  await deferRecords(tx, table.object, merged.unmerged, context.readAt);
  await deferRecords(tx, table.object, deferred, context.readAt);
  const deferredIds = new Set([...deferred, ...merged.unmerged].map(({ id }) => id));
  const appliedIds = records.map(({ id }) => id).filter((id) => !deferredIds.has(id));
  await dropDeferred(tx, table.object, appliedIds, context.readAt);
  return {
    inserted: inserts.length,
    updated,
    unchanged: records.length - inserts.length - updated - deferred.length,
    deferred: deferred.length,
    conflicts: merged.conflicts.length,
    extra: encoded.reduce((sum, { extras }) => sum + extras, 0),
    undated,
  };
}

async function readWaiting(
  tx: Sql,
  { object, schema }: MirrorTable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly PendingEntry[]>> {
  const unsettled = await readUnsettled(tx, object, ids);
  const current = await withCurrentReferences(tx, schema, [...unsettled.values()].flat());
  const byId = new Map(current.map((entry) => [entry.id, entry]));
  return new Map(
    [...unsettled].map(([id, entries]) => [id, entries.map((e) => byId.get(e.id) ?? e)]),
  );
}

/** A page may name a record twice while its list moves; the later position is the newer one. */
function newestOfEach(records: readonly RemoteRecord[]): readonly RemoteRecord[] {
  const byId = new Map<string, RemoteRecord>();
  for (const record of records) {
    const other = byId.get(record.id);
    if (!other || (record.updatedAt ?? '') >= (other.updatedAt ?? '')) byId.set(record.id, record);
  }
  return byId.size === records.length ? records : [...byId.values()];
}

/** @returns ids of records whose row cannot be renamed now because a user holds it. */
async function renameDue(
  tx: Sql,
  table: MirrorTable,
  records: readonly RemoteRecord[],
): Promise<Set<string>> {
  const due = await readDueRenames(
    tx,
    table,
    records.map(({ id }) => id),
  );
  if (due.length === 0) return new Set();
  const locked = await lockRows(
    tx,
    table,
    due.flatMap(({ oldId, id }) => [oldId, id]),
  );
  const isFree = ({ oldId, id, occupied }: DueRename) =>
    locked.has(oldId) && (!occupied || locked.has(id));
  await renameRows(tx, table, due.filter(isFree));
  return new Set(due.filter((rename) => !isFree(rename)).map(({ id }) => id));
}

function toRow(table: MirrorTable, record: RemoteRecord): { row: IncomingRow; extras: number } {
  const { values, missing, extras } = encodeRecord(table, record);
  return { row: { id: record.id, values: values.map(columnText), keep: missing }, extras };
}

async function findCandidates(
  tx: Sql,
  table: MirrorTable,
  read: {
    readonly records: readonly RemoteRecord[];
    readonly encoded: readonly { readonly row: IncomingRow }[];
  },
  { readAt }: ApplyContext,
): Promise<{ readonly candidates: readonly Candidate[]; readonly undated: number }> {
  if (read.records.length === 0) return { candidates: [], undated: 0 };
  const rows = read.encoded.map(({ row }) => row);
  const standing = await compareRows(tx, table, { rows, readAt });
  const candidates = standing.flatMap(({ index, present, newer, differs }) => {
    const record = read.records[index];
    const row = rows[index];
    return record && row && differs && !newer ? [{ record, row, present }] : [];
  });
  return { candidates, undated: standing.filter(({ undated }) => undated).length };
}

/**
 * Those of the rows now locked that are still older: what another process committed between the
 * comparison and the lock, such as the answer to a push, must not be taken back.
 */
async function stillOlder(
  tx: Sql,
  table: MirrorTable,
  locked: readonly Candidate[],
  context: ApplyContext,
): Promise<readonly Candidate[]> {
  const records = locked.map(({ record }) => record);
  return (await findCandidates(tx, table, { records, encoded: locked }, context)).candidates;
}

/**
 * Leaves out what is known to be gone. Asked after the outbox was read: a deletion that was
 * settled in between shows in one or the other.
 */
async function withoutGone(
  tx: Sql,
  table: MirrorTable,
  absent: readonly Candidate[],
  context: ApplyContext,
): Promise<Candidate[]> {
  const ids = absent.map(({ record }) => record.id);
  const gone = await readGoneSince(tx, table.object, ids, context.readAt);
  return absent.filter(({ record }) => !gone.has(record.id));
}

function mergeAll(
  table: MirrorTable,
  candidates: readonly Candidate[],
  unsettled: ReadonlyMap<string, readonly PendingEntry[]>,
  context: ApplyContext,
) {
  const fields = new Map(table.schema.fields.map((field) => [field.name, field]));
  const rows: Candidate[] = [];
  const entries: EntryRewrite[] = [];
  const conflicts: ConflictOfRecord[] = [];
  const rewritten: string[] = [];
  const unmerged: RemoteRecord[] = [];
  for (const candidate of candidates) {
    const { record, present } = candidate;
    const pending = (unsettled.get(record.id) ?? []).map((entry) => {
      return { ...entry, writtenAtMs: entry.writtenAtMs + context.crmMinusDatabaseMs };
    });
    if (pending.length === 0) {
      rows.push(candidate);
      continue;
    }
    const writes = context.writes?.get(record.id);
    const merge = mergeRecord(record, pending, { fields, policyOf: context.policyOf, writes });
    if (merge.absent) continue;
    if (merge.unmerged) unmerged.push(record);
    const mergedRecord = {
      ...record,
      fields: { ...record.fields, ...Object.fromEntries(merge.values) },
    };
    const { row } = toRow(table, mergedRecord);
    rows.push({ record, present, row: { ...row, keep: [...row.keep, ...merge.keep] } });
    entries.push(...merge.entries);
    if (merge.entries.length > 0) rewritten.push(record.id);
    conflicts.push(
      ...merge.conflicts.map((found) => {
        return { ...found, recordId: record.id };
      }),
    );
  }
  return { rows, entries, conflicts, rewritten, unmerged };
}
