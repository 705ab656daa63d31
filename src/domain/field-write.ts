import { equalJson, equalValues } from './equal.ts';
import { isExactNumber, type Json } from './json.ts';
import type { Field } from './schema.ts';

/** One field that somebody changed in the CRM, as the record's history tells it. */
export interface FieldWrite {
  readonly field: string;
  /** Where inside the field's value, where only a part of it was changed. */
  readonly within: readonly string[];
  /** What it became. */
  readonly value: Json;
  readonly atMs: number;
  readonly by: string | null;
}

/** When a field got the value it has, and from whom. */
export interface WrittenBy {
  readonly atMs: number;
  readonly by: string | null;
}

/**
 * The write that a value comes from, out of a history, newest first. One that made it something
 * else does not count: the history may be ahead of what was read, or leave something out.
 */
export function writeOf(
  field: Field,
  value: Json,
  history: readonly FieldWrite[],
): WrittenBy | null {
  const found = history.find((write) => {
    if (write.field !== field.name) return false;
    if (write.within.length === 0) return equalValues(field, write.value, value);
    // A place in a list says nothing of what the list is now.
    return field.kind === 'json' && equalJson(write.value, partOf(value, write.within));
  });
  return found ? { atMs: found.atMs, by: found.by } : null;
}

function partOf(value: Json, path: readonly string[]): Json {
  let part = value;
  for (const name of path) {
    if (part === null || typeof part !== 'object' || isExactNumber(part)) return null;
    part = Object.entries(part).find(([key]) => key === name)?.[1] ?? null;
  }
  return part;
}
