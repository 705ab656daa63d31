import { SyncError } from '../../domain/errors.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import { isStorableText } from '../../domain/names.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import { RecurringNames } from '../../domain/recurring-names.ts';
import { encodeExtra, extraKey } from './extra.ts';
import { instantText, isDateText } from './instant-text.ts';
import { encodeNumber, isNumberType } from './number-type.ts';
import { jsonbText } from './storable.ts';
import { type MirrorColumn, type MirrorTable, type SqlType, SYSTEM_COLUMNS } from './table.ts';

/** The value has no place in its column's type. */
const UNFIT = Symbol('unfit');

/** The text Postgres casts to the column's type, or what `_extra` is to keep instead. */
export type EncodedValue = { readonly text: string | null } | { readonly extra: Json };

/** Never throws for a value of the wrong type: that is what `extra` is for. */
export function encodeValue(column: MirrorColumn, value: Json): EncodedValue {
  const encoded = encodeAs(column.sqlType, value);
  return encoded === UNFIT ? { extra: encodeExtra(value) } : { text: columnText(encoded) };
}

/** What a column is to hold: the text Postgres casts to its type, of a list its items. */
export type ColumnValue = string | readonly string[] | null;

/** The text Postgres casts to the column's type. */
export function columnText(value: ColumnValue): string | null {
  return value === null || typeof value === 'string' ? value : encodeTexts(value);
}

function encodeAs(sqlType: SqlType, value: Json): ColumnValue | typeof UNFIT {
  if (value === null) return null;
  switch (sqlType) {
    case 'text':
      return isText(value) ? value : UNFIT;
    case 'smallint':
    case 'integer':
    case 'numeric':
    case 'numeric(20,4)':
    case 'double precision':
      return encodeNumber(sqlType, value) ?? UNFIT;
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : UNFIT;
    case 'date':
      return typeof value === 'string' && isDateText(value) ? value : UNFIT;
    case 'timestamptz':
      return typeof value === 'string' ? (instantText(value) ?? UNFIT) : UNFIT;
    case 'text[]':
      return isTexts(value) ? value : UNFIT;
    case 'jsonb':
      return jsonbText(value) ?? UNFIT;
  }
}

/** Nearly every text, told at one look that is several times as fast as the proper one. */
const PLAIN = /^[^\0\ud800-\udfff]*$/;

function isText(value: Json): value is string {
  return typeof value === 'string' && (PLAIN.test(value) || isStorableText(value));
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

/** A Postgres array. Every item quoted: `NULL`, braces, commas and the empty text are text. */
export function encodeTexts(items: readonly string[]): string {
  return `{${items.map(quoteItem).join(',')}}`;
}

function quoteItem(item: string): string {
  return `"${item.replace(/["\\]/g, '\\$&')}"`;
}

/** A record as its row, in the order of the table's columns. */
export interface EncodedRecord {
  /**
   * One entry per `SYSTEM_COLUMNS`, then one per `table.columns`. `_local_id` and `_synced_at`
   * are null: the statement that writes the row knows them. `_key` is that of a row that was not
   * born here, `_extra` is `extra`.
   */
  readonly values: readonly ColumnValue[];
  /** Fields the answer did not have: their columns keep what they hold. */
  readonly missing: readonly string[];
  /** JSON text of what no column holds; null where there is nothing. */
  readonly extra: string | null;
  /** How many values went to `extra`. */
  readonly extras: number;
  /** Fields of these whose column could be widened to hold their number. */
  readonly overflown: readonly string[];
}

const NONE: readonly string[] = [];

/**
 * The hot path of every read. Unknown fields and values that do not fit go to `_extra`.
 *
 * @param untoldMerges what `_merged_ids` is where the record does not tell: null keeps what stands.
 * @throws SyncError `record-id-unstorable` (park) where Postgres cannot hold the id.
 */
export function encodeRecord(
  table: MirrorTable,
  record: RemoteRecord,
  untoldMerges: ColumnValue = null,
): EncodedRecord {
  const { id, fields } = record;
  if (id === '' || !isText(id)) throw unstorableId(table.object);
  const extras: string[] = [];
  let overflown: readonly string[] = NONE;
  const encode = (name: string, sqlType: SqlType, value: Json): ColumnValue => {
    const encoded = encodeAs(sqlType, value);
    if (encoded !== UNFIT) return encoded;
    extras.push(extraEntry(name, value));
    if (overflows(sqlType, value)) overflown = [...overflown, name];
    return null;
  };
  const values: ColumnValue[] = [
    id,
    null,
    id,
    encode('_created_at', 'timestamptz', record.createdAt),
    encode('_updated_at', 'timestamptz', record.updatedAt),
    encode('_created_by', 'text', record.createdBy),
    encode('_updated_by', 'text', record.updatedBy),
    record.mergedIds === null ? untoldMerges : encode('_merged_ids', 'text[]', record.mergedIds),
    null,
    null,
  ];
  for (const _ of table.columns) values.push(null);
  const places = placesIn(table);
  let place = 0;
  let present = 0;
  // A record has nothing inherited to show, and reading it this way is the fastest.
  for (const name in fields) {
    const column = places.at(place, name);
    place += 1;
    const value = fields[name];
    if (value === undefined) continue;
    if (column !== null) {
      present += 1;
      values[column.position] = encode(name, column.sqlType, value);
    } else if (value !== null) {
      // An unknown field that is null says nothing that would be lost.
      extras.push(extraEntry(name, value));
    }
  }
  const extra = extras.length === 0 ? null : `{${extras.join(',')}}`;
  values[EXTRA_POSITION] = extra;
  return {
    values,
    missing: present === table.columns.length ? [] : missingFrom(fields, table),
    extra,
    extras: extras.length,
    overflown,
  };
}

/** A number for which its column has too few digits, and one without a limit would not. */
function overflows(sqlType: SqlType, value: Json): boolean {
  return isNumberType(sqlType) && sqlType !== 'numeric' && encodeNumber('numeric', value) !== null;
}

const EXTRA_POSITION = 9;

function missingFrom(fields: RemoteRecord['fields'], { columns }: MirrorTable): readonly string[] {
  const names = columns.map(({ field }) => field.name);
  return names.filter((name) => !Object.hasOwn(fields, name) || fields[name] === undefined);
}

/** A column, and where its value stands in a row. */
interface Place {
  readonly position: number;
  readonly sqlType: SqlType;
}

const placesOf = new WeakMap<MirrorTable, RecurringNames<Place | null>>();

/** Finds the column of a field; null where it has none. */
function placesIn(table: MirrorTable): RecurringNames<Place | null> {
  const known = placesOf.get(table);
  if (known !== undefined) return known;
  const places = new Map<string, Place>();
  for (const [index, { field, sqlType }] of table.columns.entries()) {
    places.set(field.name, { position: SYSTEM_COLUMNS.length + index, sqlType });
  }
  const found = new RecurringNames((name) => places.get(name) ?? null);
  placesOf.set(table, found);
  return found;
}

/** One entry of `_extra`, as text: a field may be called `__proto__`. */
function extraEntry(field: string, value: Json): string {
  return `${JSON.stringify(extraKey(field))}:${stringifyJson(encodeExtra(value))}`;
}

function unstorableId(object: string): SyncError {
  return new SyncError(`${object}: a record has an id that Postgres cannot hold`, {
    code: 'record-id-unstorable',
    disposition: 'park',
    hint: 'the other records are unaffected; tell the CRM about the record',
  });
}
