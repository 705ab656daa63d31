import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf } from '../kernel/fields.ts';
import { createListing, type Listing } from './listing.ts';
import { isToOne, type ObjectDefinition } from './object-definition.ts';
import { type StoredRecord } from './stored-record.ts';

export interface Deletion {
  readonly record: StoredRecord;
  readonly deletedMs: number;
  readonly showAtMs: number;
  readonly merged: boolean;
}

/** All that is known of one object, with the indexes that writes keep up to date. */
export interface ObjectState {
  definition: ObjectDefinition;
  readonly records: Map<string, StoredRecord>;
  readonly listing: Listing;
  /** Field → normalised value → id of the record that has it. */
  readonly unique: Map<string, Map<string, string>>;
  /** To-one field → id it points at → ids of the records pointing there. */
  readonly references: Map<string, Map<string, Set<string>>>;
  /** In the order of deletion. */
  readonly deletions: Deletion[];
  /** Records the key's owner may not see (made private in the app). */
  readonly hidden: Map<string, StoredRecord>;
  nextOrder: number;
  /** Pages of the list served so far. */
  listsServed: number;
}

export function createObjectState(
  definition: ObjectDefinition,
  nullUntilEdit: () => boolean,
): ObjectState {
  const records = new Map<string, StoredRecord>();
  return {
    definition,
    records,
    listing: createListing({ records, nullUntilEdit }),
    unique: new Map(),
    references: new Map(),
    deletions: [],
    hidden: new Map(),
    nextOrder: 0,
    listsServed: 0,
  };
}

/** What a unique field's value is known by: every item of a collection, without case. */
export function uniqueKeys(value: Json): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return itemsOf(value).map((item) => item.trim().toLowerCase());
}

/** The strings of a collection's value, `{items: […]}`. */
export function itemsOf(value: Json): string[] {
  if (typeof value !== 'object' || value === null || !('items' in value)) return [];
  const { items } = value;
  if (!Array.isArray(items)) return [];
  return items.filter((item): item is string => typeof item === 'string');
}

export interface Change {
  readonly before: StoredRecord | null;
  readonly after: StoredRecord | null;
  /** Null exactly where the record is. */
  readonly fieldsBefore: Fields | null;
  readonly fieldsAfter: Fields | null;
}

/** Puts a new version in place of the old in every index; lists follow at `showAtMs`. */
export function applyChange(state: ObjectState, change: Change, showAtMs: number | null): void {
  const id = change.after?.id ?? change.before?.id;
  if (id === undefined) return;
  if (change.after === null) state.records.delete(id);
  else state.records.set(id, change.after);
  indexFields(state, id, change.fieldsBefore, change.fieldsAfter);
  state.listing.replace(change.before, change.after, showAtMs);
}

export function indexFields(
  state: ObjectState,
  id: string,
  before: Fields | null,
  after: Fields | null,
): void {
  for (const field of state.definition.fields) {
    if (field.unique !== true && !isToOne(field)) continue;
    const oldValue = before === null ? null : fieldOf(before, field.name);
    const newValue = after === null ? null : fieldOf(after, field.name);
    if (field.unique === true) {
      const owners = entry(state.unique, field.name, () => new Map<string, string>());
      for (const key of uniqueKeys(oldValue)) if (owners.get(key) === id) owners.delete(key);
      for (const key of uniqueKeys(newValue)) owners.set(key, id);
    }
    if (isToOne(field) && oldValue !== newValue) {
      const pointing = entry(state.references, field.name, () => new Map<string, Set<string>>());
      if (typeof oldValue === 'string') pointing.get(oldValue)?.delete(id);
      if (typeof newValue === 'string') entry(pointing, newValue, () => new Set()).add(id);
    }
  }
}

export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
