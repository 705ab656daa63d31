import { ExactNumber, isExactNumber, type Json } from './json.ts';
import type { Field } from './schema.ts';

/**
 * Whether two values of one field are the same to both sides: timestamps to the millisecond,
 * numbers to four decimals, e-mail and domain without case, null equal to an empty collection,
 * order kept.
 */
export function equalValues(field: Field, a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isEmpty(a) && isEmpty(b)) return true;
  if (a === null || b === null) return false;
  switch (field.kind) {
    case 'number':
      return equalNumbers(a, b);
    case 'timestamp':
      return equalTimestamps(a, b);
    case 'texts':
      return equalTexts(field, a, b);
    case 'text':
      return field.caseInsensitive && typeof a === 'string' && typeof b === 'string'
        ? a.toLowerCase() === b.toLowerCase()
        : equalJson(a, b);
    default:
      return equalJson(a, b);
  }
}

/** Null, `[]`, `{}` and `{items: []}` all say "nothing in it". */
function isEmpty(value: Json): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object' || isExactNumber(value)) return false;
  const keys = Object.keys(value);
  if (keys.length === 0) return true;
  const items = (value as { readonly items?: Json }).items;
  return keys.length === 1 && Array.isArray(items) && items.length === 0;
}

function equalNumbers(a: Json, b: Json): boolean {
  const left = toTenThousandths(a);
  const right = toTenThousandths(b);
  return left === null || right === null ? equalJson(a, b) : left === right;
}

/** Digits before and after the point, and the power of ten. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * The value in ten-thousandths, rounded half away from zero as `numeric(16,4)` does; exact
 * whatever the size. Null where it is no number.
 */
function toTenThousandths(value: Json): bigint | null {
  if (typeof value !== 'number' && !isExactNumber(value)) return null;
  const match = DECIMAL.exec(String(value));
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent) + 4;
  const point = whole.length + shift;
  const digits = whole + fraction;
  const padded = digits.padEnd(Math.max(point, 0), '0');
  const kept = point > 0 ? padded.slice(0, point) : '0';
  const next = point >= 0 ? (padded[point] ?? '0') : '0';
  const magnitude = BigInt(kept) + (next >= '5' ? 1n : 0n);
  return sign === '-' ? -magnitude : magnitude;
}

function equalTimestamps(a: Json, b: Json): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return equalJson(a, b);
  const left = Date.parse(a);
  const right = Date.parse(b);
  return Number.isNaN(left) || Number.isNaN(right) ? a === b : left === right;
}

function equalTexts(field: Field, a: Json, b: Json): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return equalJson(a, b);
  const right: readonly Json[] = b;
  return (
    a.length === right.length &&
    a.every((item: Json, i) => itemKey(field, item) === itemKey(field, right[i] ?? null))
  );
}

/** What identifies an item of a collection; a JSON text for anything but a string. */
export function itemKey(field: Field, item: Json): string {
  if (typeof item !== 'string') return JSON.stringify(item);
  return field.caseInsensitive ? item.toLowerCase() : item;
}

/** Deep equality; the order of keys does not matter, that of items does. */
export function equalJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') {
    return (isExactNumber(a) || isExactNumber(b)) && String(a) === String(b);
  }
  if (a instanceof ExactNumber || b instanceof ExactNumber) return String(a) === String(b);
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
