import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyColumns, copyInto, newBuffer } from '../../src/db/backfill/copy.ts';
import type { CopyBuffer } from '../../src/db/backfill/copy-buffer.ts';
import { columnText, type EncodedRecord, encodeRecord } from '../../src/db/mirror/encode.ts';
import { mirrorTable } from '../../src/db/mirror/table.ts';
import { ExactNumber, type Json } from '../../src/domain/json.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, objectOf } from '../unit/mirror/schemas.ts';

const table = mirrorTable(
  objectOf('thing', [
    field('text'),
    field('number', 'number', { scale: 8 }),
    field('decimal', 'number'),
    field('double', 'number', { scale: undefined }),
    field('small', 'number', { integerBits: 16 }),
    field('integer', 'number', { integerBits: 32 }),
    field('boolean', 'boolean'),
    field('date', 'date'),
    field('timestamp', 'timestamp'),
    field('texts', 'texts'),
    field('json', 'json'),
  ]),
);
const columns = copyColumns(table);

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const definitions = columns.map(({ name, sqlType }) => `${name} ${sqlType}`).join(', ');
  await database.db.query(`CREATE TABLE public.copied (${definitions})`);
});
afterAll(() => database.drop());

/** What COPY made of the records, and what casts make of their texts: each row as one text. */
async function copyAndCast(buffer: CopyBuffer, encoded: readonly EncodedRecord[]) {
  buffer.clear();
  for (const { values } of encoded) buffer.append(values);
  return await database.db.transaction(async (tx) => {
    await tx.query('TRUNCATE public.copied');
    await copyInto(tx, { table: 'public.copied', columns }, buffer.end());
    const copied = await tx.query<{ row: string }>(
      `SELECT copied::text AS row FROM public.copied
        WHERE _synced_at = date_trunc('milliseconds', now()) ORDER BY ctid`,
    );
    const casts = columns.map(({ name, sqlType }, position) =>
      name === '"_synced_at"' ? `date_trunc('milliseconds', now())` : `c${position}::${sqlType}`,
    );
    const names = columns.map((_, position) => `c${position}`);
    const lists = names.map((_, position) => `$${position + 1}::text[]`);
    const cast = await tx.query<{ row: string }>(
      `SELECT ROW(${casts.join(', ')})::text AS row
         FROM unnest(${lists.join(', ')}) WITH ORDINALITY AS given(${names.join(', ')}, n) ORDER BY n`,
      names.map((_, position) => encoded.map(({ values }) => columnText(values[position] ?? null))),
    );
    return { copied: copied.map(({ row }) => row), cast: cast.map(({ row }) => row) };
  });
}

function recordOf(fields: Readonly<Record<string, Json>>, more: Partial<RemoteRecord> = {}) {
  return {
    id: 'x',
    fields,
    createdAt: '2024-01-01T00:00:00.000Z',
    updatedAt: null,
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
    ...more,
  };
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  // Around the length from which on texts are written in another way.
  fc
    .tuple(fc.integer({ min: 36, max: 44 }), fc.constantFrom('', 'é', '€', '😀', '\0', '\ud800'))
    .map(([length, last]) => 'x'.repeat(length) + last),
);
const digits = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 25 })
  .map((list) => list.join(''));
const token = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits.map((text) => text.replace(/^0+(?=.)/, '')),
    ),
    fc.oneof(
      fc.constant(''),
      digits.map((text) => `.${text}`),
      fc.constant('.000'),
    ),
    fc.oneof(
      fc.constant(''),
      fc.integer({ min: -60, max: 60 }).map((power) => `e${power}`),
    ),
  )
  .map((parts) => parts.join(''));
const anyNumber = fc.oneof(
  fc.integer({ min: -20_000, max: 20_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  token.map((text) => new ExactNumber(text)),
);
const day = fc
  .date({
    min: new Date('0001-01-02T00:00:00Z'),
    max: new Date('9999-12-30T00:00:00Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());
const instant = fc
  .tuple(day, fc.constantFrom('', '.5', '.12', '.000001', '.123456', '.9999999'))
  .chain(([text, fraction]) =>
    fc.constantFrom(
      text,
      `${text.slice(0, 19)}${fraction}Z`,
      `${text.slice(0, 19)}${fraction}+05:30`,
      text.slice(0, 10),
    ),
  );
const json = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<Json>,
  anyText,
  fc.dictionary(anyText, fc.oneof(anyNumber, anyText), { maxKeys: 3 }),
);
const orNull = (value: fc.Arbitrary<Json>) => fc.oneof(value, fc.constant(null));
const anyRecord = fc
  .record({
    fields: fc.record({
      text: orNull(anyText),
      number: orNull(anyNumber),
      decimal: orNull(anyNumber),
      double: orNull(anyNumber),
      small: orNull(anyNumber),
      integer: orNull(fc.oneof(anyNumber, fc.maxSafeInteger())),
      boolean: orNull(fc.boolean()),
      date: orNull(day.map((text) => text.slice(0, 10))),
      timestamp: orNull(instant),
      texts: orNull(fc.array(anyText, { maxLength: 4 })),
      json: orNull(json),
    }),
    createdAt: fc.option(instant, { nil: null }),
    createdBy: fc.option(anyText, { nil: null }),
    mergedIds: fc.array(anyText, { maxLength: 3 }),
  })
  .map(({ fields, ...more }) => recordOf(fields, more));

test('whatever a record holds, COPY makes of it what a cast makes of its text', async () => {
  const buffer = newBuffer(table);
  await fc.assert(
    fc.asyncProperty(fc.array(anyRecord, { maxLength: 40 }), async (records) => {
      const encoded = records.map((record) => encodeRecord(table, record));
      const { copied, cast } = await copyAndCast(buffer, encoded);
      expect(copied).toEqual(cast);
      expect(copied).toHaveLength(records.length);
    }),
    { numRuns: 60 },
  );
});

test('at the edges of what a type holds, and beyond what a buffer held before', async () => {
  const long = (letter: string) => recordOf({ text: letter.repeat(2_000_000) });
  const records = [
    ...['1e131071', '-9.99e131071', '1e-16383', '-0', '-0.0', '0e5', '10000', '9999.0001'].map(
      (text) => recordOf({ number: new ExactNumber(text) }),
    ),
    ...['9999999999999999.9999', '-0.0001', '0.00010000', '1e15', '-12345.6789'].map((text) =>
      recordOf({ decimal: new ExactNumber(text) }),
    ),
    ...[-(2 ** 15), 2 ** 15 - 1, -1, 0, -0].map((small) => recordOf({ small })),
    ...[-(2 ** 31), 2 ** 31 - 1, -1, 0].map((integer) => recordOf({ integer })),
    ...[5e-324, 1.7976931348623157e308, 0.1, -0, 1e21].map((double) => recordOf({ double })),
    ...['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999999Z', '1999-12-31T23:59:59.999Z'].map(
      (timestamp) => recordOf({ timestamp }),
    ),
    ...['0001-01-01', '9999-12-31', '1999-12-31', '2000-02-29'].map((date) => recordOf({ date })),
    ...[[], [''], ['NULL', '{}', '"', '\\', ',']].map((texts) => recordOf({ texts })),
    ...['x', 'é', '€', '😀'].map(long),
    recordOf({}),
  ];
  const encoded = records.map((record) => encodeRecord(table, record));
  const { copied, cast } = await copyAndCast(newBuffer(table), encoded);
  // Millions of letters are nothing to print.
  expect(copied.map((row, position) => row === cast[position])).toEqual(records.map(() => true));
  expect(copied).toHaveLength(records.length);
  expect(encoded.every(({ extras }) => extras === 0)).toBe(true);
});
