import fc from 'fast-check';
import { compareNumber } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import { equalJson } from '../../../src/domain/equal.ts';
import { isExactNumber, type Json, parseJson, stringifyJson } from '../../../src/domain/json.ts';

const digits = (maxLength: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength })
    .map((list) => list.join(''));
const whole = digits(24).map((text) => text.replace(/^0+(?=.)/, ''));
const numberToken = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.option(digits(24), { nil: null }),
    fc.option(fc.integer({ min: -400, max: 400 }), { nil: null }),
    fc.constantFrom('e', 'E', 'e+'),
  )
  .map(([sign, integer, fraction, exponent, e]) => {
    const power = exponent === null ? '' : `${exponent < 0 ? 'e' : e}${exponent}`;
    return `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${power}`;
  });

/** Texts that look like numbers, marks or JSON to whoever does not parse them properly. */
const trickyText = fc.oneof(
  numberToken,
  numberToken.map((token) => `: ${token}, "${token}`),
  numberToken.map((token) => `\\": ${token}`),
  fc.string({ unit: 'binary' }),
);

describe('exact numbers', () => {
  test('a number comes back digit for digit, wherever it stands', () => {
    fc.assert(
      fc.property(numberToken, trickyText, (token, text) => {
        const quoted = JSON.stringify(text);
        const json = `{${quoted}: ${token}, "list":[${token},\n${quoted} ,${token}]}`;
        const parsed = parseJson(json) as { list: [Json, string, Json] };
        expect(parsed.list[1]).toBe(text);
        for (const value of [parsed.list[0], parsed.list[2]]) {
          expect(isExactNumber(value) || typeof value === 'number').toBe(true);
          expect(compareNumber(stringifyJson(value), token)).toBe(0);
        }
        expect(equalJson(parseJson(stringifyJson(parsed)) as Json, parsed)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('what a double holds stays a plain number', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(equalJson(parseJson(text) as Json, JSON.parse(text))).toBe(true);
      }),
    );
    for (const text of ['1', '-0.5', '999999999999.9999', '1e3', '9007199254740991']) {
      expect(typeof parseJson(text)).toBe('number');
    }
    for (const text of ['9007199254740993', '12345678901234567.89', '1e400', '1e-400']) {
      expect(isExactNumber(parseJson(text))).toBe(true);
    }
  });

  test('a key is taken for what it is', () => {
    const number = '12345678901234567890';
    for (const inner of [`{"a":${number}}`, number]) {
      const text = `{"__proto__":${inner},"constructor":1}`;
      const parsed = parseJson(text) as Record<string, unknown>;
      expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor']);
      expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
      expect(stringifyJson(parsed)).toBe(text);
    }
  });

  test('however deep it nests, and whatever is inexact beside it', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    let inner = (parseJson(`[12345678901234567890,${deep}]`) as Json[])[1];
    for (let level = 1; level < 100_000; level += 1) inner = (inner as Json[])[0];
    expect(inner).toEqual([]);
  });

  test.each([
    '',
    '{"a":12345678901234567890',
    '[012345678901234567890]',
    '[12345678901234567890.]',
    '12345678901234567890 1',
    '["12345678901234567890]',
  ])('%s is refused', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
