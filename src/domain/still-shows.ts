import { distinctItems, equalJson, equalValues } from './equal.ts';
import { isExactNumber, type Json } from './json.ts';
import type { Field } from './schema.ts';

/**
 * Whether a row still shows a value that was sent. The CRM adds parts of its own to an object (a
 * full name to first and last): those sent have to be there as they were. Of a list it keeps each
 * item once.
 */
export function stillShows(field: Field, sent: Json, shown: Json): boolean {
  if (equalValues(field, sent, shown)) return true;
  if (field.kind === 'texts') return equalValues(field, distinctItems(field, sent), shown);
  if (field.kind !== 'json' || !isObject(sent) || !isObject(shown)) return false;
  const parts = new Map(Object.entries(shown));
  const names = Object.entries(sent);
  return (
    names.length > 0 && names.every(([name, part]) => equalJson(part, parts.get(name) ?? null))
  );
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return (
    value !== null && typeof value === 'object' && !Array.isArray(value) && !isExactNumber(value)
  );
}
