import { distinctItems, equalJson, equalValues, itemKey, sameValue } from './equal.ts';
import type { Json } from './json.ts';
import type { Field } from './schema.ts';

export type ConflictPolicy = 'newest' | 'remote' | 'local' | 'manual';

export interface FieldVersions {
  /** As both sides last agreed. */
  readonly base: Json;
  readonly local: Json;
  readonly remote: Json;
}

export interface WriteTimes {
  /** When the local edit was made, epoch milliseconds by the CRM's clock. */
  readonly localMs: number;
  /** When the remote edit was made; null where the CRM does not say. */
  readonly remoteMs: number | null;
}

/**
 * What becomes of a field with a pending local edit when a remote version arrives:
 *
 * - `settled` both sides hold the remote value now: nothing is left to send
 * - `pending` the local value still has to be sent
 * - `merged` `value` has to be sent instead: both edits went into it
 * - `overtaken` only its case was changed here, and it is another value there by now
 * - `open` a person has to decide; the row keeps the local value until then
 *
 * `conflict` is true where both sides changed the field to different values (invariant 5), and
 * `byTime` where the later of them was to win.
 */
export type FieldOutcome =
  | { readonly kind: 'settled'; readonly conflict: boolean; readonly byTime?: true }
  | { readonly kind: 'pending'; readonly conflict: boolean; readonly byTime?: true }
  | { readonly kind: 'merged'; readonly conflict: boolean; readonly value: Json }
  | { readonly kind: 'overtaken'; readonly conflict: false }
  | { readonly kind: 'open'; readonly conflict: true };

/** Three-way merge of one field against its base. */
export function mergeField(
  field: Field,
  versions: FieldVersions,
  policy: ConflictPolicy,
  times: WriteTimes,
): FieldOutcome {
  const { base, local, remote } = versions;
  if (sameValue(field, local, remote)) return { kind: 'settled', conflict: false };
  const unconflicted = (value: Json): FieldOutcome =>
    equalJson(value, local)
      ? { kind: 'pending', conflict: false }
      : { kind: 'merged', conflict: false, value };
  if (sameValue(field, local, base)) return { kind: 'settled', conflict: false };
  if (equalValues(field, remote, base)) {
    return unconflicted(respell(field, local, { base, other: remote }));
  }
  if (equalValues(field, local, remote)) return { kind: 'pending', conflict: false };
  if (equalValues(field, local, base)) {
    const respelt = respell(field, remote, { base, other: local });
    return equalJson(respelt, remote)
      ? { kind: 'overtaken', conflict: false }
      : unconflicted(respelt);
  }
  // One that holds each item once says no less.
  if (field.kind === 'texts' && equalValues(field, distinctItems(field, local), remote)) {
    return { kind: 'settled', conflict: false };
  }
  const merged = field.kind === 'texts' ? mergeItems(field, versions) : null;
  if (merged !== null && policy !== 'manual') {
    return sameValue(field, merged, remote)
      ? { kind: 'settled', conflict: true }
      : { kind: 'merged', conflict: true, value: merged };
  }
  switch (policy) {
    case 'remote':
      return { kind: 'settled', conflict: true };
    case 'local':
      return { kind: 'pending', conflict: true };
    case 'manual':
      return { kind: 'open', conflict: true };
    case 'newest':
      // A tie goes to the CRM: it is the side other people look at.
      return times.remoteMs !== null && times.remoteMs >= times.localMs
        ? { kind: 'settled', conflict: true, byTime: true }
        : { kind: 'pending', conflict: true, byTime: true };
  }
}

/** Takes over where the other side, alone, spells an item of a list in another way than before. */
function respell(field: Field, value: Json, sides: { readonly base: Json; readonly other: Json }) {
  const [items, before, after] = [value, sides.base, sides.other].map(listOf);
  if (field.kind !== 'texts' || value === null || !items || !before || !after) return value;
  const untouched = new Set(before);
  const kept = new Set(after);
  const spelt = new Map(after.map((item) => [itemKey(field, item), item]));
  return items.map((item) =>
    untouched.has(item) && !kept.has(item) ? (spelt.get(itemKey(field, item)) ?? item) : item,
  );
}

function listOf(value: Json): readonly Json[] | null {
  return value === null ? [] : Array.isArray(value) ? (value as readonly Json[]) : null;
}

/**
 * Set merge: the remote items, without those taken out locally, then those added locally. Null
 * where a value is no list, so that nothing can be merged.
 */
function mergeItems(field: Field, { base, local, remote }: FieldVersions): Json[] | null {
  const spelt = respell(field, remote, { base, other: local });
  const [baseItems, localItems, remoteItems] = [base, local, spelt].map(listOf);
  if (!baseItems || !localItems || !remoteItems) return null;
  const keys = (items: readonly Json[]) => new Set(items.map((item) => itemKey(field, item)));
  const inBase = keys(baseItems);
  const inLocal = keys(localItems);
  const inRemote = keys(remoteItems);
  const kept = remoteItems.filter((item) => {
    const key = itemKey(field, item);
    return !inBase.has(key) || inLocal.has(key);
  });
  const added = new Map<string, Json>();
  for (const item of localItems) {
    const key = itemKey(field, item);
    if (!inBase.has(key) && !inRemote.has(key) && !added.has(key)) added.set(key, item);
  }
  return [...kept, ...added.values()];
}
