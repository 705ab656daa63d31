import { equalJson, equalValues } from './equal.ts';
import { isExactNumber, type Json } from './json.ts';
import type { RemoteRecord } from './record.ts';
import type { Field } from './schema.ts';

/** One field that somebody changed in the CRM, as the record's history tells it. */
export interface FieldWrite {
  readonly field: string;
  /** Where inside the field's value, where only a part of it was changed. */
  readonly within: readonly string[];
  /** What it became. */
  readonly value: Json;
  /** What it was before. */
  readonly was: Json;
  /** Whether the record was created with it. */
  readonly isBirth: boolean;
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

/** What a record held when it was created. */
export interface Birth {
  readonly fields: Readonly<Record<string, Json>>;
  /** Whether the history reaches back to the creation, so that nothing else can have been. */
  readonly isTold: boolean;
}

/** Takes back what a history, newest first, tells of a record. */
export function birthOf(record: RemoteRecord, history: readonly FieldWrite[]): Birth {
  const fields = new Map(Object.entries(record.fields));
  for (const { field, within, value, was, isBirth } of history) {
    fields.set(field, withPart(fields.get(field) ?? null, within, isBirth ? value : was));
  }
  const isTold = history.some(({ isBirth }) => isBirth);
  return { fields: Object.fromEntries(fields), isTold };
}

function withPart(value: Json, [name, ...within]: readonly string[], part: Json): Json {
  if (name === undefined) return part;
  const parts =
    typeof value === 'object' && !isExactNumber(value) ? Object.entries(value ?? {}) : [];
  const kept = parts.find(([key]) => key === name)?.[1] ?? null;
  return { ...Object.fromEntries(parts), [name]: withPart(kept, within, part) };
}

function partOf(value: Json, path: readonly string[]): Json {
  let part = value;
  for (const name of path) {
    if (part === null || typeof part !== 'object' || isExactNumber(part)) return null;
    part = Object.entries(part).find(([key]) => key === name)?.[1] ?? null;
  }
  return part;
}
