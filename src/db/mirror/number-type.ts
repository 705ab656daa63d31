import { isExactNumber, type Json } from '../../domain/json.ts';
import type { Field } from '../../domain/schema.ts';
import { isStorableNumber } from './storable.ts';

/**
 * What a column of numbers may be: whole or with the scale that the CRM promises, a double where it
 * promises neither, and without any limit where a number came that its column does not hold.
 */
export const NUMBER_TYPES = [
  'smallint',
  'integer',
  'numeric(20,4)',
  'double precision',
  'numeric',
] as const;

export type NumberType = (typeof NUMBER_TYPES)[number];

export function isNumberType(type: string): type is NumberType {
  return NUMBER_TYPES.some((one) => one === type);
}

/** The scale of the one type that has one. */
const SCALE = 4;
/** Digits before the point that it holds. */
const WHOLE_DIGITS = 16;

export function wantedNumberType({ scale, integerBits }: Field): NumberType {
  if (integerBits !== undefined) return integerBits === 16 ? 'smallint' : 'integer';
  if (scale === undefined) return 'double precision';
  return scale <= SCALE ? 'numeric(20,4)' : 'numeric';
}

/** Integers stay below it, and reach down to its negative. */
const LIMITS = { smallint: 2 ** 15, integer: 2 ** 31 } as const;

/** SQL: every value of the column is one that the type holds exactly. */
export function fitsSql(type: NumberType, column: string): string {
  switch (type) {
    case 'smallint':
    case 'integer':
      return `(${column} BETWEEN ${-LIMITS[type]} AND ${LIMITS[type] - 1} AND ${column} = trunc(${column}))`;
    case 'numeric(20,4)':
      return `(abs(${column}) < 1e${WHOLE_DIGITS} AND ${column} = round(${column}, ${SCALE}))`;
    case 'double precision':
      return `CASE WHEN abs(${column}) < 1e300 THEN ${column}::float8::numeric = ${column} ELSE false END`;
    case 'numeric':
      return 'true';
  }
}

const PLAIN = /^-?\d{1,16}(?:\.\d{1,4})?$/;

/** The number as text, where a column of the type holds it exactly; else null. */
export function encodeNumber(type: NumberType, value: Json): string | null {
  const digits = digitsOf(value);
  if (digits === null) return null;
  switch (type) {
    case 'smallint':
    case 'integer':
      return wholeText(value, LIMITS[type]);
    case 'numeric(20,4)':
      return Number.isSafeInteger(value) || PLAIN.test(digits) || fitsScale(digits) ? digits : null;
    case 'double precision':
      return typeof value === 'number' ? digits : null;
    case 'numeric':
      return digits;
  }
}

/** Digits that a double would round are no such number, unless they are zeros. */
function wholeText(value: Json, limit: number): string | null {
  const number = isExactNumber(value) && WHOLE.test(value.value) ? Number(value.value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) return null;
  return number < limit && number >= -limit ? String(number) : null;
}

const WHOLE = /^-?\d+(?:\.0*)?$/;

function digitsOf(value: Json): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null;
  return isExactNumber(value) && isStorableNumber(value.value) ? value.value : null;
}

const NUMBER = /^-?0*(\d*)(?:\.(\d*?)0*)?(?:[eE]([+-]?\d+))?$/;

/** For the rare forms: an exponent, zeros at either end. */
function fitsScale(digits: string): boolean {
  const match = NUMBER.exec(digits);
  if (match === null) return false;
  const [, whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  const significant = `${whole}${fraction}`.replace(/^0+/, '');
  if (significant === '') return true;
  const trailing = /0*$/.exec(significant)?.[0].length ?? 0;
  // Digits after the point, and before it, once it is written out.
  const after = fraction.length - exponent - trailing;
  const before = significant.length - (fraction.length - exponent);
  return after <= SCALE && before <= WHOLE_DIGITS;
}
