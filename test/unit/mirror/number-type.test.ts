import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeNumber, wantedNumberType } from '../../../src/db/mirror/number-type.ts';
import { ExactNumber, type Json } from '../../../src/domain/json.ts';
import { field } from './schemas.ts';

const exact = (digits: string): Json => new ExactNumber(digits);

test.each<[Json, boolean, boolean]>([
  [0, true, true],
  [-1.5, true, true],
  [1.2345, true, true],
  [1.23456, false, true],
  [1e15, true, true],
  [9_999_999_999_999_998, true, true],
  [1e16, false, true],
  [1e21, false, true],
  [1e-4, true, true],
  [1e-5, false, true],
  [exact('1.2000000000000000000000'), true, false],
  [exact('1234567890123456.1234'), true, false],
  [exact('12345678901234567.1'), false, false],
  [exact('123456789012345678e-2'), true, false],
  [exact('12345678901234567e-5'), false, false],
  [exact('0.000000000000000000000e10'), true, false],
  [exact('1.00000000000000000001'), false, false],
  ['five', false, false],
  [null, false, false],
  [Number.NaN, false, false],
])('%j: with a scale %s, as a double %s', (value, scaled, double) => {
  expect(encodeNumber('numeric(20,4)', value) !== null).toBe(scaled);
  expect(encodeNumber('double precision', value) !== null).toBe(double);
});

test('what has a scale is let in exactly where four digits after the point hold it', () => {
  const digits = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
  fc.assert(
    fc.property(digits, fc.integer({ min: -12, max: 12 }), (mantissa, exponent) => {
      // In units of 10^-16, whole for every exponent.
      const units = mantissa * 10n ** BigInt(exponent + 16);
      const holds = units % 10n ** 12n === 0n && (units < 0n ? -units : units) < 10n ** 32n;
      const value = exact(`${mantissa}e${exponent}`);
      expect(encodeNumber('numeric(20,4)', value) !== null).toBe(holds);
      expect(encodeNumber('numeric', value)).not.toBeNull();
    }),
  );
});

test.each<[Json, string | null, string | null]>([
  [3, '3', '3'],
  [-0, '0', '0'],
  [3.5, null, null],
  [32_767, '32767', '32767'],
  [32_768, null, '32768'],
  [-32_769, null, '-32769'],
  [2 ** 31 - 1, null, '2147483647'],
  [-(2 ** 31), null, '-2147483648'],
  [2 ** 31, null, null],
  [exact('5.00000000000000000000'), '5', '5'],
  [exact('5.00000000000000000001'), null, null],
  [exact('12345678901234567890'), null, null],
  ['5', null, null],
  [true, null, null],
  [Number.NaN, null, null],
])('%j: as a smallint %s, as an integer %s', (value, small, whole) => {
  expect(encodeNumber('smallint', value)).toBe(small);
  expect(encodeNumber('integer', value)).toBe(whole);
});

test('the type follows what the CRM promises', () => {
  expect(wantedNumberType(field('n', 'number'))).toBe('numeric(20,4)');
  expect(wantedNumberType(field('n', 'number', { scale: undefined }))).toBe('double precision');
  expect(wantedNumberType(field('n', 'number', { scale: 8 }))).toBe('numeric');
  expect(wantedNumberType(field('n', 'number', { integerBits: 16 }))).toBe('smallint');
  expect(wantedNumberType(field('n', 'number', { integerBits: 32 }))).toBe('integer');
});
