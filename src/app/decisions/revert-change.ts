import type { Database, Transaction } from '../../db/connection/database.ts';
import type { MirrorTable } from '../../db/mirror/table.ts';
import { readFields } from '../../db/outbox/adoption.ts';
import { readCurrentId } from '../../db/outbox/conflict-decision.ts';
import {
  columnValue,
  insertRestore,
  insertRow,
  markReverted,
  readAdopted,
  readIsOlder,
  readNewestEntry,
  readReverting,
  writeRow,
} from '../../db/outbox/revert-rows.ts';
import { type OutboxEntry, readEntry } from '../../db/outbox/review.ts';
import { deleteRows, lockRows } from '../../db/rows/mirror-rows.ts';
import { sameValue } from '../../domain/equal.ts';
import { UsageError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { stillShows } from '../../domain/still-shows.ts';
import { rowHeld } from './row-held.ts';

/** What undoes a change. */
export interface Reverted {
  readonly kind: 'updated' | 'deleted' | 'inserted' | 'restored';
  readonly object: string;
  /** Of a row inserted anew, its new one. */
  readonly recordId: string;
  /** The outbox entry that was written. */
  readonly change: bigint;
  /** Fields a row inserted anew has no place for, or that the CRM alone writes. */
  readonly left: readonly string[];
}

interface Deps {
  readonly db: Database;
  readonly tables: readonly MirrorTable[];
}

/**
 * Undoes a change that is done by an ordinary local one, which the triggers capture like any
 * user's: an update gives its fields their base back, where the row still shows what was sent; an
 * insert deletes the row; a delete inserts it anew, as another record, or asks for the record to be
 * brought back where the CRM has archived it. One transaction.
 *
 * @throws UsageError where it is not done, was undone already, or its fields have moved on;
 *   SyncError `row-held`; `write-refused` where push is off.
 */
export async function revertChange({ db, tables }: Deps, id: bigint): Promise<Reverted> {
  return await db.transaction(async (tx) => {
    const entry = done(id, await readEntry(tx, id, true));
    const by = await readReverting(tx, id);
    if (by !== null) throw new UsageError([`change ${id} was undone already, by change ${by}`]);
    if (entry.op === 'link' || entry.op === 'unlink') {
      const how = entry.op === 'link' ? 'delete the row' : 'insert the row again';
      throw new UsageError([`change ${id} is of a link`], `${how} in its link table yourself`);
    }
    const table = tables.find(({ object }) => object === entry.object);
    if (table === undefined) throw new UsageError([`${entry.object} is no longer mirrored`]);
    const recordId = await readCurrentId(tx, entry.object, entry.recordId);
    const reverted = await undo(tx, table, { entry, recordId });
    const change = await readNewestEntry(tx, table.object, reverted.recordId);
    if (change === null) throw nothingToUndo(id);
    await markReverted(tx, id, change);
    return { ...reverted, object: table.object, change };
  });
}

interface Undoing {
  readonly entry: OutboxEntry & { readonly sent: Json };
  readonly recordId: string;
}

type Undone = Omit<Reverted, 'object' | 'change'>;

async function undo(tx: Transaction, table: MirrorTable, undoing: Undoing): Promise<Undone> {
  const { entry, recordId } = undoing;
  if (entry.op === 'delete') return await insertAnew(tx, table, undoing);
  const locked = await lockRows(tx, table, [recordId]);
  const rows = await readFields(tx, table, [recordId]);
  const row = rows.get(recordId);
  if (row === undefined) {
    throw new UsageError([`the row of ${table.object} ${recordId} is gone`]);
  }
  if (!locked.has(recordId)) throw rowHeld(table.object, recordId);
  const isEdit = entry.op === 'update' || (await wasEdit(tx, table, undoing));
  if (isEdit) return await putBack(tx, table, undoing, row);
  await deleteRows(tx, table, [recordId]);
  return { kind: 'deleted', recordId, left: [] };
}

/**
 * Whether an insert has changed a record that was there: to delete that would take away more than
 * the insert gave.
 */
async function wasEdit(
  tx: Transaction,
  table: MirrorTable,
  { entry, recordId }: Undoing,
): Promise<boolean> {
  if (entry.sent === null || (await readAdopted(tx, table.object, recordId))) return true;
  if (!(await readIsOlder(tx, table, recordId, entry.id))) return false;
  throw new UsageError(
    [`${table.object} ${recordId} was there before change ${entry.id}, so it is not deleted`],
    'edit or delete the row yourself',
  );
}

async function putBack(
  tx: Transaction,
  table: MirrorTable,
  { entry, recordId }: Undoing,
  row: ReadonlyMap<string, Json>,
): Promise<Undone> {
  const moved: string[] = [];
  const homeless: string[] = [];
  const values = [];
  for (const [name, change] of Object.entries(entry.changes)) {
    const value = columnValue(table, name, change.base);
    if (value === null) {
      homeless.push(name);
      continue;
    }
    const { field } = value.column;
    const sent = await currentValue(tx, field.relationship?.object ?? null, change.value);
    const shown = row.get(name) ?? null;
    if (!stillShows(field, sent, shown)) moved.push(name);
    else if (!sameValue(field, change.base, shown)) values.push(value);
  }
  if (moved.length + homeless.length > 0) {
    throw new UsageError(
      [
        ...moved.map((name) => `${name} has moved on since: the row shows another value`),
        ...homeless.map((name) => `${name} has no column for what it held before`),
      ],
      `nothing was changed; see \`clarify-sync outbox show ${entry.id}\`, and write the row`,
    );
  }
  if (values.length === 0) throw nothingToUndo(entry.id);
  await writeRow(tx, table, recordId, values);
  return { kind: 'updated', recordId, left: [] };
}

async function insertAnew(
  tx: Transaction,
  table: MirrorTable,
  { entry, recordId }: Undoing,
): Promise<Undone> {
  const standing = await readFields(tx, table, [recordId]);
  if (standing.has(recordId)) {
    throw new UsageError([`the row of ${table.object} ${recordId} is there again`]);
  }
  if (isArchived(entry.sent)) {
    await insertRestore(tx, table.object, recordId);
    return { kind: 'restored', recordId, left: [] };
  }
  const values = [];
  const left: string[] = [];
  for (const [name, { base }] of Object.entries(entry.changes)) {
    // What begins with an underscore is the CRM's own, and `_extra` what no column holds.
    if (base === null || name === '_row') continue;
    const value = columnValue(table, name, base);
    if (value?.column.field.readOnly === true) left.push(name);
    else if (value === null) left.push(...(name === '_extra' ? keysOf(base) : [name]));
    else {
      const target = value.column.field.relationship?.object ?? null;
      const now = await currentValue(tx, target, base);
      values.push(typeof now === 'string' && target !== null ? { ...value, text: now } : value);
    }
  }
  return { kind: 'inserted', recordId: await insertRow(tx, table, values), left };
}

/** Whether the CRM keeps the record, and brings it back when it is asked to. */
function isArchived(sent: Json): boolean {
  return sent !== null && typeof sent === 'object' && Object.hasOwn(sent, 'archives');
}

/** A reference by an id the record no longer has stands for the one it has. */
async function currentValue(tx: Transaction, target: string | null, value: Json): Promise<Json> {
  if (target === null || typeof value !== 'string') return value;
  return await readCurrentId(tx, target, value);
}

function keysOf(value: Json): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function done<Entry extends OutboxEntry>(id: bigint, entry: Entry | null): Entry {
  if (entry === null) {
    throw new UsageError(
      [`there is no change ${id} in the outbox`],
      'see `clarify-sync outbox list`',
    );
  }
  const { state } = entry;
  if (state === 'done') return entry;
  if (state === 'pending' || state === 'parked') {
    throw new UsageError(
      [`change ${id} was not sent yet`],
      `\`clarify-sync outbox discard ${id}\` gives it up`,
    );
  }
  throw state === 'sending'
    ? new UsageError([`change ${id} is being sent just now`], 'look again in a moment')
    : new UsageError([`change ${id} is ${state}: there is nothing to undo`]);
}

function nothingToUndo(id: bigint): UsageError {
  return new UsageError([`change ${id} made no difference: there is nothing to undo`]);
}
