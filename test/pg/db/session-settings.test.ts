import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/connection/database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { LIMIT_MS, makeHostile } from '../../support/hostile-settings.ts';

/** A database whose settings would turn every statement of ours into another. */
let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.db.query('CREATE TABLE public.thing (id int PRIMARY KEY, note text)');
  await makeHostile(database);
  db = openDatabase({ url: database.url, applicationName: 'test' });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const VALUES = `SELECT $1::text[] AS list, 0.1::float8 + 0.2 AS float, '\\x00ff'::bytea AS bytes,
  timestamptz '2026-08-20 10:00:00.123Z' AS at, date '2026-08-20' AS day, interval '1 day 02:03' AS span,
  now() > '2020-01-01' AS now, format('%I', 'plain') AS ident, 'a\\d' AS slash, $2::text = NULL AS nothing,
  array_length($1::text[], 1) AS items, (SELECT count(*)::int4 FROM pg_sleep(${(LIMIT_MS + 100) / 1_000})) AS slept`;

test('no setting of role or database changes what a statement means, in a transaction or alone', async () => {
  const expected = [
    {
      list: ['a', null, 'é😀'],
      float: 0.30000000000000004,
      bytes: Buffer.from([0, 255]),
      at: '2026-08-20T10:00:00.123Z',
      day: '2026-08-20',
      span: '1 day 02:03:00',
      now: true,
      ident: 'plain',
      slash: 'a\\d',
      nothing: null,
      items: 3,
      slept: 1,
    },
  ];
  const values = [['a', null, 'é😀'], null];
  expect(await db.query(VALUES, values)).toEqual(expected);
  expect(await db.transaction((tx) => tx.query(VALUES, values))).toEqual(expected);
});

test('what is to be written is written, at read committed', async () => {
  await db.query(`INSERT INTO public.thing VALUES (1, 'a')`);
  const settings = await db.transaction(async (tx) => {
    await tx.query(`INSERT INTO public.thing VALUES (2, 'b')`);
    return await tx.query(
      `SELECT current_setting('transaction_isolation') AS isolation, current_setting('synchronous_commit') AS commit,
              current_setting('gin_fuzzy_search_limit') AS fuzzy, current_setting('default_table_access_method') AS method`,
    );
  });
  expect(settings).toEqual([
    { isolation: 'read committed', commit: 'on', fuzzy: '0', method: 'heap' },
  ]);
  expect(await db.query('SELECT count(*)::int4 AS rows FROM public.thing')).toEqual([{ rows: 2 }]);
});

test('a clock of our own may stand before Postgres’ functions, and nothing else', async () => {
  const own = await createTestDatabase();
  const year = 'SELECT extract(year FROM now())::int4 AS year';
  const yearsIn = async (clockSchema: string) => {
    const there = openDatabase({ url: own.url, applicationName: 'test', clockSchema });
    try {
      return [
        ...(await there.query(year)),
        ...(await there.transaction((tx) => tx.query(year))),
      ].map((row) => row.year === 1999);
    } finally {
      await there.close();
    }
  };
  await own.db.query(`
    CREATE SCHEMA sim;
    CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT timestamptz '1999-06-01'$$;
    ALTER DATABASE ${own.name} SET search_path = sim, pg_catalog, public`);
  expect(await yearsIn('sim')).toEqual([true, true]);
  expect(await yearsIn('other')).toEqual([false, false]);
  await own.drop();
});

test('an idle connection is kept, and nothing else outlives its transaction', async () => {
  const pid = 'SELECT pg_backend_pid() AS pid';
  const before = await db.query(pid);
  await new Promise((resolve) => setTimeout(resolve, LIMIT_MS + 200));
  expect(await db.query(pid)).toEqual(before);
});

test('a database that cannot hold every text says so, before anything is done in it', async () => {
  const name = `${database.name}_latin1`;
  const url = new URL(database.url);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  await admin.query(
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  url.pathname = `/${name}`;
  const other = openDatabase({ url: url.href, applicationName: 'test' });
  try {
    await expect(other.query('SELECT 1')).rejects.toMatchObject({
      code: 'database-encoding',
      disposition: 'halt',
      message: expect.stringContaining('LATIN1'),
    });
  } finally {
    await other.close();
    await admin.query(`DROP DATABASE ${name}`);
    await admin.end();
  }
});
