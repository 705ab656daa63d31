import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/connection/database.ts';
import { ExactNumber } from '../../../src/domain/json.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.db.query(
    'create table public.thing (id int primary key, note text check (note <> $$bad$$))',
  );
});
afterAll(() => database.drop());

const secret = 'hunter2@example.com';

describe('values', () => {
  it('come back exact, and never as a JavaScript Date', async () => {
    const [row] = await database.db.query(
      `select 9007199254740993::int8 as int8, 1.10::numeric as numeric, '1900-01-01'::date as date,
              timestamptz '2026-08-20 23:30:00.123456+05:30' as instant,
              timestamptz '2026-08-20 10:00:00.5Z' as millis,
              timestamp '2026-08-20 10:00' as local, array['a', null]::text[] as texts,
              array[1.50]::numeric[] as numerics, array[timestamptz '2026-01-01Z'] as instants,
              '{"n": 12345678901234567890.1234}'::jsonb as exact`,
    );
    expect(row).toEqual({
      int8: 9007199254740993n,
      numeric: '1.10',
      date: '1900-01-01',
      instant: '2026-08-20T18:00:00.123456Z',
      millis: '2026-08-20T10:00:00.500Z',
      local: '2026-08-20 10:00:00',
      texts: ['a', null],
      numerics: ['1.50'],
      instants: ['2026-01-01T00:00:00.000Z'],
      exact: { n: new ExactNumber('12345678901234567890.1234') },
    });
  });

  it('are read alike whatever the time zone and date style of the role', async () => {
    const text = "select timestamptz '2026-08-20T10:00:00Z' as at, date '2026-08-20' as day";
    await database.db.query(`alter database ${database.name} set timezone = 'Asia/Kathmandu'`);
    await database.db.query(`alter database ${database.name} set datestyle = 'SQL, DMY'`);
    const other = openDatabase({ url: database.url, applicationName: 'test' });
    const inOne = await other.transaction((tx) => tx.query(text));
    const outside = await other.query(text);
    await other.close();
    for (const rows of [inOne, outside]) {
      expect(rows).toEqual([{ at: '2026-08-20T10:00:00.000Z', day: '2026-08-20' }]);
    }
  });

  it('go out as JSON digit for digit', async () => {
    const value = { n: new ExactNumber('0.1000000000000000000001') };
    const [row] = await database.db.query('select ($1::jsonb)->>$$n$$ as n', [value]);
    expect(row).toEqual({ n: '0.1000000000000000000001' });
  });
});

describe('transaction', () => {
  it('rolls back when its work throws, and gives the connection back', async () => {
    const failure = new Error('work failed');
    const attempt = database.db.transaction(async (tx) => {
      await tx.query('insert into thing values (1)');
      throw failure;
    });
    await expect(attempt).rejects.toBe(failure);
    expect(await database.db.query('select * from thing')).toEqual([]);
  });

  it('says so when an error was swallowed and nothing was committed', async () => {
    const attempt = database.db.transaction(async (tx) => {
      await tx.query('insert into thing values (1)');
      await tx.query('select 1/0').catch(() => {});
    });
    await expect(attempt).rejects.toMatchObject({ code: 'database-unexpected' });
    expect(await database.db.query('select * from thing')).toEqual([]);
  });

  it('marks only its own statements as ours', async () => {
    await database.db.query(
      `insert into clarify_sync.installation (workspace, fingerprint) values ('w', 'f')`,
    );
    const ours = `select current_setting('clarify_sync.writer', true) =
                    (select writer_secret from clarify_sync.installation) as ours`;
    const marked = await database.db.transaction((tx) => tx.query(ours), { asWriter: true });
    const unmarked = await database.db.transaction((tx) => tx.query(ours));
    expect(marked).toEqual([{ ours: true }]);
    expect(unmarked).not.toEqual([{ ours: true }]);
  });

  it('waits for a lock no longer than told', async () => {
    await database.db.query('create table if not exists public.held (id int)');
    await database.db.transaction(async (holder) => {
      await holder.query('lock table held');
      const waiter = database.db.transaction((tx) => tx.query('select * from held'), {
        lockTimeoutMs: 20,
      });
      await expect(waiter).rejects.toMatchObject({
        code: 'database-lock-timeout',
        disposition: 'retry',
      });
    });
  });

  it('copies rows in, and passes an error of their source on as it is', async () => {
    const copied = await database.db.transaction((tx) =>
      tx.copyFrom('copy thing (id, note) from stdin', Readable.from(['10\ta\n', '11\tb\n'])),
    );
    expect(copied).toBe(2);
    const failure = new Error('source failed');
    const source = new Readable({
      read() {
        this.destroy(failure);
      },
    });
    const attempt = database.db.transaction((tx) =>
      tx.copyFrom('copy thing (id, note) from stdin', source),
    );
    await expect(attempt).rejects.toBe(failure);
    expect(await database.db.query('select count(*) from thing')).toEqual([{ count: 2n }]);
  });
});

describe('errors', () => {
  it.each([
    ['a value', `select '${secret}'::numeric`, 'database-value', 'park'],
    ['a duplicate', `insert into thing values (5, 'x'), (5, 'x')`, 'database-constraint', 'park'],
    ['a check', `insert into thing values (6, 'bad')`, 'database-constraint', 'park'],
    ['a missing table', 'select * from nowhere', 'database-statement', 'halt'],
    ['a missing schema', 'select nowhere.anything()', 'database-statement', 'halt'],
    [
      'a refusal of our triggers',
      `do $$ begin raise 'push is off' using errcode = 'CS001'; end $$`,
      'write-refused',
      'park',
    ],
  ])('tell %s by its code and quote no value', async (_, text, code, disposition) => {
    const error = await database.db.query(text).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, disposition });
    expect(inspectWhole(error)).not.toContain(secret);
    expect(inspectWhole(error)).not.toContain('(5)');
  });

  it('tell a wrong password, a missing database, a missing right', async () => {
    await database.db.query(`create role ${database.name} login password 'right'`);
    const codeOf = async (url: string, text: string) => {
      const db = openDatabase({ url, applicationName: 'test' });
      const error = await db.query(text).catch((caught: unknown) => caught);
      await db.close();
      return error;
    };
    const missing = database.url.replace(/\/[^/]*$/, '/no_such_database');
    try {
      expect(await codeOf(database.urlAs(database.name, 'wrong'), 'select 1')).toMatchObject({
        code: 'database-auth',
      });
      expect(await codeOf(missing, 'select 1')).toMatchObject({ code: 'database-missing' });
      expect(
        await codeOf(database.urlAs(database.name, 'right'), 'select * from thing'),
      ).toMatchObject({ code: 'database-permission', disposition: 'halt' });
    } finally {
      await database.db.query(`drop role ${database.name}`);
    }
  });

  it('tell an unreachable server', async () => {
    const db = openDatabase({ url: 'postgres://u:p@127.0.0.1:1/x', applicationName: 'test' });
    await expect(db.query('select 1')).rejects.toMatchObject({
      code: 'database-unreachable',
      disposition: 'retry',
    });
    await db.close();
  });

  it('tell a database that takes no connections for now from one that is broken', async () => {
    const other = await createTestDatabase();
    const db = openDatabase({ url: other.url, applicationName: 'test' });
    try {
      await database.db.query(`alter database ${other.name} allow_connections false`);
      await expect(db.query('select 1')).rejects.toMatchObject({
        code: 'database-restarting',
        disposition: 'retry',
        sqlState: '55000',
      });
      // From a statement the same SQLSTATE is a mistake of ours, and no reason to try again.
      const statement = database.db.query(
        'create temp sequence never_read; select currval($$never_read$$)',
      );
      await expect(statement).rejects.toMatchObject({ disposition: 'halt', sqlState: '55000' });
    } finally {
      await db.close();
      await other.drop();
    }
  });

  it('a connection cut under a transaction is replaced by a good one', async () => {
    const attempt = database.db.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await database.db.query('select pg_terminate_backend($1)', [row?.pid]);
      await tx.query('select 1');
    });
    await expect(attempt).rejects.toMatchObject({ disposition: 'retry' });
    expect(await database.db.transaction((tx) => tx.query('select 1 as one'))).toEqual([
      { one: 1 },
    ]);
  });

  it('a closed database says so', async () => {
    const db = openDatabase({ url: database.url, applicationName: 'test' });
    await db.query('select 1');
    await Promise.all([db.close(), db.close()]);
    await expect(db.query('select 1')).rejects.toMatchObject({ code: 'database-closed' });
  });
});

/** Everything a logger could print of an error, causes included. */
function inspectWhole(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = JSON.stringify(Object.entries(error).filter(([name]) => name !== 'cause'));
  return `${error.message}\n${error.stack}\n${own}\n${inspectWhole(error.cause)}`;
}
