import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, objectOf, personName } from '../unit/mirror/schemas.ts';
import { asWriter } from './mirror-tables.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await ensureInstallation(database.db, { workspace: 'test', push: true });
});

afterEach(() => database.drop());

const deal = objectOf('deal', [field('title'), field('amount', 'number'), personName]);
const history = new Set(['deal']);

/** Of each version what began and ended it, oldest first. */
async function lines(where = 'true') {
  return await database.db.query(
    `SELECT id, title, _operation AS began, _ended_by AS ended FROM clarify_history.deal
      WHERE ${where} ORDER BY id, _valid_from`,
  );
}

const AS_OF = `SELECT id, title, amount, name, name__full_name FROM clarify_history.deal
  WHERE _valid_from <= $1 AND (_valid_to > $1 OR _valid_to IS NULL) ORDER BY id`;

/** The row as it stands and its open version agree, and every line is whole and in order. */
async function expectWhole(): Promise<void> {
  const wrong = await database.db.query(
    `SELECT 'row without a version that says the same' FROM clarify.deal AS d
      WHERE NOT EXISTS (SELECT FROM clarify_history.deal AS h WHERE h.id = d.id AND h._valid_to IS NULL
        AND (h.title, h.amount, h.name, h._extra, h._updated_at)
            IS NOT DISTINCT FROM (d.title, d.amount, d.name, d._extra, d._updated_at))
     UNION ALL
     SELECT 'open version without a row' FROM clarify_history.deal AS h
      WHERE h._valid_to IS NULL AND NOT EXISTS (SELECT FROM clarify.deal AS d WHERE d.id = h.id)
     UNION ALL
     SELECT 'versions that overlap' FROM clarify_history.deal AS a JOIN clarify_history.deal AS b USING (id)
      WHERE a._valid_from < b._valid_from AND (a._valid_to IS NULL OR a._valid_to > b._valid_from)
     UNION ALL
     SELECT 'no time at all' FROM clarify_history.deal WHERE _valid_to <= _valid_from`,
  );
  expect(wrong).toEqual([]);
}

test('at any past instant, history says what the table said', async () => {
  const { db } = database;
  await applyMirror(db, [deal], { history });
  const name = `'{"full_name": "Ann", "age": 1}'`;
  const writes: [own: boolean, statement: string][] = [
    [
      true,
      `INSERT INTO clarify.deal (id, title, name) SELECT i::text, 'one', ${name} FROM generate_series(1, 6) AS i`,
    ],
    [false, `UPDATE clarify.deal SET title = 'two' WHERE id IN ('1', '2')`],
    [false, `UPDATE clarify.deal SET title = title`],
    [true, `UPDATE clarify.deal SET _synced_at = now()`],
    [true, `UPDATE clarify.deal SET name = '{"full_name": "Bob"}' WHERE id = '3'`],
    [false, `DELETE FROM clarify.deal WHERE id IN ('2', '4')`],
    [
      true,
      `INSERT INTO clarify.deal (id, title) VALUES ('4', 'back'), ('5', 'upserted')
              ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
    ],
    [
      false,
      `WITH gone AS (DELETE FROM clarify.deal WHERE id = '6' RETURNING title)
             INSERT INTO clarify.deal (id, title) SELECT 'local:6', title FROM gone`,
    ],
    [true, `INSERT INTO clarify.deal (id) SELECT 'many' || i FROM generate_series(1, 500) AS i`],
    [true, `UPDATE clarify.deal SET amount = 2 WHERE id LIKE 'many%'`],
    [false, `DELETE FROM clarify.deal WHERE id LIKE 'many%'`],
  ];
  const seen: { at: string; rows: unknown }[] = [];
  for (const [own, statement] of writes) {
    await (own ? asWriter(db, statement) : db.query(statement));
    const [row] = await db.query<{ at: string }>('SELECT clock_timestamp() AS at');
    const rows = await db.query(
      'SELECT id, title, amount, name, name__full_name FROM clarify.deal ORDER BY id',
    );
    seen.push({ at: row?.at ?? '', rows });
    await db.query('SELECT pg_sleep(0.002)');
    await expectWhole();
  }
  for (const { at, rows } of seen) expect(await db.query(AS_OF, [at])).toEqual(rows);
  // What changes nothing is no version.
  expect(await lines(`id = '1'`)).toHaveLength(2);
  expect(await lines(`id = '4'`)).toEqual([
    { id: '4', title: 'one', began: 'insert', ended: 'delete' },
    { id: '4', title: 'back', began: 'insert', ended: null },
  ]);
});

test('what is rolled back or refused leaves no version', async () => {
  const { db } = database;
  await applyMirror(db, [deal], { history });
  await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('1', 'one')`);
  await expect(db.query(`UPDATE clarify.deal SET amount = 1e13`)).rejects.toThrow('12 digits');
  await expect(
    db.transaction(async (tx) => {
      await tx.query(`UPDATE clarify.deal SET title = 'two'`);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await lines()).toEqual([{ id: '1', title: 'one', began: 'insert', ended: null }]);
});

test("what a user's own trigger writes is the last version, not the first", async () => {
  const { db } = database;
  await applyMirror(db, [deal], { history });
  await db.query(
    `CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF pg_trigger_depth() = 1 THEN UPDATE clarify.deal SET title = upper(NEW.title) WHERE id = NEW.id; END IF;
       RETURN NULL; END $$`,
  );
  await db.query(
    `CREATE TRIGGER a_first AFTER INSERT OR UPDATE ON clarify.deal FOR EACH ROW EXECUTE FUNCTION public.shout()`,
  );
  await db.query(`INSERT INTO clarify.deal (id, title) VALUES ('local:1', 'one')`);
  expect((await lines()).at(-1)).toMatchObject({ title: 'ONE', ended: null });
  await db.query(`UPDATE clarify.deal SET title = 'two'`);
  expect((await lines()).at(-1)).toMatchObject({ title: 'TWO', ended: null });
  await expectWhole();
});

test('turned on later it begins with what stands, turned off it stops and keeps', async () => {
  const { db } = database;
  await applyMirror(db, [deal]);
  await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('1', 'one'), ('2', 'one')`);
  const { problems } = await applyMirror(db, [deal], { history });
  expect(problems).toEqual([]);
  expect((await applyMirror(db, [deal], { history })).steps).toEqual([]);
  await asWriter(db, `UPDATE clarify.deal SET title = 'two' WHERE id = '1'`);
  await applyMirror(db, [deal]);
  expect((await applyMirror(db, [deal])).steps).toEqual([]);
  await asWriter(db, `UPDATE clarify.deal SET title = 'unseen'`);
  const kept = [
    { id: '1', title: 'one', began: 'found', ended: 'update' },
    { id: '1', title: 'two', began: 'update', ended: 'stop' },
    { id: '2', title: 'one', began: 'found', ended: 'stop' },
  ];
  expect(await lines()).toEqual(kept);
  await applyMirror(db, [deal], { history });
  expect((await lines()).filter(({ ended }) => ended === null)).toEqual([
    { id: '1', title: 'unseen', began: 'found', ended: null },
    { id: '2', title: 'unseen', began: 'found', ended: null },
  ]);
  await expectWhole();
});

test('the table of versions follows the schema and drops nothing', async () => {
  const { db } = database;
  await applyMirror(db, [deal], { history });
  await asWriter(
    db,
    `INSERT INTO clarify.deal (id, amount, title, _extra) VALUES ('1', 5, 'one', '{"stage": "Won"}')`,
  );
  const next = objectOf('deal', [
    field('title', 'texts'),
    field('amount', 'number'),
    personName,
    field('stage'),
  ]);
  const { problems } = await applyMirror(db, [next], { history });
  expect(problems).toEqual([]);
  expect((await applyMirror(db, [next], { history })).steps).toEqual([]);
  await asWriter(db, `UPDATE clarify.deal SET title = '{a,b}'`);
  const versions = await db.query(
    'SELECT amount, title, title__was_1, stage FROM clarify_history.deal ORDER BY _valid_from',
  );
  expect(versions[0]).toEqual({ amount: '5.0000', title: null, title__was_1: 'one', stage: null });
  expect(versions.at(-1)).toEqual({
    amount: '5.0000',
    title: ['a', 'b'],
    title__was_1: 'one',
    stage: 'Won',
  });
  await applyMirror(db, [objectOf('deal', [field('stage')])], { history });
  await asWriter(db, `UPDATE clarify.deal SET stage = 'Lost'`);
  const [last] = await db.query(
    'SELECT amount, stage FROM clarify_history.deal WHERE _valid_to IS NULL',
  );
  expect(last).toEqual({ amount: '5.0000', stage: 'Lost' });

  await db.query('DROP TABLE clarify_history.deal');
  await asWriter(db, `UPDATE clarify.deal SET stage = 'Open'`);
  await applyMirror(db, [objectOf('deal', [field('stage')])], { history });
  expect(await db.query('SELECT stage, _operation FROM clarify_history.deal')).toEqual([
    { stage: 'Open', _operation: 'found' },
  ]);
});

test('versions do not overlap where the clock is set back', async () => {
  const { db } = database;
  await applyMirror(db, [deal], { history });
  await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('1', 'one'), ('2', 'one')`);
  await db.query(`UPDATE clarify_history.deal SET _valid_from = now() + interval '1 hour'`);
  await asWriter(db, `UPDATE clarify.deal SET title = 'two' WHERE id = '1'`);
  await asWriter(db, `DELETE FROM clarify.deal WHERE id = '2'`);
  await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('2', 'two')`);
  await asWriter(db, `UPDATE clarify.deal SET title = 'three'`);
  await expectWhole();
  expect(await lines()).toHaveLength(6);
});

test('numbers of every type are kept to the last digit, whatever the writer’s settings', async () => {
  const { db } = database;
  const { scale: _scale, wholeDigits: _digits, ...plain } = field('score', 'number');
  const rating = { ...plain, name: 'rating', integerBits: 16 } as const;
  const seats = { ...plain, name: 'seats', integerBits: 32 } as const;
  const measured = objectOf('deal', [field('title'), plain, rating, seats]);
  await applyMirror(db, [measured], { history });
  const values = [0.1 + 0.2, 1e300, 12345678901.25];
  await db.transaction(
    async (tx) => {
      await tx.query('SET LOCAL extra_float_digits = -5');
      for (const [n, value] of values.entries()) {
        await tx.query(
          `INSERT INTO clarify.deal (id, score, rating, seats) VALUES ($1, $2, 5, 2147483647)`,
          [String(n), value],
        );
      }
    },
    { asWriter: true },
  );
  const kept = await db.query(
    `SELECT score::float8 AS score, rating, seats FROM clarify_history.deal ORDER BY id`,
  );
  expect(kept).toEqual(values.map((score) => ({ score, rating: '5', seats: '2147483647' })));
  await asWriter(db, `UPDATE clarify.deal SET rating = 4 WHERE id = '1'`);
  expect(await lines(`id = '1'`)).toHaveLength(2);
});
