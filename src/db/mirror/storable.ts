import { isExactNumber, type Json, stringifyJson } from '../../domain/json.ts';
import { isStorableText } from '../../domain/names.ts';

/** Postgres parses jsonb recursively, within a stack we do not know: stay far below. */
const MAX_DEPTH = 1000;

/** What `numeric` holds before and after the decimal point. */
const MAX_INTEGER_DIGITS = 131_072;
const MAX_FRACTION_DIGITS = 16_383;

const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Whether `numeric` (and a number inside jsonb) holds it digit for digit. */
export function isStorableNumber(digits: string): boolean {
  const match = NUMBER.exec(digits);
  if (match === null) return false;
  const [, whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  return (
    whole.length + exponent <= MAX_INTEGER_DIGITS &&
    fraction.length - exponent <= MAX_FRACTION_DIGITS
  );
}

/** What only a closer look can tell from a text Postgres refuses. Over JSON text: it may err. */
const SUSPECT = /\\u0000|\\u[dD][89a-fA-F]|"isLosslessNumber"/;

/** The value as JSON text that a jsonb column takes; null where none does. */
export function jsonbText(value: Json): string | null {
  const text = jsonText(value);
  if (text === null) return null;
  // Each level takes two characters at least.
  if (text.length > 2 * MAX_DEPTH && isTooDeep(value)) return null;
  if (!SUSPECT.test(text)) return text;
  return isStorable(value) ? stringifyJson(value) : null;
}

/** Null where the value nests deeper than the stack. */
function jsonText(value: Json): string | null {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function isTooDeep(value: Json): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap(children);
  }
  return false;
}

function children(value: Json): Json[] {
  return value === null || typeof value !== 'object' || isExactNumber(value)
    ? []
    : Object.values(value);
}

function isStorable(value: Json): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (value === null || typeof value !== 'object') return true;
  if (isExactNumber(value)) return isStorableNumber(value.value);
  return Object.entries(value).every(([key, item]) => isStorableText(key) && isStorable(item));
}
