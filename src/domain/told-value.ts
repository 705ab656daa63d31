import { type Comparable, equalValues } from './equal.ts';
import { isExactNumber, type Json } from './json.ts';

/** A part of a value is compared as JSON. */
export const PART: Comparable = { kind: 'json', caseInsensitive: false };

/**
 * Whether the CRM may have made `held` of what was `told`: it changes case, blanks and punctuation
 * of texts, and adds parts of its own to an object.
 */
export function isAlike(field: Comparable, told: Json, held: Json): boolean {
  if (equalValues(field, told, held) || (isBlank(told) && isBlank(held))) return true;
  if (typeof told === 'string' && typeof held === 'string') return gist(told) === gist(held);
  if (Array.isArray(told) && Array.isArray(held)) {
    const items: readonly Json[] = held;
    return (
      told.length === items.length &&
      told.every((item: Json, at) => isAlike(PART, item, items[at] ?? null))
    );
  }
  const parts = partsOf(held);
  const named = partsOf(told);
  return (
    named.size > 0 &&
    [...named].every(([name, part]) => isAlike(PART, part, parts.get(name) ?? null))
  );
}

function isBlank(value: Json): boolean {
  return value === null || (typeof value === 'string' && value.trim() === '');
}

function gist(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase();
  return folded.replace(/[^\p{L}\p{N}]/gu, '') || folded.trim();
}

/** What an object holds by its keys; nothing of any other value. */
export function partsOf(value: Json): ReadonlyMap<string, Json> {
  if (value === null || typeof value !== 'object' || isExactNumber(value)) return new Map();
  return new Map(Array.isArray(value) ? [] : Object.entries(value));
}

/** What stands in a value at these keys and indexes; null where nothing does. */
export function partOf(value: Json, path: readonly string[]): Json {
  let part = value;
  for (const name of path) {
    if (part === null || typeof part !== 'object' || isExactNumber(part)) return null;
    part = Object.entries(part).find(([key]) => key === name)?.[1] ?? null;
  }
  return part;
}

/** Where an item stood that was told after those behind it. */
const HOLE: Json = Object.freeze({});

/** Whether a list lacks items that were not told of. */
export function isHoley(value: Json): boolean {
  if (value === HOLE) return true;
  if (Array.isArray(value)) return value.some((item: Json) => isHoley(item));
  return [...partsOf(value).values()].some(isHoley);
}

/**
 * A part put where it was: of a list, one that came is taken out and one that went put back in.
 * Those that went together may be named by where each stood, and are put back the last one first.
 */
export function withPart(
  value: Json,
  [name, ...within]: readonly string[],
  how: { readonly part: Json; readonly isBack: boolean },
): Json {
  if (name === undefined) return how.part;
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    const at = Number(name);
    const item = items[at];
    if (within.length > 0) {
      return item === undefined ? items : items.with(at, withPart(item, within, how));
    }
    if (how.isBack && at > items.length) {
      return [...items, ...Array.from({ length: at - items.length }, () => HOLE), how.part];
    }
    const gone = how.isBack && item !== HOLE ? 0 : 1;
    return items.toSpliced(at, gone, ...(how.part === null ? [] : [how.part]));
  }
  const parts = partsOf(value);
  return {
    ...Object.fromEntries(parts),
    [name]: withPart(parts.get(name) ?? null, within, how),
  };
}
