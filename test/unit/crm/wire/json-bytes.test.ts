import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonProgram } from '../../../../src/crm/wire/json-bytes.ts';

const program = jsonProgram();
if (program === null) throw new Error('this processor has no such instructions');
const { mayRound } = program;

const has = (text: string) => mayRound(Buffer.from(text));

/** What reads digits off any text: the plain meaning, without regard to strings. */
const LONG = /[\d.]{15}|\d[eE]/;

test.each(['123456789012345', '0.1234567890123', '1e5', '-2.5E-7', '0e0'])(
  '%s may be rounded, wherever it stands',
  (number) => {
    for (let before = 0; before < 200; before += 1) {
      expect(has(`{"n":${' '.repeat(before)}${number}}`)).toBe(true);
    }
    // Where it is cut into pieces.
    for (let before = 65_500; before < 65_560; before += 1) {
      expect(has(`[${' '.repeat(before)}${number},1]`)).toBe(true);
    }
    expect(has(number)).toBe(true);
  },
);

test('what a string holds is no number, nor are fourteen digits one to look at', () => {
  const plain = {
    id: 'fdf12585-5651-4278-801e-0c0060e8d8b9',
    'a "key" of 123456789012345 \\': '123456789012345678901234567890 1e5 \\" 2e7',
    numbers: [12_345_678_901_234, -0.5, 1_234_567_890.123, true, false, null],
  };
  for (let before = 0; before < 130; before += 1) {
    expect(has(`${' '.repeat(before)}${JSON.stringify(plain)}`)).toBe(false);
  }
  expect(has(`[${'12345678901234,'.repeat(20_000)}0]`)).toBe(false);
});

test('no number is overlooked, and none is seen where there is none', () => {
  const number = fc.oneof(
    fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
  );
  const text = fc.string({ unit: fc.constantFrom('1', '2', '.', 'e', '"', '\\', 'é', '{', ' ') });
  const item = fc.oneof(
    { weight: 1, arbitrary: number },
    { weight: 3, arbitrary: text.map((some) => JSON.stringify(some)) },
    { weight: 1, arbitrary: fc.constantFrom('true', 'null', '[1,2]', '{"e":7}') },
  );
  fc.assert(
    fc.property(fc.array(item, { maxLength: 30 }), (items) => {
      const numbers = items.filter((one) => /^[-\d]/.test(one));
      expect(has(`[${items.join(', ')}]`)).toBe(numbers.some((one) => LONG.test(one)));
    }),
    { numRuns: 3_000 },
  );
});

test('Latin-1 is made of UTF-8, and nothing of what has no place in it', () => {
  const { narrow } = program;
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.nat(40), (text, before) => {
      const whole = `${'x'.repeat(before)}${text}`;
      const fits = /^[\0-\xff]*$/.test(whole);
      const bytes = Buffer.from(whole);
      const written = narrow(bytes, bytes);
      expect(written).toBe(fits ? whole.length : -1);
      expect(fits ? bytes.toString('latin1', 0, written) : bytes.toString()).toBe(whole);
    }),
    { numRuns: 2_000 },
  );
});
