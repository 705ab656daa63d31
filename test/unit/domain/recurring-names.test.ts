import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecurringNames } from '../../../src/domain/recurring-names.ts';

test('every name finds its own, in whatever order they come', () => {
  const names = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', '', '__proto__')));
  fc.assert(
    fc.property(names, (records) => {
      const recurring = new RecurringNames((name) => `found ${name}`);
      for (const record of records) {
        for (const [place, name] of record.entries()) {
          expect(recurring.at(place, name)).toBe(`found ${name}`);
        }
      }
    }),
  );
});

test('names in the same order are looked up once', () => {
  let lookups = 0;
  const recurring = new RecurringNames((name) => {
    lookups += 1;
    return name;
  });
  for (let record = 0; record < 10; record += 1) {
    for (const [place, name] of ['a', 'b', 'c'].entries()) recurring.at(place, name);
  }
  expect(lookups).toBe(3);
});
