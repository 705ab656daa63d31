import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CaptureDatabase, openCapture } from './capture-tables.ts';

let on: CaptureDatabase;

beforeAll(async () => {
  on = await openCapture();
});
afterAll(() => on.drop());

beforeEach(async () => {
  await on.write('DELETE FROM clarify.deal');
  await on.write(
    `INSERT INTO clarify.deal (id, title, amount, won, closes_on, met_at, tags, terms, _created_at)
     VALUES ('d1', 'One', 10, true, '2026-03-01', '2026-03-01T10:00:00.123Z', '{a,b}', '{"x": 1}', now()),
            ('d2', 'Two', 20, NULL, NULL, NULL, NULL, NULL, now())`,
  );
  await on.entries();
});

test('an update enters the fields that changed, with the value both sides knew', async () => {
  await on.sql(
    `UPDATE clarify.deal SET title = 'First', amount = 10.0, tags = '{b,c}' WHERE id = 'd1'`,
  );
  expect(await on.entries()).toEqual([
    {
      op: 'update',
      record_id: 'd1',
      changes: {
        title: { base: 'One', value: 'First' },
        tags: { base: ['a', 'b'], value: ['b', 'c'] },
      },
    },
  ]);
});

test('every row of a statement has its own changes', async () => {
  await on.sql(
    `UPDATE clarify.deal SET won = true, amount = CASE id WHEN 'd1' THEN 11 ELSE amount END`,
  );
  expect(await on.entries()).toEqual([
    { op: 'update', record_id: 'd1', changes: { amount: { base: 10, value: 11 } } },
    { op: 'update', record_id: 'd2', changes: { won: { base: null, value: true } } },
  ]);
});

test('nothing, an empty collection and a JSON null are one and the same', async () => {
  await on.sql(
    `UPDATE clarify.deal SET tags = '{}', terms = 'null', amount = 20.00 WHERE id = 'd2'`,
  );
  await on.sql(`UPDATE clarify.deal SET tags = NULL, terms = NULL WHERE id = 'd2'`);
  expect(await on.entries()).toEqual([]);
  await on.sql(`UPDATE clarify.deal SET tags = '{}', terms = 'null' WHERE id = 'd1'`);
  expect(await on.entries()).toMatchObject([
    {
      changes: { tags: { base: ['a', 'b'], value: null }, terms: { base: { x: 1 }, value: null } },
    },
  ]);
});

test('values are exact and the same whatever the session of the writer', async () => {
  await on.sql(`SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, DMY'; SET extra_float_digits = -15;
    SET intervalstyle = 'iso_8601'; SET bytea_output = 'escape'`);
  await on.sql(
    `UPDATE clarify.deal SET met_at = '2026-05-06T07:08:09.123+09:00', closes_on = '02/01/2026',
            amount = 123456789012.3456, terms = '{"deep": {"null": null, "list": []}}', title = E'q"\\\\\\n'
      WHERE id = 'd1'`,
  );
  const [entry] = await on.database.db.query(
    `SELECT changes::text AS changes FROM clarify_sync.outbox ORDER BY id DESC LIMIT 1`,
  );
  expect(JSON.parse(String(entry?.['changes']))).toMatchObject({
    met_at: { base: '2026-03-01T10:00:00.123Z', value: '2026-05-05T22:08:09.123Z' },
    closes_on: { base: '2026-03-01', value: '2026-01-02' },
    terms: { value: { deep: { null: null, list: [] } } },
    title: { value: 'q"\\\n' },
  });
  expect(entry?.['changes']).toContain('123456789012.3456');
  await on.sql('RESET ALL');
  await on.entries();
});

test('what no column can hold is the base of a column that is written', async () => {
  await on.write(
    `UPDATE clarify.deal SET _extra = '{"amount": "a lot", "other": 1}', amount = NULL WHERE id = 'd1'`,
  );
  await on.sql(`UPDATE clarify.deal SET amount = 5, won = NULL WHERE id = 'd1'`);
  expect(await on.entries()).toMatchObject([
    { changes: { amount: { base: 'a lot', value: 5 }, won: { base: true, value: null } } },
  ]);
});

test('an insert enters what it gave, under the id it was born with', async () => {
  const [row] = await on.sql(
    `INSERT INTO clarify.deal (title, tags, terms) VALUES ('New', '{}', '{"a": null}') RETURNING id, _local_id`,
  );
  expect(row?.['id']).toMatch(/^local:[0-9a-f-]{36}$/);
  expect(row?.['_local_id']).toBe(row?.['id']);
  expect(await on.entries()).toEqual([
    {
      op: 'insert',
      record_id: row?.['id'],
      changes: { title: { base: null, value: 'New' }, terms: { base: null, value: { a: null } } },
    },
  ]);
  await on.sql(`INSERT INTO clarify.deal (id) VALUES ('local:mine')`);
  expect(await on.entries()).toEqual([{ op: 'insert', record_id: 'local:mine', changes: {} }]);
});

test('a deleted row is kept whole', async () => {
  await on.database.db.query('ALTER TABLE clarify.deal ADD COLUMN note text');
  await on.write(
    `UPDATE clarify.deal SET _extra = '{"odd": [1]}', _created_by = 'user_1', note = 'mine' WHERE id = 'd2'`,
  );
  await on.sql(`DELETE FROM clarify.deal WHERE id = 'd2'`);
  await on.database.db.query('ALTER TABLE clarify.deal DROP COLUMN note');
  expect(await on.entries()).toEqual([
    {
      op: 'delete',
      record_id: 'd2',
      changes: {
        title: { base: 'Two', value: null },
        amount: { base: 20, value: null },
        _extra: { base: { odd: [1] }, value: null },
        _row: {
          base: {
            _key: 'd2',
            _created_at: expect.any(String),
            _created_by: 'user_1',
            note: 'mine',
          },
          value: null,
        },
      },
    },
  ]);
});

test('our own writes are not captured; whoever knows no secret cannot pass for us', async () => {
  await on.write(
    `UPDATE clarify.deal SET title = 'remote', _updated_at = now(), _synced_at = now()`,
  );
  expect(await on.entries()).toEqual([]);
  await on.sql(
    `BEGIN; SET LOCAL clarify_sync.writer = ''; UPDATE clarify.deal SET title = 'mine'; COMMIT`,
  );
  expect(await on.entries()).toHaveLength(2);
});

test('what a user’s trigger writes inside our transaction is a local change', async () => {
  const { db } = on.database;
  await db.query(`CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE clarify.company SET title = 'touched'; RETURN NULL; END $$`);
  await db.query(
    'CREATE TRIGGER touch AFTER UPDATE ON clarify.deal FOR EACH STATEMENT EXECUTE FUNCTION public.touch()',
  );
  await on.write(`INSERT INTO clarify.company (id, title) VALUES ('c1', 'C')`);
  await on.write(`UPDATE clarify.deal SET title = 'remote' WHERE id = 'd1'`);
  await db.query('DROP FUNCTION public.touch() CASCADE');
  expect(await on.entries()).toEqual([
    { op: 'update', record_id: 'c1', changes: { title: { base: 'C', value: 'touched' } } },
  ]);
  await on.write('DELETE FROM clarify.company');
});

test('users’ own columns, and what is not committed, are nobody’s business', async () => {
  await on.database.db.query('ALTER TABLE clarify.deal ADD COLUMN note json');
  await on.sql(`UPDATE clarify.deal SET note = '{"a":1}'`);
  await on.sql(`BEGIN; UPDATE clarify.deal SET title = 'no'; ROLLBACK`);
  await on.sql(`BEGIN; SAVEPOINT s; UPDATE clarify.deal SET title = 'no'; ROLLBACK TO s;
                UPDATE clarify.deal SET title = 'yes' WHERE id = 'd1'; COMMIT`);
  await on.database.db.query('ALTER TABLE clarify.deal DROP COLUMN note');
  expect(await on.entries()).toEqual([
    { op: 'update', record_id: 'd1', changes: { title: { base: 'One', value: 'yes' } } },
  ]);
});

test('statements of one transaction are entered in their order', async () => {
  await on.sql(`BEGIN; INSERT INTO clarify.deal (id, title) VALUES ('local:x', '1');
    UPDATE clarify.deal SET title = '2' WHERE id = 'local:x'; DELETE FROM clarify.deal WHERE id = 'local:x'; COMMIT`);
  expect((await on.entries()).map(({ op }) => op)).toEqual(['insert', 'update', 'delete']);
});

test('whoever listens hears of a commit, once a statement and object', async () => {
  const { Client } = (await import('pg')).default;
  const listener = new Client({ connectionString: on.database.url });
  await listener.connect();
  try {
    const heard = new Promise((resolve) => listener.once('notification', resolve));
    await listener.query('LISTEN clarify_sync_outbox');
    await on.sql(`UPDATE clarify.deal SET title = 'heard'`);
    expect(await heard).toMatchObject({ channel: 'clarify_sync_outbox', payload: 'deal' });
  } finally {
    await listener.end();
  }
});

test('who wrote and when stand beside the change', async () => {
  await on.sql(`UPDATE clarify.deal SET title = 'by me' WHERE id = 'd1'`);
  const [row] = await on.database.db.query(
    `SELECT written_by, created_at <= clock_timestamp() AS past, state FROM clarify_sync.outbox ORDER BY id DESC LIMIT 1`,
  );
  expect(row).toEqual({ written_by: on.role, past: true, state: 'pending' });
});
