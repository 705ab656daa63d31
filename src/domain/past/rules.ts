import type { Json } from '../json.ts';
import type { Field } from '../schema.ts';
import { isAlike } from '../told-value.ts';
import type { PastChange, PastEvent } from './event.ts';
import { type TakenBack, takeBack } from './take-back.ts';

/*
 * What makes a past true, one function each. `record-past-mutants.test.ts` breaks each of them and
 * expects `record-past-property.test.ts` to notice.
 */

/** Ids of records merged into a record, of which every record is born without any. */
export const MERGED: Field = {
  name: '_merged_ids',
  kind: 'texts',
  label: null,
  unique: false,
  caseInsensitive: false,
  parts: [],
  relationship: null,
};

/** What a field held from one instant until another; undefined where nobody knows. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly value: Json | undefined;
}

/** A field as a record was first seen with it. */
export interface SeenField {
  readonly field: Field;
  readonly value: Json;
  /** Since when it was seen. */
  readonly sinceMs: number;
  /** The version that was seen, by the CRM's clock: what happened after it may not be in it. */
  readonly versionMs: number | null;
}

/** What an event has to do with one field. */
export type Says = 'nothing' | 'something' | 'vague';

export function saysOf({ kind, changes, isTold }: PastEvent, field: Field): Says {
  if (field === MERGED) {
    return kind === 'merge' ? 'vague' : kind === 'create' ? 'something' : 'nothing';
  }
  if (changes.some((change) => change.field === field.name)) return 'something';
  // A record that is created with some fields has none of the others.
  if (kind === 'create') return isTold ? 'something' : 'nothing';
  return isTold ? 'nothing' : 'vague';
}

export function changesOf({ kind, changes }: PastEvent, field: Field): readonly PastChange[] {
  const own = changes.filter((change) => change.field === field.name);
  if (kind !== 'create') return own;
  const value = own.find(({ within }) => within.length === 0)?.value ?? null;
  return [{ field: field.name, within: [], value, was: undefined }];
}

/** What stood between an event of the field and the next one, as that and what is vague tell it. */
export interface Between {
  readonly fromMs: number;
  /** What stood before the next event, and when that was. */
  readonly next: { readonly value: Json | undefined; readonly atMs: number };
  /** When something changed that is not told, newest first. */
  readonly vagueMs: readonly number[];
}

/**
 * What is known between two events of a field, newest first. Where both ends agree it stood all the
 * time; where they differ it changed with what is not told, and if there is nothing of that kind,
 * nobody knows when. Between two changes that are not told it may have been anything.
 */
export function stretch(
  { fromMs, next, vagueMs }: Between,
  { fits, told }: TakenBack,
): readonly Span[] {
  const toMs = next.atMs;
  const [newest = null] = vagueMs;
  const oldest = vagueMs.at(-1) ?? null;
  // Of two changes the second may have undone the first.
  const isAgreed = fits === true && told !== undefined && vagueMs.length === 1;
  if (newest === null || oldest === null || isAgreed) {
    const known = next.value === undefined ? told : next.value;
    return [{ fromMs, toMs, value: fits === false ? undefined : known }];
  }
  return [
    { fromMs: newest, toMs, value: next.value },
    { fromMs: oldest, toMs: newest, value: undefined },
    { fromMs, toMs: oldest, value: told },
  ];
}

/** What stood before an event: a part tells nothing of the rest, which what is vague may have changed. */
export function beforeOf({ vagueMs }: Between, { told, before }: TakenBack): Json | undefined {
  return vagueMs.length > 0 && told === undefined ? undefined : before;
}

/**
 * Stretches that followed from parts alone. A part that fits says nothing of the others: where the
 * event before them contradicts, any of them may be wrong.
 */
export function settled(
  open: readonly Span[],
  { vagueMs }: Between,
  { fits }: TakenBack,
): readonly Span[] {
  if (fits !== false || vagueMs.length > 0) return open;
  return open.map((span) => ({ ...span, value: undefined }));
}

/** Whether what was gone through so far is settled: no older event speaks of it. */
export function isSettled(
  changes: readonly PastChange[],
  between: Between,
  taken: TakenBack,
): boolean {
  if (changes.some(({ within }) => within.length === 0)) return true;
  return taken.fits !== true || beforeOf(between, taken) === undefined;
}

/**
 * Whether an event came after the version that was seen: what stood before it is what was seen.
 *
 * @param older the event before it; null where there is none that tells.
 */
export function isAhead(
  { field, value, versionMs }: SeenField,
  { atMs }: PastEvent,
  { fits, before }: TakenBack,
  older: PastEvent | null,
): boolean {
  if (fits !== false || (versionMs !== null && atMs <= versionMs)) return false;
  if (before !== undefined) return isAlike(field, before, value);
  if (older === null) return false;
  const { told } = takeBack(field, changesOf(older, field), undefined);
  return told !== undefined && isAlike(field, told, value);
}
