import { compareNumber } from 'lossless-json';
import { type ExactNumber, isExactNumber, type Json } from './json.ts';
import { normalForm, normalValue } from './normal-form.ts';
import type { Field } from './schema.ts';

/** What of a field says how its values compare. */
export type Comparable = Pick<Field, 'kind' | 'caseInsensitive' | 'normal' | 'scale'>;

/**
 * Whether two values of one field are the same to both sides: timestamps to the millisecond,
 * numbers to four decimals, or as many as the CRM keeps, and to the last where it promises none,
 * e-mail and domain without case, null equal to an empty collection, order kept.
 */
export function equalValues(field: Comparable, a: Json, b: Json): boolean {
  if (a === b) return true;
  const isNothing = field.normal === 'trimmed' ? isBlank : isEmpty;
  if (isNothing(a) && isNothing(b)) return true;
  if (a === null || b === null) return false;
  switch (field.kind) {
    case 'number':
      return equalNumbers(field, a, b);
    case 'timestamp':
      return equalTimestamps(a, b);
    case 'texts':
      return equalTexts(field, a, b);
    case 'text':
      return typeof a === 'string' && typeof b === 'string'
        ? textKey(field, a) === textKey(field, b)
        : equalJson(a, b);
    case 'json': {
      const { normal } = field;
      const [left, right] = normal ? [normalValue(normal, a), normalValue(normal, b)] : [a, b];
      return equalJson(left, right);
    }
    default:
      return equalJson(a, b);
  }
}

/**
 * Whether two values are the same to whoever wrote them: as `equalValues`, but case counts. That
 * two addresses are one decides who conflicts and who is meant, not whether an edit is delivered.
 */
export function sameValue(field: Field, a: Json, b: Json): boolean {
  const isLoose = field.caseInsensitive || field.normal !== undefined;
  return equalValues(isLoose ? { kind: field.kind, caseInsensitive: false } : field, a, b);
}

/** Null, `[]`, `{}` and `{items: []}` all say "nothing in it". */
function isEmpty(value: Json): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object' || isExactNumber(value)) return false;
  const keys = Object.keys(value);
  if (keys.length === 0) return true;
  const [items] = keys.length === 1 && keys[0] === 'items' ? Object.values(value) : [];
  return Array.isArray(items) && items.length === 0;
}

/** Of numbers with a scale: what is finer than this makes no difference, however little is kept. */
const LEAST_SCALE = 4;

/** Where nothing is left of a text there is none. */
function isBlank(value: Json): boolean {
  return typeof value === 'string' ? value.trim() === '' : isEmpty(value);
}

function equalNumbers({ scale }: Comparable, a: Json, b: Json): boolean {
  if (scale === undefined) return equalJson(a, b);
  const decimals = Math.max(LEAST_SCALE, scale);
  const left = scaled(a, decimals);
  const right = scaled(b, decimals);
  return left === null || right === null ? equalJson(a, b) : left === right;
}

/** Digits before and after the point, and the power of ten. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** No number of a CRM is larger; writing it out would cost memory. */
const LARGEST_EXPONENT = 10_000;

/**
 * The value with so many decimals and without the point, rounded half away from zero as `numeric`
 * does; exact whatever the size. Null where it is no number.
 */
function scaled(value: Json, decimals: number): bigint | null {
  if (!isNumeric(value)) return null;
  const match = DECIMAL.exec(String(value));
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (Number(exponent) > LARGEST_EXPONENT) return null;
  const shift = Number(exponent) + decimals;
  const point = whole.length + shift;
  const digits = whole + fraction;
  const padded = digits.padEnd(Math.max(point, 0), '0');
  const kept = point > 0 ? padded.slice(0, point) : '0';
  const next = point >= 0 ? (padded[point] ?? '0') : '0';
  const magnitude = BigInt(kept) + (next >= '5' ? 1n : 0n);
  return sign === '-' ? -magnitude : magnitude;
}

/** A day alone is its first moment in UTC; a time of day without a zone could be anything. */
const INSTANT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/;

function equalTimestamps(a: Json, b: Json): boolean {
  const left = toMilliseconds(a);
  const right = toMilliseconds(b);
  return left === null || right === null ? equalJson(a, b) : left === right;
}

/** Null for what is no instant: `Date.parse` alone would make one of `note 1`. */
function toMilliseconds(value: Json): number | null {
  if (typeof value !== 'string' || !INSTANT.test(value)) return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}

function equalTexts(field: Comparable, a: Json, b: Json): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return equalJson(a, b);
  const right: readonly Json[] = b;
  return (
    a.length === right.length &&
    a.every((item: Json, i) => itemKey(field, item) === itemKey(field, right[i] ?? null))
  );
}

/** What identifies an item of a collection; a JSON text for anything but a string. */
export function itemKey(field: Comparable, item: Json): string {
  if (typeof item !== 'string') return JSON.stringify(item);
  return textKey(field, item);
}

/** A list without what it holds once more, by the field's own measure; anything else as it is. */
export function distinctItems(field: Comparable, value: Json): Json {
  if (!Array.isArray(value)) return value;
  const items: readonly Json[] = value;
  const seen = new Set<string>();
  return items.filter((item) => seen.size < seen.add(itemKey(field, item)).size);
}

function textKey({ caseInsensitive, normal }: Comparable, text: string): string {
  const key = normal === undefined ? text : normalForm(normal, text);
  return caseInsensitive ? key.toLowerCase() : key;
}

/**
 * Deep equality; the order of keys does not matter, that of items does. Numbers are compared by
 * value, digit for digit: jsonb writes `1e30` out in full.
 */
export function equalJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isNumeric(a) || isNumeric(b)) {
    return isNumeric(a) && isNumeric(b) && compareNumber(String(a), String(b)) === 0;
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    const right: readonly Json[] = b;
    return a.every((item: Json, i) => equalJson(item, right[i] ?? null));
  }
  const left = Object.entries(a);
  const right = new Map(Object.entries(b));
  return (
    left.length === right.size &&
    left.every(([key, value]) => {
      const other = right.get(key);
      return other !== undefined && equalJson(value, other);
    })
  );
}

function isNumeric(value: Json): value is number | ExactNumber {
  return typeof value === 'number' || isExactNumber(value);
}
