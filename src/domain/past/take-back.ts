import { isExactNumber, type Json } from '../json.ts';
import type { Field } from '../schema.ts';
import { isAlike, isHoley, PART, partOf, withPart } from '../told-value.ts';
import type { PastChange } from './event.ts';

/** What one event says of a field, held against what stood after it. */
export interface TakenBack {
  /** Whether the event can have led to what stood after it; null where that is not known. */
  readonly fits: boolean | null;
  /** What it made of the field, by the event alone; undefined where it tells only a part, or nothing. */
  readonly told: Json | undefined;
  /** What stood before it; undefined where that is not told, or does not follow. */
  readonly before: Json | undefined;
}

/**
 * Takes back what an event changed of a field, the last difference first.
 *
 * @param after what stood after it; undefined where that is not known.
 */
export function takeBack(
  field: Field,
  changes: readonly PastChange[],
  after: Json | undefined,
): TakenBack {
  const last = changes.at(-1);
  const told = last?.within.length === 0 ? last.value : undefined;
  let fits = after === undefined ? null : true;
  let state = after === undefined ? told : after;
  for (const change of changes.toReversed()) {
    if (state !== undefined && !hasMade(field, change, state)) {
      fits = after === undefined ? null : false;
      state = undefined;
    }
    state = undone(field, change, state);
  }
  if (state !== undefined && isHoley(state)) return { fits, told, before: undefined };
  return { fits, told, before: state };
}

/** Whether a value can be what this difference made of it. */
function hasMade(field: Field, { within, value }: PastChange, state: Json): boolean {
  if (within.length === 0) return value === undefined || isAlike(field, value, state);
  const place = placeOf(filled(field, state), within);
  if (place === null) return false;
  // Of a list that something was taken from, what follows has moved up.
  if (value === undefined || (value === null && place.isItem)) return true;
  return isAlike(PART, value, place.part);
}

function undone(field: Field, change: PastChange, state: Json | undefined): Json | undefined {
  const { within, value, was } = change;
  if (within.length === 0 || was === undefined) return within.length === 0 ? was : undefined;
  if (state === undefined) return undefined;
  return withPart(filled(field, state), within.map(String), { part: was, isBack: value === null });
}

/** A collection of which nothing is left may stand as null. */
function filled({ kind }: Field, value: Json): Json {
  return kind === 'texts' && value === null ? [] : value;
}

/** The part at a path, null where there is none; null in all where it has no place to be. */
function placeOf(
  value: Json,
  path: readonly (string | number)[],
): { readonly part: Json; readonly isItem: boolean } | null {
  let place: { readonly part: Json; readonly isItem: boolean } = { part: value, isItem: false };
  for (const name of path) {
    const { part } = place;
    if (part === null || typeof part !== 'object' || isExactNumber(part)) return null;
    const isItem = Array.isArray(part);
    if (isItem && !/^\d+$/.test(String(name))) return null;
    place = { part: partOf(part, [String(name)]), isItem };
  }
  return place;
}
