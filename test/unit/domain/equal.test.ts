import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalJson, equalValues } from '../../../src/domain/equal.ts';
import { ExactNumber, type Json, parseJson } from '../../../src/domain/json.ts';
import type { FieldKind } from '../../../src/domain/schema.ts';
import { field } from '../../support/fields.ts';

const KINDS: readonly FieldKind[] = [
  'text',
  'number',
  'boolean',
  'date',
  'timestamp',
  'texts',
  'reference',
  'json',
];

const exact = (digits: string) => new ExactNumber(digits);

/** Values close enough to each other for every rule of equality to be hit. */
const POOL: readonly Json[] = [
  null,
  [],
  {},
  { items: [] },
  '',
  'a',
  'A',
  'note 1',
  'note 2',
  true,
  false,
  0,
  -0,
  0.00004,
  0.00005,
  0.0001,
  -0.00005,
  1e21,
  exact('1e21'),
  exact('1000000000000000000000'),
  exact('1000000000000000000000.00001'),
  exact('100000000000000000000e1'),
  exact('1e-1000'),
  exact('1e20000'),
  exact('10e19999'),
  '2024-01-01',
  '2024-01-01T00:00:00.000Z',
  '2024-01-01T01:00:00.0004+01:00',
  '2024-01-01 00:00:00+00:00',
  '2024-01-01T00:00:00',
  ['a'],
  ['A'],
  ['a', 'b'],
  ['b', 'a'],
  [1],
  ['1'],
  [null],
  { a: 1, b: [2] },
  { b: [2], a: 1 },
  { a: exact('1e400'), b: null },
];

const anyField = fc
  .record({ kind: fc.constantFrom(...KINDS), caseInsensitive: fc.boolean() })
  .map(({ kind, caseInsensitive }) => field('f', kind, { caseInsensitive }));
const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...POOL) },
  { weight: 1, arbitrary: fc.jsonValue().map((value) => value as Json) },
);

/** How `numeric(16,4)` stores it, in ten-thousandths: an independent, exact calculation. */
function storedAs(sign: bigint, digits: bigint, exponent: number): bigint {
  const scale = 10n ** BigInt(Math.abs(exponent));
  const numerator = digits * 10_000n * (exponent > 0 ? scale : 1n);
  const denominator = exponent > 0 ? 1n : scale;
  return (sign * (2n * numerator + denominator)) / (2n * denominator);
}

describe('equal values', () => {
  test('equality is reflexive, symmetric and transitive, for every kind of field', () => {
    for (const kind of KINDS) {
      for (const caseInsensitive of [true, false]) {
        const f = field('f', kind, { caseInsensitive });
        for (const a of POOL) {
          const same = POOL.filter((b) => equalValues(f, a, b));
          expect(same).toContain(a);
          for (const b of same) {
            expect(equalValues(f, b, a)).toBe(true);
            expect(POOL.filter((c) => equalValues(f, b, c))).toEqual(same);
          }
        }
      }
    }
    fc.assert(
      fc.property(anyField, anyValue, anyValue, (f, a, b) => {
        expect(equalValues(f, a, a)).toBe(true);
        expect(equalValues(f, a, b)).toBe(equalValues(f, b, a));
      }),
    );
  });

  test('numbers are equal where numeric(16,4) stores them alike', () => {
    const number = fc
      .record({
        sign: fc.constantFrom(1n, -1n),
        digits: fc.oneof(fc.bigInt(0n, 20_000n), fc.bigInt(0n, 10n ** 24n)),
        exponent: fc.integer({ min: -12, max: 8 }),
      })
      .map(({ sign, digits, exponent }) => {
        const text = `${sign < 0n ? '-' : ''}${digits}e${exponent}`;
        return { value: parseJson(text) as Json, stored: storedAs(sign, digits, exponent) };
      });
    const neighbours = fc.tuple(number, fc.integer({ min: -3, max: 3 })).map(([a, steps]) => {
      const stored = a.stored + BigInt(steps);
      const text = `${stored}e-4`;
      return { a, b: { value: parseJson(text) as Json, stored } };
    });
    fc.assert(
      fc.property(neighbours, ({ a, b }) => {
        expect(equalValues(field('n', 'number'), a.value, b.value)).toBe(a.stored === b.stored);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['0.00005', '0.0001'],
    ['-0.00005', '-0.0001'],
    ['0.000049999', '0'],
    ['5e-5', '0.0001'],
    ['4.9e-5', '-0.0'],
    ['1.00005', '1.0001'],
    ['999999999999.99995', '1000000000000'],
    ['123456789012.34564999', '123456789012.3456'],
    ['0.00095e1', '0.0095'],
  ])('%s and %s are one number', (a, b) => {
    const f = field('n', 'number');
    expect(equalValues(f, parseJson(a) as Json, parseJson(b) as Json)).toBe(true);
    expect(equalValues(f, exact(a), parseJson(b) as Json)).toBe(true);
  });

  test('timestamps are equal to the millisecond, however they are written', () => {
    const f = field('at', 'timestamp');
    const instant = fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2100, 0) });
    const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(instant, minutes, fc.integer({ min: 0, max: 999 }), (ms, offset, micros) => {
        const utc = new Date(ms).toISOString();
        const shifted = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
        const zone = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
          .map((part) => String(part).padStart(2, '0'))
          .join(':');
        const local = `${shifted}${String(micros).padStart(3, '0')}${offset < 0 ? '-' : '+'}${zone}`;
        expect(equalValues(f, utc, local)).toBe(true);
        expect(equalValues(f, utc, local.replace('T', ' '))).toBe(true);
        expect(equalValues(f, utc, new Date(ms + 1).toISOString())).toBe(false);
      }),
    );
  });

  test('what is no instant is compared as the text it is', () => {
    const f = field('at', 'timestamp');
    expect(equalValues(f, 'note 1', 'note 2')).toBe(false);
    expect(equalValues(f, 'January 1, 2024', '2024-01-01T00:00:00Z')).toBe(false);
    expect(equalValues(f, '2024-01-01T00:00:00', '2024-01-01T00:00:00')).toBe(true);
    // Without a zone it depends on where the process runs.
    expect(equalValues(f, '2024-01-01T00:00:00', '2024-01-01T00:00:00Z')).toBe(false);
    expect(equalValues(f, '2024-01-01', '2024-01-01T00:00:00Z')).toBe(true);
  });

  test('dates are texts', () => {
    const f = field('d', 'date');
    expect(equalValues(f, '2024-03-31', '2024-03-31')).toBe(true);
    expect(equalValues(f, '2024-03-31', '2024-03-31T00:00:00Z')).toBe(false);
  });

  test('e-mail addresses and domains are equal without case, other texts are not', () => {
    const email = field('email_addresses', 'texts', { caseInsensitive: true });
    expect(equalValues(email, ['A@x.io', 'b@X.io'], ['a@x.io', 'B@x.io'])).toBe(true);
    expect(equalValues(field('tags', 'texts'), ['A'], ['a'])).toBe(false);
    expect(equalValues(field('d', 'text', { caseInsensitive: true }), 'X.io', 'x.IO')).toBe(true);
    expect(equalValues(field('t', 'text'), 'X', 'x')).toBe(false);
  });

  test('null is equal to an empty collection and to nothing else', () => {
    const f = field('c', 'texts');
    for (const empty of [[], {}, { items: [] }]) expect(equalValues(f, null, empty)).toBe(true);
    for (const value of ['', 0, false, [null], ['']]) {
      expect(equalValues(f, null, value)).toBe(false);
    }
  });

  test('the order of a collection counts, that of keys does not', () => {
    expect(equalValues(field('c', 'texts'), ['a', 'b'], ['b', 'a'])).toBe(false);
    expect(equalValues(field('c', 'texts'), ['a'], ['a', 'a'])).toBe(false);
    expect(equalJson({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(equalJson([1, 2], [2, 1])).toBe(false);
    expect(equalJson({ a: null }, {})).toBe(false);
    expect(equalJson({ constructor: 1 }, { a: 1 })).toBe(false);
  });

  test('numbers inside JSON are equal by value, as jsonb writes them, to the last digit', () => {
    const full = `1${'0'.repeat(21)}`;
    expect(equalJson({ a: 1e21 }, { a: exact(full) })).toBe(true);
    expect(equalJson({ a: exact('1.5e21') }, { a: exact('1500000000000000000000') })).toBe(true);
    expect(equalJson(exact('12345678901234567.8'), exact('12345678901234567.80'))).toBe(true);
    expect(equalJson({ longitude: 13.40001 }, { longitude: 13.40002 })).toBe(false);
    expect(equalJson(1, '1')).toBe(false);
    expect(equalJson(exact('12345678901234567890'), '12345678901234567890')).toBe(false);
    expect(equalJson(0, null)).toBe(false);
  });
});

test.each<[number | undefined, number, number, boolean]>([
  [4, 1.00001, 1.00002, true],
  [4, 1.0001, 1.0002, false],
  [2, 1.005, 1.01, false],
  [8, 1.00000001, 1.00000002, false],
  [8, 1.000000001, 1.000000002, true],
  [undefined, 1e-9, 2e-9, false],
  [undefined, 1e-9, 0.000000001, true],
])('numbers with %s decimals promised: %s and %s', (scale, a, b, same) => {
  expect(equalValues({ kind: 'number', caseInsensitive: false, scale }, a, b)).toBe(same);
});
