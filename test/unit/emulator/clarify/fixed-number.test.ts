import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fixedNumber } from '../../../../src/emulator/clarify/fixed-number.ts';

const text = (given: string): string | null => {
  const fixed = fixedNumber(given);
  return fixed === null ? null : String(fixed);
};

test.each([
  ['1', '1'],
  ['-1.50', '-1.5'],
  ['1.00005', '1.0001'],
  ['-0.00004', '0'],
  ['1e3', '1000'],
  ['12345e-4', '1.2345'],
  ['999999999999.9999', '999999999999.9999'],
  ['999999999999.99995', null],
  ['1000000000000', null],
  ['1e999999', null],
  ['1e-999999', '0'],
  ['0e999999', '0'],
  ['no number', null],
])('%s becomes %s', (given, kept) => {
  expect(text(given)).toBe(kept);
});

test('keeps every number with up to twelve and four digits exactly', () => {
  const whole = fc.bigInt({ min: 0n, max: 999_999_999_999n });
  fc.assert(
    fc.property(whole, fc.integer({ min: 1, max: 9999 }), (before, after) => {
      const decimals = String(after).padStart(4, '0').replace(/0+$/, '');
      expect(text(`${before}.${decimals}`)).toBe(`${before}.${decimals}`);
    }),
  );
});
