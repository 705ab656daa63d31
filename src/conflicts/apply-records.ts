import type { Sql, Transaction } from '../db/connection/database.ts';
import type { Refusals, RowTrouble } from '../db/connection/row-trouble.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import { lockForWriting } from '../db/mirror/lock.ts';
import { noteOverflown } from '../db/mirror/number-columns.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  type ConflictOfRecord,
  closeSettledConflicts,
  readUnsettled,
  recordConflicts,
  rewriteEntries,
} from '../db/outbox/unsettled.ts';
import { forgetTombstones, readGoneSince } from '../db/rows/departures.ts';
import { type DueRename, moveEntries, readDueRenames } from '../db/rows/identities.ts';
import { type IncomingRow, insertRows, updateRows } from '../db/rows/incoming-rows.ts';
import { lockRows, renameRows } from '../db/rows/mirror-rows.ts';
import { noteUnchanged } from '../db/rows/record-digests.ts';
import {
  deferRecords,
  dropDeferred,
  putAside,
  readNewerAside,
  readRefusals,
} from '../db/rows/set-aside.ts';
import type { Capabilities } from '../domain/capabilities.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import { type EntryRewrite, mergeRecord, type PendingEntry } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { type Candidate, lockAnswered, lockDiffering, toRow } from './compare-records.ts';
import { withCurrentReferences } from './current-references.ts';
import type { RemoteWrites } from './remote-writes.ts';
import { type StaleContext, withoutStale } from './stale-reads.ts';

export interface ApplyContext extends StaleContext {
  /** Database time from before the records were read. */
  readonly readAt: string;
  /** What tells the newer of two versions; `stamped` where left out. */
  readonly versions?: Capabilities['versions'] | undefined;
  readonly policyOf: (field: string) => ConflictPolicy;
  /** Local edits are stamped by the database's clock, the CRM's by its own. */
  readonly crmMinusDatabaseMs: number;
  /** Who wrote fields in the CRM when; where it is not told, the record's time has to do. */
  readonly writes?: RemoteWrites | undefined;
  /** Link tables to bring up to what the records tell; none where left out. */
  readonly links?: readonly LinkTable[];
  /** They are what the CRM answered to a write: hardly one is as its row stands. */
  readonly isAnswer?: boolean;
  /** Tries again what is known to be refused, whenever that is due. */
  readonly retry?: boolean;
}

export interface ApplyCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Put aside because somebody holds the row. */
  readonly deferred: number;
  /** Put aside because a constraint or a trigger of others refuses the row, or changes it. */
  readonly setAside: number;
  /** Why, of one of them. */
  readonly trouble: RowTrouble | null;
  readonly conflicts: number;
  /** Values that fit no column and went to `_extra`. */
  readonly extra: number;
  /**
   * Records known in a dated version that came without a date that can be read: what they hold is
   * taken over by the time it was read, and nothing proves that it is the newest.
   */
  readonly undated: number;
}

/**
 * Brings records, as read or as answered to a write, into their mirror table. The one way in
 * for every version of a record (invariants 2, 3, 5, 10):
 *
 * 1. rows under an old id get the one their record has now
 * 2. what is equal, older, known to be gone since, or from before what was sent is left alone
 * 3. rows are locked, never waited for: those held by a user are put aside; what another process
 *    has made newer until then is left alone as well
 * 4. only then, in a later statement, the outbox is read and merged with; what cannot be merged
 *    yet, because a field is in flight, is put aside too. What is older than a version put aside, such
 *    as the answer to a push whose row this very transaction held, is left alone
 * 5. a row that cannot be written is put aside with the reason. What waits for it in the outbox has
 *    been merged all the same, so that edits of it go on
 *
 * Runs in the caller's transaction, as writer; safe to repeat.
 */
export async function applyRecords(
  tx: Transaction,
  table: MirrorTable,
  read: readonly RemoteRecord[],
  context: ApplyContext,
): Promise<ApplyCounts> {
  const { object } = table;
  const records = newestOfEach(read);
  const refusals = new Map(await knownRefusals(tx, table, { records, when: 'isolating' }, context));
  const renamed = await renameDue(tx, table, { records, refusals });
  for (const [id, trouble] of renamed.refused) refusals.set(id, trouble);
  const free = records.filter(({ id }) => !renamed.held.has(id));
  const encoded = free.map((record) => toRow(table, record));
  const lock = context.isAnswer === true ? lockAnswered : lockDiffering;
  const found = await lock(tx, table, { records: free, encoded }, context);
  await noteUnchanged(tx, table, found.equal);
  const standing = found.free.filter((c) => c.present);
  const usable = [
    ...found.free.filter((c) => !c.present),
    ...(await withoutStale(tx, table, standing, context)),
  ];
  const doubted = {
    records: usable.filter((c) => c.same).map((c) => c.record),
    when: 'always',
  } as const;
  for (const [id, trouble] of await knownRefusals(tx, table, doubted, context)) {
    refusals.set(id, trouble);
  }

  const usableIds = usable.map(({ record }) => record.id);
  await moveEntries(tx, object, usableIds);
  const unsettled = await readWaiting(tx, table, usableIds);
  const newer = await readNewerAside(
    tx,
    object,
    usable.filter((c) => c.present).map(({ record }) => record),
  );
  const current = usable.filter(({ record }) => !newer.has(record.id));
  const merged = mergeAll(table, current, unsettled, context);
  const inserts = await withoutGone(
    tx,
    table,
    merged.rows.filter((c) => !c.present),
    context,
  );
  const updates = merged.rows.filter((c) => c.present);
  const written = await writeRows(tx, table, { inserts, updates, refusals });
  await rewriteEntries(tx, object, merged.entries);
  await recordConflicts(tx, object, merged.conflicts);
  await closeSettledConflicts(tx, object, merged.rewritten);
  await forgetTombstones(tx, object, written.inserted);

  const stuck = records.filter(({ id }) => renamed.refused.has(id));
  const tried = new Map(
    [...[...inserts, ...updates].map(({ record }) => record), ...stuck].map((one) => [one.id, one]),
  );
  const refused = [...refusals].flatMap(([id, trouble]) => {
    const record = tried.get(id);
    return record === undefined ? [] : [{ id, record, trouble }];
  });
  const deferred = [
    ...records.filter(({ id }) => renamed.held.has(id)),
    ...found.held,
    ...refused.filter(({ trouble }) => trouble.passing).map(({ record }) => record),
  ];
  const lasting = refused.filter(({ trouble }) => !trouble.passing);
  const { readAt, versions } = context;
  await putAside(tx, { object, kind: 'apply', readAt, versions }, lasting);
  await deferRecords(tx, object, merged.unmerged, context);
  await deferRecords(tx, object, deferred, context);
  const aside = new Set([...deferred, ...merged.unmerged, ...lasting].map(({ id }) => id));
  for (const id of newer) aside.add(id);
  const appliedIds = records.map(({ id }) => id).filter((id) => !aside.has(id));
  await dropDeferred(tx, object, appliedIds, readAt);
  await noteOverflown(tx, object, new Set(encoded.flatMap(({ overflown }) => overflown)));
  const inserted = written.inserted.length;
  return {
    inserted,
    updated: written.updated,
    unchanged: records.length - inserted - written.updated - deferred.length - lasting.length,
    deferred: deferred.length,
    setAside: lasting.length,
    trouble: lasting[0]?.trouble ?? null,
    conflicts: merged.conflicts.length,
    extra: encoded.reduce((sum, { extras }) => sum + extras, 0),
    undated: found.undated,
  };
}

/**
 * What is known to be refused and not due again. Asked where an attempt without this knowledge has
 * failed already, or where a row does not come to equal its record: otherwise it is no row's turn.
 */
async function knownRefusals(
  tx: Transaction,
  { object }: MirrorTable,
  about: { readonly records: readonly RemoteRecord[]; readonly when: 'isolating' | 'always' },
  { retry = false }: ApplyContext,
): Promise<Refusals> {
  if (retry || (about.when === 'isolating' && tx.isolatesUntilMs === null)) return new Map();
  const ids = about.records.map(({ id }) => id);
  return await readRefusals(tx, { object, kind: 'apply' }, ids);
}

/** Writes rows but those refused, and adds to them what is refused now. */
async function writeRows(
  tx: Transaction,
  table: MirrorTable,
  what: {
    readonly inserts: readonly Candidate[];
    readonly updates: readonly Candidate[];
    readonly refusals: Map<string, RowTrouble>;
  },
): Promise<{ readonly inserted: readonly string[]; readonly updated: number }> {
  const { refusals } = what;
  const writable = (candidates: readonly Candidate[]) =>
    candidates.filter(({ record }) => !refusals.has(record.id)).map(({ row }) => row);
  const inserts = writable(what.inserts);
  // Whoever holds the table holds up all of it: no row is to blame, and none is looked for.
  if (inserts.length + what.updates.length > 0) await lockForWriting(tx, table);
  const inserted = await insertRows(tx, table, inserts);
  const same = new Set(what.updates.flatMap((c) => (c.same ? [c.record.id] : [])));
  const updated = await updateRows(tx, table, writable(what.updates), ({ id }) => same.has(id));
  for (const [id, trouble] of [...inserted.refused, ...updated.refused]) refusals.set(id, trouble);
  const left = ({ id }: IncomingRow) => !inserted.refused.has(id);
  return { inserted: inserts.filter(left).map(({ id }) => id), updated: updated.written };
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

/** @returns records whose row cannot be renamed now: a user holds it, or something refuses it. */
async function renameDue(
  tx: Transaction,
  table: MirrorTable,
  { records, refusals }: { readonly records: readonly RemoteRecord[]; readonly refusals: Refusals },
): Promise<{ readonly held: ReadonlySet<string>; readonly refused: Refusals }> {
  const all = await readDueRenames(
    tx,
    table,
    records.map(({ id }) => id),
  );
  if (all.length === 0) return { held: new Set(), refused: new Map() };
  const locked = await lockRows(
    tx,
    table,
    all.flatMap(({ oldId, id }) => [oldId, id]),
  );
  const isFree = ({ oldId, id, occupied }: DueRename) =>
    locked.has(oldId) && (!occupied || locked.has(id));
  const free = all.filter(isFree);
  const due = free.filter(({ id }) => !refusals.has(id));
  const refused = new Map(await renameRows(tx, table, due));
  for (const { id } of free) {
    const trouble = refusals.get(id);
    if (trouble !== undefined) refused.set(id, trouble);
  }
  return { held: new Set(all.filter((one) => !isFree(one)).map(({ id }) => id)), refused };
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
    const { record } = candidate;
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
    rows.push({ ...candidate, row: { ...row, keep: [...row.keep, ...merge.keep] } });
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
