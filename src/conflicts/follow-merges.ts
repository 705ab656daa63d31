import { type Database, type Transaction, withinLockTimeout } from '../db/connection/database.ts';
import { loadMirror } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readUnsettled, rewriteEntries } from '../db/outbox/unsettled.ts';
import { type Merge, moveLinks } from '../db/reconcile/links.ts';
import {
  mapMerged,
  markTombstonesMerged,
  moveReferences,
  readNewMerges,
  readSurvivors,
} from '../db/reconcile/merges.ts';
import { readRows, writeFields } from '../db/reconcile/rows.ts';
import { lockRows, readVersions } from '../db/rows/mirror-rows.ts';
import { deferRecords, dropAside } from '../db/rows/set-aside.ts';
import type { Json } from '../domain/json.ts';
import type { EntryRewrite, PendingEntry } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import { type ApplyContext, applyRecords } from './apply-records.ts';
import { removeRows } from './remove-rows.ts';

export interface MergeCounts {
  /** Rows taken away because their record lives on in another. */
  readonly merged: number;
  /** Put aside because somebody holds one of the rows. */
  readonly deferred: number;
  /** Put aside because something keeps a row, or refuses the survivor's. */
  readonly setAside: number;
  readonly conflicts: number;
}

const NOTHING: MergeCounts = { merged: 0, deferred: 0, setAside: 0, conflicts: 0 };

/**
 * Follows the merges that records tell of (`_merged_ids`), right after the records themselves were
 * applied, in the same transaction. What stood or waited here under a vanished id goes to the
 * survivor: references, links, and edits, which merge there three ways (invariant 6). Costs no
 * statement where no record has merged ids, and one where they are known already.
 */
export async function followMerges(
  tx: Transaction,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  context: ApplyContext,
): Promise<MergeCounts> {
  const survivors = records.filter(({ mergedIds }) => mergedIds !== null && mergedIds.length > 0);
  if (survivors.length === 0) return NOTHING;
  // One that was read alive on the same page has not vanished.
  const alive = new Set(records.map(({ id }) => id));
  const told = new Map<string, Merge>();
  for (const { id, mergedIds } of survivors) {
    for (const oldId of mergedIds ?? []) if (!alive.has(oldId)) told.set(oldId, { oldId, id });
  }
  const news = await readNewMerges(tx, table, [...told.values()]);
  if (news.length === 0) return NOTHING;
  const known = news.filter((merge) => merge.known);
  // What was merged before we ever saw it left nothing here but, perhaps, its id in old files.
  const unknown = news.filter((merge) => !merge.known);
  await mapMerged(tx, table.object, unknown);
  if (known.length === 0) return NOTHING;
  const concerned = new Set(known.map(({ id }) => id));
  const byId = new Map(survivors.filter(({ id }) => concerned.has(id)).map((r) => [r.id, r]));
  return await carryOver(tx, table, { merges: known, survivors: byId }, context);
}

/**
 * Carries everything of vanished records over to their survivors, as they were read. Rows that a
 * user holds are not waited for: the survivor is put aside, and the merge with it.
 */
export async function carryOver(
  tx: Transaction,
  table: MirrorTable,
  found: Pick<Merged, 'merges' | 'survivors'>,
  context: ApplyContext,
): Promise<MergeCounts> {
  const { object } = table;
  if (found.merges.length === 0) return NOTHING;
  const ids = [...new Set(found.merges.flatMap(({ oldId, id }) => [oldId, id]))];
  const standing = await readVersions(tx, table, ids);
  const locked = await lockRows(tx, table, [...standing.keys()].toSorted());
  const isFree = (id: string) => !standing.has(id) || locked.has(id);
  const merges = found.merges.filter(({ oldId, id }) => isFree(oldId) && isFree(id));
  const held = new Set(found.merges.filter((m) => !merges.includes(m)).map(({ id }) => id));
  const aside = [...held].flatMap((id) => found.survivors.get(id) ?? []);
  await deferRecords(tx, object, aside, context);
  if (merges.length === 0) return { ...NOTHING, deferred: aside.length };

  const oldIds = merges.map(({ oldId }) => oldId);
  const rows = await readRows(tx, table, oldIds);
  // In a statement after the lock: only then every edit committed before it is seen (invariant 2).
  const unsettled = await readUnsettled(tx, object, oldIds);
  await rewriteEntries(tx, object, [...unsettled.values()].flatMap(endDeleted));
  await mapMerged(tx, object, merges);
  const { removed, setAside } = await removeRows(
    tx,
    table,
    rows.map(({ id, fields }) => {
      return { id, record: fields, reason: 'merged' as const, deletedAt: null };
    }),
    context,
  );
  await markTombstonesMerged(tx, object, oldIds);
  await dropAside(tx, { object, kinds: ['apply'] }, oldIds);
  const mirror = await loadMirror(tx);
  await moveReferences(tx, mirror.tables, object, merges);
  await moveLinks(tx, mirror.links, object, merges);

  await writeFields(tx, table, localValues(merges, unsettled));
  const touched = new Set(merges.map(({ id }) => id));
  const again = [...found.survivors.values()].filter(({ id }) => touched.has(id));
  const applied = await applyRecords(tx, table, again, context);
  return {
    merged: removed.size,
    deferred: aside.length,
    setAside: setAside.size + applied.setAside,
    conflicts: applied.conflicts,
  };
}

/** Vanished ids, and the records they live on in. */
export interface Merged {
  readonly merges: readonly Merge[];
  /** As they are now. */
  readonly survivors: ReadonlyMap<string, RemoteRecord>;
  /** The vanished ids. */
  readonly ids: ReadonlySet<string>;
  readonly requests: number;
}

/**
 * Which of these records, as far as they stand here, live on in another, by what the mirror knows
 * of `_merged_ids`; survivors are read afresh. No request where there is none.
 */
export async function readMerged(
  deps: { readonly db: Pick<Database, 'schemas' | 'transaction'>; readonly remote: Remote },
  table: MirrorTable,
  ids: readonly string[],
  options: CallOptions,
): Promise<Merged> {
  const standing = await readVersions(withinLockTimeout(deps.db), table, ids);
  const told = await readSurvivors(withinLockTimeout(deps.db), table, [...standing.keys()]);
  const survivors = new Map<string, RemoteRecord>();
  const asked = new Set(told.map(({ id }) => id));
  for (const id of asked) {
    const record = await deps.remote.readRecord({ object: table.schema, id }, options);
    if (record !== null) survivors.set(id, record);
  }
  const merges = told.filter(({ id }) => survivors.has(id));
  const vanished = new Set(merges.map(({ oldId }) => oldId));
  return { merges, survivors, ids: vanished, requests: asked.size };
}

/** Somebody deleted the row here: the record is gone, and the survivor is another one. */
function endDeleted(entries: readonly PendingEntry[]): EntryRewrite[] {
  if (!entries.some(({ op }) => op === 'delete')) return [];
  return entries
    .filter(({ state }) => state !== 'sending')
    .map(({ id, op }) => {
      const state = op === 'delete' ? 'done' : 'superseded';
      return { id, changes: null, state, parked: {} };
    });
}

/**
 * Until an edit is settled the row shows it, and the row is the survivor's now. What is in flight was
 * sent to the record that vanished: what it left in the survivor the survivor's own record tells, and a
 * field that is not told would show it for ever.
 */
function localValues(
  merges: readonly Merge[],
  unsettled: ReadonlyMap<string, readonly PendingEntry[]>,
): { readonly id: string; readonly fields: ReadonlyMap<string, Json> }[] {
  return merges.flatMap(({ oldId, id }) => {
    const entries = unsettled.get(oldId) ?? [];
    if (entries.some(({ op }) => op === 'delete')) return [];
    const fields = new Map<string, Json>();
    for (const { changes, state } of entries) {
      if (state === 'sending') continue;
      for (const [field, { value }] of Object.entries(changes)) fields.set(field, value);
    }
    return fields.size === 0 ? [] : [{ id, fields }];
  });
}
