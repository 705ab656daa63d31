import { equalValues } from './equal.ts';
import type { Json } from './json.ts';
import type { Field } from './schema.ts';
import { stillShows } from './still-shows.ts';

/**
 * What a record says of a value that was sent:
 *
 * - `taken` it shows the value, or one that is neither it nor the one before: what the CRM made of
 *   it, or what somebody wrote since
 * - `untaken` it shows what was there before
 * - `silent` it has no such field
 */
export type Evidence = 'taken' | 'untaken' | 'silent';

/** `base`: the value before, where it is known. */
export function evidenceOf(
  field: Field,
  { value, base }: { readonly value: Json; readonly base: Json | undefined },
  shown: Json | undefined,
): Evidence {
  // Nothing, where nothing was sent: some servers leave out what is empty.
  if (stillShows(field, value, shown ?? null)) return 'taken';
  if (shown === undefined) return 'silent';
  return base !== undefined && equalValues(field, base, shown) ? 'untaken' : 'taken';
}
