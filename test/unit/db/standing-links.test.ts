import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LinkView } from '../../../src/db/mirror/links.ts';
import { type StandingText, standingReader } from '../../../src/db/rows/standing-links.ts';

interface Row {
  readonly view: number;
  readonly here: string;
  readonly there: string;
}

const views = ['people', 'offers'].map((field) => ({ here: { field } }) as LinkView);

/** As the statement has Postgres write them. */
function textOf(rows: readonly Row[]): StandingText {
  const texts = rows.map(({ view, here, there }) => `${view}\x1f${here}\x1f${there}`);
  return { linkCount: rows.length, linkRows: texts.length === 0 ? null : texts.join('\x1e') };
}

const whole = (...ids: string[]) => ({ ids, total: ids.length });

test('of a record those fields stand whose rows are what it tells', () => {
  const standingOf = standingReader(
    views,
    textOf([
      { view: 0, here: 'a', there: 'x' },
      { view: 0, here: 'a', there: 'y' },
      { view: 1, here: 'b', there: 'z' },
    ]),
  );
  const fieldsOf = (...of: Parameters<typeof standingOf>) => [...standingOf(...of)];
  expect(fieldsOf('a', { people: whole('y', 'x'), offers: whole() })).toEqual(['people', 'offers']);
  expect(fieldsOf('a', { people: whole('x'), offers: whole() })).toEqual(['offers']);
  expect(fieldsOf('b', { people: whole(), offers: whole() })).toEqual(['people']);
  expect(fieldsOf('c', { people: whole(), offers: whole('z') })).toEqual(['people']);
  // A capped list only adds.
  expect(fieldsOf('a', { people: { ids: ['x'], total: 9 } })).toContain('people');
  expect(fieldsOf('a', { people: { ids: ['w'], total: 9 } })).not.toContain('people');
  expect(fieldsOf('c', { people: { ids: [], total: 9 } })).toContain('people');
});

test('of too many links none is taken to stand', () => {
  const rows = textOf([{ view: 0, here: 'a', there: 'x' }]);
  const standingOf = standingReader(views, { ...rows, linkCount: 20_001 });
  expect(standingOf('a', { people: whole('x') }).size).toBe(0);
});

test('whatever was inserted, links stand only where the rows are what is told', () => {
  // Short, so that they meet, and with what separates rows and their parts.
  const id = fc.string({ unit: fc.constantFrom('a', 'b', '0', '\x1f', '\x1e'), maxLength: 6 });
  const rows = fc.array(fc.record({ view: fc.constantFrom(0, 1), here: id, there: id }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(rows, id, fc.array(id, { maxLength: 3 }), fc.nat(2), (all, here, ids, behind) => {
      const told = { people: { ids, total: ids.length + behind } };
      const standing = all.filter((row) => row.view === 0 && row.here === here);
      const theirs = new Set(standing.map(({ there }) => there));
      const wanted = new Set(ids);
      const isMissing = [...wanted].some((one) => !theirs.has(one));
      const isTooMany = behind === 0 && [...theirs].some((one) => !wanted.has(one));
      const isDifferent = isMissing || isTooMany;
      const stands = standingReader(views, textOf(all))(here, told).has('people');
      if (isDifferent) expect(stands).toBe(false);
      const isPlain = all.every(
        (row) => !['\x1e', '\x1f'].some((mark) => `${row.here}${row.there}`.includes(mark)),
      );
      if (isPlain) expect(stands).toBe(!isDifferent);
    }),
    { numRuns: 2_000 },
  );
});
