import { parseJson, stringifyJson } from '../../domain/json.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import { type PackedText, unpackText } from '../kernel/packed-text.ts';
import type { Dialect, Switches } from './switches.ts';

/**
 * One version of a record; a write makes a new one. The fields stay serialised: a page is then
 * made by joining strings, and a million records fit in memory.
 */
export interface StoredRecord {
  readonly id: string;
  /** Position in the order of creation; tells records with equal timestamps apart. */
  readonly order: number;
  /** The attributes but for system fields, as a JSON object; sample records have it packed. */
  readonly text: string | PackedText;
  readonly createdMs: number;
  readonly updatedMs: number;
  /** Whether there was an edit that moved `updatedMs`. */
  readonly edited: boolean;
  readonly createdBy: string;
  readonly updatedBy: string;
  readonly mergedIds: readonly string[];
  /** The version that was in the sample data, where this one came of it. */
  readonly sample?: StoredRecord;
}

/** What a record was in the sample data; null of one that was made since. */
export function sampleVersion(record: StoredRecord): StoredRecord | null {
  return record.sample ?? (typeof record.text === 'string' ? null : record);
}

/** To be spread into what comes of `before`. */
export function keepSample(before: StoredRecord): Pick<StoredRecord, 'sample'> {
  const sample = sampleVersion(before);
  return sample === null ? {} : { sample };
}

/** A number with so many digits that `JSON.parse` might round it. */
const LONG_NUMBER = /[:,[]-?[\d.]{16}/;

export function parseFields(text: string): Fields {
  const parsed: unknown = LONG_NUMBER.test(text) ? parseJson(text) : JSON.parse(text);
  if (!isObject(parsed)) throw new TypeError('a record is a JSON object');
  return parsed;
}

export function recordText({ text }: StoredRecord): string {
  return typeof text === 'string' ? text : unpackText(text);
}

export function recordFields(record: StoredRecord): Fields {
  return parseFields(recordText(record));
}

/** For fields of our own making, where no number can be inexact. */
export function serialisePlainFields(fields: Fields): string {
  return JSON.stringify(fields);
}

export function serialiseFields(fields: Fields): string {
  return stringifyJson(fields);
}

export type View = Pick<Switches, 'updatedAtUntilEdit' | 'omitNulls'> & {
  readonly dialect: Dialect;
};

/** A record as JSON in three parts: what was packed need not become text to be sent. */
export interface RecordParts {
  readonly head: string;
  /** The attributes but for system fields: an object whose first brace does not count. */
  readonly fields: string | PackedText;
  readonly tail: string;
}

/** Serialised members for the attributes and for the record itself, comma first. */
export interface AddedMembers {
  readonly attributes?: string;
  readonly members?: string;
}

export function renderRecord(
  object: string,
  record: StoredRecord,
  view: View,
  add: AddedMembers = {},
): string {
  const { head, fields, tail } = recordParts(object, record, view, add);
  const text = typeof fields === 'string' ? fields : unpackText(fields);
  return `${head}${text.slice(1)}${tail}`;
}

export function recordParts(
  object: string,
  record: StoredRecord,
  view: View,
  add: AddedMembers = {},
): RecordParts {
  const { id, createdMs, updatedMs, mergedIds } = record;
  const updated =
    record.edited || view.updatedAtUntilEdit === 'set'
      ? `,"_updated_at":"${new Date(updatedMs).toISOString()}"`
      : view.updatedAtUntilEdit === 'null' && !view.omitNulls
        ? ',"_updated_at":null'
        : '';
  const merged =
    mergedIds.length > 0
      ? `,"_merged_ids":{"items":${JSON.stringify(mergedIds)}}`
      : view.omitNulls
        ? ''
        : ',"_merged_ids":null';
  const fields = view.omitNulls ? withoutNulls(record) : record.text;
  const isEmpty = typeof fields === 'string' ? fields === '{}' : fields.end - fields.start === 2;
  const head =
    `{"type":"${object}","id":"${id}","attributes":{` +
    (view.dialect === 'current' ? `"_id":"${id}",` : '') +
    `"_created_at":"${new Date(createdMs).toISOString()}"${updated}` +
    `,"_created_by":"${record.createdBy}","_updated_by":"${record.updatedBy}"${merged}` +
    `${add.attributes ?? ''}${isEmpty ? '' : ','}`;
  return { head, fields, tail: `${add.members ?? ''}}` };
}

function withoutNulls(record: StoredRecord): string {
  const kept = Object.entries(recordFields(record)).filter(([, value]) => value !== null);
  return serialiseFields(Object.fromEntries(kept));
}
