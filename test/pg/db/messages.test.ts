import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/connection/database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
/** Of one connection. */
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url, applicationName: 'messages', max: 1 });
  await database.db.query('CREATE TABLE public.counted (n int4)');
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

test('one message is one transaction, within its limits', async () => {
  const rows = await db.single<{ zone: string; limit: string; id: string }>(
    `SELECT current_setting('timezone') AS zone, current_setting('lock_timeout') AS limit,
            pg_current_xact_id()::text AS id`,
    { lockTimeoutMs: 300 },
  );
  expect(rows).toEqual([{ zone: 'UTC', limit: '300ms', id: expect.any(String) }]);
  expect(await db.query(`SELECT current_setting('lock_timeout') AS limit`)).toEqual([
    { limit: '0' },
  ]);
  expect(db.clock).not.toBeNull();
});

test('what fails leaves nothing behind, and a connection that works', async () => {
  await database.db.transaction(async (tx) => {
    await tx.query('LOCK TABLE public.counted');
    const waiting = db.single('INSERT INTO public.counted VALUES (1)', { lockTimeoutMs: 50 });
    await expect(waiting).rejects.toMatchObject({ code: 'database-lock-timeout' });
  });
  await expect(
    db.single('WITH one AS (INSERT INTO public.counted VALUES (2)) SELECT 1 / 0'),
  ).rejects.toMatchObject({ code: 'database-value' });
  await db.single('INSERT INTO public.counted VALUES (3)');
  expect(await db.query('SELECT n FROM public.counted')).toEqual([{ n: 3 }]);
});

test('what is repeated is planned once', async () => {
  const text = 'SELECT $1::int4 + 1 AS next';
  expect(await db.repeated(text, [1])).toEqual([{ next: 2 }]);
  expect(await db.repeated(text, [2])).toEqual([{ next: 3 }]);
  const kept = 'SELECT FROM pg_prepared_statements WHERE statement = $1';
  expect(await db.query(kept, [text])).toHaveLength(1);
});

test('a pooler that leads elsewhere costs the plan, and nothing else', async () => {
  const text = 'SELECT $1::int4 + 2 AS next';
  await db.repeated(text, [1]);
  await db.query('DEALLOCATE ALL');
  expect(await db.repeated(text, [1])).toEqual([{ next: 3 }]);
  expect(await db.repeated(text, [2])).toEqual([{ next: 4 }]);
  expect(await db.query('SELECT FROM pg_prepared_statements')).toEqual([]);
});

test('where a pooler is known to stand between, nothing is left with its connections', async () => {
  const name = { applicationName: 'messages', max: 1 };
  const pooled = openDatabase({ url: database.url, ...name, isPooled: true });
  try {
    expect(await pooled.repeated('SELECT $1::int4 + 3 AS next', [1])).toEqual([{ next: 4 }]);
    expect(await pooled.query('SELECT FROM pg_prepared_statements')).toEqual([]);
  } finally {
    await pooled.close();
  }
});

test('a statement that answers with other columns since', async () => {
  const other = openDatabase({ url: database.url, applicationName: 'messages', max: 1 });
  try {
    const text = 'SELECT * FROM public.counted';
    expect(await other.repeated(text)).toEqual([{ n: 3 }]);
    await database.db.query('ALTER TABLE public.counted ADD COLUMN more text');
    expect(await other.repeated(text)).toEqual([{ n: 3, more: null }]);
  } finally {
    await other.close();
  }
});

/** Of one connection. */
async function withOwn(
  work: (own: Database) => Promise<void>,
  options: { readonly isPooled?: boolean } = {},
): Promise<void> {
  const name = { applicationName: 'messages', max: 1 };
  const own = openDatabase({ url: database.url, ...name, ...options });
  try {
    await work(own);
  } finally {
    await own.close();
  }
}

const twice = ([text]: readonly string[]) => `SELECT ${text}::text || ${text}::text AS told`;
const thrice = ([text]: readonly string[]) => `SELECT repeat(${text}::text, 3) AS told`;
const PREPARED = 'SELECT generic_plans::int4 AS plans FROM pg_prepared_statements';

test('one message whose plan is kept while its texts change, for a while', async () => {
  await withOwn(async (own) => {
    for (let run = 1; run <= 20; run += 1) {
      const text = `it's {sync} \\ $1 ${run}`;
      expect(await own.repeatedSingle(twice, [text])).toEqual([{ told: text + text }]);
      expect(await own.query(PREPARED)).toEqual([{ plans: run }]);
    }
    await own.repeatedSingle(twice, ['a']);
    expect(await own.query(PREPARED)).toEqual([{ plans: 1 }]);
    expect(own.clock).not.toBeNull();
  });
});

test('a connection keeps one such plan at a time', async () => {
  await withOwn(async (own) => {
    for (const text of ['a', 'b']) {
      expect(await own.repeatedSingle(twice, [text])).toEqual([{ told: text.repeat(2) }]);
      expect(await own.repeatedSingle(thrice, [text])).toEqual([{ told: text.repeat(3) }]);
      expect(await own.query(PREPARED)).toHaveLength(1);
    }
  });
});

test('what fails by a plan that is kept leaves a connection that works', async () => {
  const fails = ([text]: readonly string[]) => `SELECT 1 / length(${text}::text) AS told`;
  await withOwn(async (own) => {
    expect(await own.repeatedSingle(fails, ['a'])).toEqual([{ told: 1 }]);
    await expect(own.repeatedSingle(fails, [''])).rejects.toMatchObject({ code: 'database-value' });
    expect(await own.repeatedSingle(fails, ['a'])).toEqual([{ told: 1 }]);
    expect(await own.query(PREPARED)).toHaveLength(1);
  });
});

test('a pooler that leads elsewhere costs such a plan, and nothing else', async () => {
  await withOwn(async (own) => {
    await own.repeatedSingle(twice, ['a']);
    await own.query('DEALLOCATE ALL');
    expect(await own.repeatedSingle(twice, ['b'])).toEqual([{ told: 'bb' }]);
    expect(await own.repeatedSingle(twice, ["'"])).toEqual([{ told: "''" }]);
    expect(await own.query(PREPARED)).toEqual([]);
  });
});

test('where a pooler is known to stand between, no such plan is left with its connections', async () => {
  await withOwn(
    async (own) => {
      expect(await own.repeatedSingle(twice, ["'"])).toEqual([{ told: "''" }]);
      expect(await own.query(PREPARED)).toEqual([]);
    },
    { isPooled: true },
  );
});

test('a plan that is kept is of the table that has the name by now', async () => {
  const change = (statements: string) => database.db.query(statements);
  const read = ([text]: readonly string[]) =>
    `SELECT n || ${text}::text AS told, 'public.named'::regclass::oid = tableoid AS same FROM public.named`;
  await change('CREATE TABLE public.named AS SELECT 1 AS n');
  await withOwn(async (own) => {
    expect(await own.repeatedSingle(read, ['a'])).toEqual([{ told: '1a', same: true }]);
    await change('ALTER TABLE public.named RENAME TO older');
    await change('CREATE TABLE public.named AS SELECT 2 AS n');
    expect(await own.repeatedSingle(read, ['b'])).toEqual([{ told: '2b', same: true }]);
    await change('DROP TABLE public.named');
    await expect(own.repeatedSingle(read, ['c'])).rejects.toMatchObject({
      code: 'database-statement',
    });
    await change('CREATE TABLE public.named AS SELECT 3 AS n');
    expect(await own.repeatedSingle(read, ['d'])).toEqual([{ told: '3d', same: true }]);
  });
});
