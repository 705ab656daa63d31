import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf, isObject, withFields } from '../kernel/fields.ts';
import { itemsOf } from './object-state.ts';
import { withFullName } from './validate.ts';
import type { FieldMeta } from './write-body.ts';

/** Applies checked values to a record's fields, each in the way `meta` says; else it replaces. */
export function changeFields(
  fields: Fields,
  changes: ReadonlyMap<string, Json>,
  meta: ReadonlyMap<string, FieldMeta>,
  sent: Fields,
): Fields {
  const changed = [...changes].map(([name, value]): [string, Json] => {
    const how = meta.get(name);
    const old = fieldOf(fields, name);
    if (how === undefined) return [name, value];
    if (how.object === 'merge' && isObject(old))
      return [name, mergeObject(old, fieldOf(sent, name))];
    if (how.array === 'append' && Array.isArray(value)) return [name, union(old, value)];
    if (how.collection === 'append') return [name, appendItems(old, value)];
    if (how.collection === 'remove') return [name, removeItems(old, value)];
    return [name, value];
  });
  return withFields(fields, changed);
}

function mergeObject(old: Fields, sent: Json): Json {
  if (!isObject(sent)) return sent;
  const merged = withFields(old, Object.entries(sent));
  if (!('full_name' in old)) return merged;
  return withFullName(withFields(merged, [['full_name', fieldOf(sent, 'full_name')]]));
}

function union(old: Json, added: readonly Json[]): Json {
  const kept: readonly Json[] = Array.isArray(old) ? old : [];
  return [...new Set([...kept, ...added])];
}

/** Adds what is not there yet, told apart without case. */
export function appendItems(old: Json, added: Json): Json {
  const items = itemsOf(old);
  const known = new Set(items.map((item) => item.toLowerCase()));
  return { items: [...items, ...itemsOf(added).filter((item) => !known.has(item.toLowerCase()))] };
}

function removeItems(old: Json, removed: Json): Json {
  const gone = new Set(itemsOf(removed).map((item) => item.toLowerCase()));
  return { items: itemsOf(old).filter((item) => !gone.has(item.toLowerCase())) };
}
