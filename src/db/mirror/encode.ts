import { SyncError } from '../../domain/errors.ts';
import { isExactNumber, type Json, stringifyJson } from '../../domain/json.ts';
import { isStorableText } from '../../domain/names.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import { encodeExtra, extraKey } from './extra.ts';
import { instantText, isDateText } from './instant-text.ts';
import { isStorableNumber, jsonbText } from './storable.ts';
import type { MirrorColumn, MirrorTable, SqlType } from './table.ts';

/** The value has no place in its column's type. */
const UNFIT = Symbol('unfit');

/** The text Postgres casts to the column's type, or what `_extra` is to keep instead. */
export type EncodedValue = { readonly text: string | null } | { readonly extra: Json };

/** Never throws for a value of the wrong type: that is what `extra` is for. */
export function encodeValue(column: MirrorColumn, value: Json): EncodedValue {
  const text = encodeAs(column.sqlType, value);
  return text === UNFIT ? { extra: encodeExtra(value) } : { text };
}

function encodeAs(sqlType: SqlType, value: Json): string | null | typeof UNFIT {
  if (value === null) return null;
  switch (sqlType) {
    case 'text':
      return typeof value === 'string' && isStorableText(value) ? value : UNFIT;
    case 'numeric':
      return encodeNumber(value);
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : UNFIT;
    case 'date':
      return typeof value === 'string' && isDateText(value) ? value : UNFIT;
    case 'timestamptz':
      return typeof value === 'string' ? (instantText(value) ?? UNFIT) : UNFIT;
    case 'text[]':
      return Array.isArray(value) && isStorableTexts(value) ? encodeTexts(value) : UNFIT;
    case 'jsonb':
      return jsonbText(value) ?? UNFIT;
  }
}

function encodeNumber(value: Json): string | typeof UNFIT {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : UNFIT;
  return isExactNumber(value) && isStorableNumber(value.value) ? value.value : UNFIT;
}

/** A Postgres array. Every item quoted: `NULL`, braces, commas and the empty text are text. */
export function encodeTexts(items: readonly string[]): string {
  let literal = '{';
  for (const item of items) {
    const escaped = /["\\]/.test(item) ? item.replace(/["\\]/g, '\\$&') : item;
    literal += `${literal === '{' ? '' : ','}"${escaped}"`;
  }
  return `${literal}}`;
}

function isStorableTexts(items: readonly Json[]): items is readonly string[] {
  return items.every((item) => typeof item === 'string' && isStorableText(item));
}

/** A record as its row: text for an SQL cast, in the order of the table's columns. */
export interface EncodedRecord {
  /**
   * One entry per `SYSTEM_COLUMNS`, then one per `table.columns`. `_local_id` and `_synced_at`
   * are null: the statement that writes the row knows them. `_extra` is `extra`.
   */
  readonly values: (string | null)[];
  /** Fields the answer did not have: their columns keep what they hold. */
  readonly missing: readonly string[];
  /** JSON text of what no column holds; null where there is nothing. */
  readonly extra: string | null;
  /** How many values went to `extra`. */
  readonly extras: number;
}

/**
 * The hot path of every read. Unknown fields and values that do not fit go to `_extra`.
 *
 * @throws SyncError `record-id-unstorable` (park) where Postgres cannot hold the id.
 */
export function encodeRecord(table: MirrorTable, record: RemoteRecord): EncodedRecord {
  if (record.id === '' || !isStorableText(record.id)) throw unstorableId(table.object);
  const extras: string[] = [];
  const system = (field: string, sqlType: SqlType, value: Json): string | null => {
    const text = encodeAs(sqlType, value);
    if (text !== UNFIT) return text;
    extras.push(extraEntry(field, value));
    return null;
  };
  const values: (string | null)[] = [
    record.id,
    null,
    system('_created_at', 'timestamptz', record.createdAt),
    system('_updated_at', 'timestamptz', record.updatedAt),
    system('_created_by', 'text', record.createdBy),
    system('_updated_by', 'text', record.updatedBy),
    system('_merged_ids', 'text[]', record.mergedIds),
    null,
    null,
  ];
  const missing: string[] = [];
  const { fields } = record;
  for (const { field, sqlType } of table.columns) {
    const value = ownValue(fields, field.name);
    if (value === undefined) {
      missing.push(field.name);
      values.push(null);
      continue;
    }
    const text = encodeAs(sqlType, value);
    if (text === UNFIT) extras.push(extraEntry(field.name, value));
    values.push(text === UNFIT ? null : text);
  }
  const names = Object.keys(fields);
  if (names.length > table.columns.length - missing.length) {
    for (const name of names) {
      const value = table.byField.has(name) ? null : ownValue(fields, name);
      // An unknown field that is null says nothing that would be lost.
      if (value !== null && value !== undefined) extras.push(extraEntry(name, value));
    }
  }
  const extra = extras.length === 0 ? null : `{${extras.join(',')}}`;
  values[EXTRA_POSITION] = extra;
  return { values, missing, extra, extras: extras.length };
}

const EXTRA_POSITION = 8;

/** A field may be called `constructor`, and what every object inherits is no value of it. */
function ownValue(fields: Readonly<Record<string, Json>>, name: string): Json | undefined {
  return INHERITED.has(name) && !Object.hasOwn(fields, name) ? undefined : fields[name];
}

const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

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
