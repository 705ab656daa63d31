import type { FieldChanges } from '../../domain/merge-record.ts';
import { decodeExtra, encodeExtra } from '../mirror/extra.ts';

/** Changes as jsonb can hold them: a value it cannot is escaped as in `_extra`. */
export function encodeChanges(changes: FieldChanges): FieldChanges {
  return Object.fromEntries(
    Object.entries(changes).map(([field, { base, value }]) => [
      field,
      { base: encodeExtra(base), value: encodeExtra(value) },
    ]),
  );
}

/** The inverse of {@link encodeChanges}; the trigger takes a base from `_extra` as it stands. */
export function decodeChanges(changes: FieldChanges): FieldChanges {
  return Object.fromEntries(
    Object.entries(changes).map(([field, { base, value }]) => [
      field,
      { base: decodeExtra(base), value: decodeExtra(value) },
    ]),
  );
}
