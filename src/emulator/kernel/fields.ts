import { isExactNumber, type Json } from '../../domain/json.ts';

export type Fields = Readonly<Record<string, Json>>;

/** Also a type guard at the boundary: what `parseJson` gives is JSON. */
export function isObject(value: unknown): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
  );
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Null where the field is missing; safe for names such as `__proto__`. */
export function fieldOf(fields: Fields, name: string): Json {
  return Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
}

export function withFields(fields: Fields, changes: Iterable<readonly [string, Json]>): Fields {
  return Object.fromEntries([...Object.entries(fields), ...changes]);
}
