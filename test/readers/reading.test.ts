import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { seenByPython } from './tools.ts';

// docs/readers.md, what reads: each tool sees a mirror that the product made, and what it sees is
// held against what Postgres says.

let workspace: TestWorkspace;
/** What is right: question 1 of docs/analytics.md without its rounding, and the rest. */
let truth: {
  readonly total: string;
  readonly weighted: Record<string, string>;
  readonly lists: { readonly missing: number; readonly empty: number };
  readonly created: string;
};

beforeAll(async () => {
  workspace = await openWorkspace();
  const { session, signal, sql, emulator } = workspace;
  // The awkward ones: cents after whole numbers, the largest amount, lists with nothing in them.
  emulator.store.create('deal', { name: 'Whole', stage: 'Discovery', amount: 1, probability: 1 });
  emulator.store.create('deal', {
    name: 'Cents',
    stage: 'Discovery',
    amount: 0.0625,
    probability: 0.0001,
  });
  emulator.store.create('deal', { name: 'Most', stage: 'Won', amount: 999_999_999_999.9999 });
  await syncOnce(session, { signal });
  await sql(
    `UPDATE clarify.person SET interests = '{}' WHERE interests IS NULL AND do_not_contact`,
  );
  await sql(
    `CREATE VIEW public.interests AS SELECT _key, interests FROM clarify.person ORDER BY interests NULLS FIRST`,
  );
  await syncOnce(session, { signal });
});
beforeEach(async () => {
  truth = await readTruth();
});
afterAll(() => workspace?.stop());

async function readTruth(): Promise<typeof truth> {
  const { sql } = workspace;
  const sums = await sql(
    `SELECT stage, trim_scale(sum(amount * probability))::text AS weighted FROM clarify.deal
      WHERE stage NOT IN ('Won', 'Lost') GROUP BY stage`,
  );
  const [rest] = await sql(
    `SELECT (SELECT trim_scale(sum(amount))::text FROM clarify.deal) AS total,
            (SELECT count(*)::int FROM clarify.person WHERE interests IS NULL) AS missing,
            (SELECT count(*)::int FROM clarify.person WHERE interests = '{}') AS empty,
            (SELECT _created_at FROM clarify.deal ORDER BY _key LIMIT 1) AS created`,
  );
  const { total, missing, empty, created } = rest ?? {};
  if (!(created instanceof Date)) throw new Error('no deals');
  expect(Number(missing)).toBeGreaterThan(100);
  expect(Number(empty)).toBeGreaterThan(0);
  return {
    total: String(total),
    weighted: Object.fromEntries(
      sums.map((row) => [String(row['stage']), String(row['weighted'])]),
    ),
    lists: { missing: Number(missing), empty: Number(empty) },
    created: created.toISOString(),
  };
}

const factsOf = (value: unknown) => value as Record<string, unknown>;
const see = (script: string) => seenByPython(script, workspace.database.url);
/** The instant, however it is written. */
const at = (text: unknown) => new Date(String(text)).toISOString();

test('amounts have a scale', async () => {
  const [amount] = await workspace.sql(
    `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = 'clarify.deal'::regclass AND attname = 'amount'`,
  );
  expect(amount).toEqual({ type: 'numeric(20,4)' });
});

test('polars', async () => {
  const { created, adbc, connectorx, weighted: rounded, ...seen } = await see('see_polars.py');
  const { total, weighted, lists } = truth;
  expect(seen).toEqual({
    amount: 'Decimal(precision=38, scale=4)',
    total,
    weighted_wide: weighted,
    first_rows_only: 'ComputeError',
    lists,
    name: 'Struct',
    closed: 'Date',
    largest: '9999999999999999.9999',
  });
  // Each product is rounded to the scale of its factors, unless one of them is made wider.
  expect(rounded).not.toEqual(weighted);
  for (const [stage, sum] of Object.entries(factsOf(rounded))) {
    expect(Number(sum)).toBeCloseTo(Number(weighted[stage]), 2);
  }
  const { created: byAdbc, ...ofAdbc } = factsOf(adbc);
  expect(ofAdbc).toEqual({ amount: 'Extension', total, weighted, lists });
  const { created: byConnectorx, ...ofConnectorx } = factsOf(connectorx);
  const wide = 'Decimal(precision=38, scale=10)';
  expect(ofConnectorx).toEqual({ amount: wide, total, weighted, lists });
  expect(created).toEqual([expect.stringContaining('Etc/UTC'), expect.anything()]);
  for (const each of [at((created as unknown[])[1]), at(byAdbc), at(byConnectorx)]) {
    expect(each).toBe(truth.created);
  }
});

test('pandas', async () => {
  const { adbc, created, ...seen } = await see('see_pandas.py');
  const { total, weighted, lists } = truth;
  expect(seen).toEqual({
    amount: 'float64',
    largest: '1e+16',
    largest_exact: '9999999999999999.9999',
    total_exact: total,
    weighted,
    lists,
    name: 'dict',
    closed: 'date',
    closed_of_table: 'datetime64[s]',
  });
  expect(created).toEqual(['datetime64[us, UTC]', expect.anything()]);
  const { created: byAdbc, sum, ...ofAdbc } = factsOf(adbc);
  expect(ofAdbc).toEqual({ amount: 'str', weighted });
  // Texts, one behind the other.
  expect(sum).toMatch(/\d\.\d+\.\d/);
  expect(at(byAdbc)).toBe(truth.created);
});

test('DuckDB', async () => {
  const { created, ...seen } = await see('see_duckdb.py');
  const { total, weighted, lists } = truth;
  expect(at(created)).toBe(truth.created);
  expect(seen).toEqual({
    amount: 'DECIMAL(20,4)',
    types: ['TIMESTAMP WITH TIME ZONE', 'DATE', 'VARCHAR[]', 'VARCHAR'],
    total,
    weighted,
    // It has written one person before it counts.
    lists: { ...lists, missing: lists.missing + 1 },
    written: { insert: 1, generated: 1, upsert: 'Error', upsert_with_id: 1, update: 2, delete: 2 },
    columns: [0, 1],
  });
});

test('ClickHouse', async () => {
  const { created, ...seen } = await see('see_chdb.py');
  const { total, weighted, lists } = truth;
  expect(seen).toEqual({
    amount: 'Nullable(Decimal(20, 4))',
    closed: 'Nullable(Date32)',
    total,
    weighted,
    lists: { missing: 0, empty: lists.missing + lists.empty },
    part: true,
    view_with_lists: 'ChdbError',
    declared: expect.any(Number),
    insert: 'ChdbError',
    insert_with_id: [],
  });
  // Without its offset, in UTC.
  const [type, text] = created as string[];
  expect(type).toBe('Nullable(DateTime64(6))');
  expect(at(`${text}Z`)).toBe(truth.created);
});

test('drivers', async () => {
  const { lists, weighted } = truth;
  const seen = await see('see_drivers.py');
  const { created: one, ...ofPsycopg } = factsOf(seen['psycopg']);
  const titles = ['one', 'two'];
  const common = { amount: 'Decimal', weighted, lists, titles, stale: 1 };
  expect(ofPsycopg).toEqual({ ...common, name: 'dict' });
  const { created: other, ...ofAsyncpg } = factsOf(seen['asyncpg']);
  expect(ofAsyncpg).toEqual({ ...common, name: 'str', tenth: '0.1000' });
  for (const each of [at(one), at(other)]) expect(each).toBe(truth.created);
  expect(seen['adbc']).toEqual({
    amount: 'string',
    created: 'timestamp[us, tz=UTC]',
    closed: 'date32[day]',
    lists,
  });
});

test('what they wrote is sent', async () => {
  await syncOnce(workspace.session, { signal: workspace.signal });
  const titles = workspace.emulator.store.all('task').map(({ attributes }) => attributes['title']);
  expect(titles.filter((title) => title === 'two')).toHaveLength(2);
  expect(titles).toContain('house');
  expect(await differences(workspace)).toEqual([]);
});
