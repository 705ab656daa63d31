import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalInstantMs } from '../../../src/domain/calendar.ts';

const instant = fc.date({
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});

test('an instant in the canonical form is the moment that Date takes it for', () => {
  fc.assert(
    fc.property(instant, (date) => canonicalInstantMs(date.toISOString()) === date.getTime()),
    { numRuns: 2_000 },
  );
  for (let year = 1; year <= 9_999; year += 1) {
    for (const day of ['01-01', '02-28', '03-01', '12-31']) {
      const text = `${String(year).padStart(4, '0')}-${day}T00:00:00.000Z`;
      if (canonicalInstantMs(text) !== Date.parse(text)) expect(text).toBe('read wrongly');
    }
  }
});

test('a text with one character exchanged is another instant or none, as the calendar has it', () => {
  const character = fc.oneof(
    fc.constantFrom(...Array.from('0123456789-:.TZ ')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(instant, fc.nat({ max: 23 }), character, (date, at, other) => {
      const iso = date.toISOString();
      const text = iso.slice(0, at) + other + iso.slice(at + 1);
      const ms = canonicalInstantMs(text);
      return Number.isNaN(ms) ? !isCanonical(text) : new Date(ms).toISOString() === text;
    }),
    { numRuns: 5_000 },
  );
});

function isCanonical(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text && !text.startsWith('0000');
}
