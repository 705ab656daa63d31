import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { quoteIdent } from '../../src/domain/names.ts';
import { field, hostileNames, objectOf } from '../unit/mirror/schemas.ts';
import { type CaptureDatabase, openCapture } from './capture-tables.ts';

let on: CaptureDatabase;

beforeAll(async () => {
  on = await openCapture();
});
afterAll(() => on.drop());

beforeEach(async () => {
  await on.write(
    'DELETE FROM clarify.deal; DELETE FROM clarify.company; DELETE FROM clarify_sync.id_map',
  );
  await on.write(
    `INSERT INTO clarify.deal (id, title, company_id) VALUES ('d1', 'One', 'c1'), ('d2', 'Two', 'c1')`,
  );
  await on.write(`INSERT INTO clarify.company (id, title) VALUES ('c1', 'Company')`);
  await on.entries();
});

const changed = (id: string, base: unknown, value: unknown) => ({
  op: 'update',
  record_id: id,
  changes: { title: { base, value } },
});

test('INSERT … ON CONFLICT updates what is there and inserts the rest', async () => {
  await on.sql(`INSERT INTO clarify.deal (id, title) VALUES ('d1', 'Upserted'), ('local:n', 'New')
                    ON CONFLICT (id) DO UPDATE SET title = excluded.title`);
  const entries = await on.entries();
  expect(entries).toHaveLength(2);
  expect(entries).toContainEqual(changed('d1', 'One', 'Upserted'));
  expect(entries).toContainEqual({
    op: 'insert',
    record_id: 'local:n',
    changes: { title: { base: null, value: 'New' } },
  });
  await on.sql(`INSERT INTO clarify.deal (id, title) VALUES ('d1', 'x') ON CONFLICT DO NOTHING`);
  expect(await on.entries()).toEqual([]);
});

test('an upsert by an id the row was born with finds its record, however often it was merged', async () => {
  await on.write(`INSERT INTO clarify_sync.id_map (object, old_id, id, reason)
                  VALUES ('deal', 'local:b', 'd0', 'pushed'), ('deal', 'd0', 'd1', 'merged')`);
  await on.sql(`INSERT INTO clarify.deal (id, title) VALUES ('local:b', 'Again')
                    ON CONFLICT (id) DO UPDATE SET title = excluded.title`);
  expect(await on.entries()).toEqual([changed('d1', 'One', 'Again')]);
  await expect(on.sql(`INSERT INTO clarify.deal (id) VALUES ('local:b')`)).rejects.toMatchObject({
    code: '23505',
  });
});

test('current_id follows every change of id, for everybody', async () => {
  await on.write(`INSERT INTO clarify_sync.id_map (object, old_id, id, reason)
                  VALUES ('deal', 'local:b', 'd0', 'pushed'), ('deal', 'd0', 'd1', 'merged'),
                         ('deal', 'x', 'y', 'merged'), ('deal', 'y', 'x', 'merged')`);
  const ids = `SELECT clarify_sync.current_id('deal', 'local:b') AS chain, clarify_sync.current_id('deal', 'd1') AS now,
    clarify_sync.current_id('company', 'local:b') AS other, clarify_sync.current_id('deal', NULL) AS nothing,
    clarify_sync.current_id('deal', 'x') IN ('x', 'y') AS cycle`;
  expect(await on.sql(ids)).toEqual([
    { chain: 'd1', now: 'd1', other: 'local:b', nothing: null, cycle: true },
  ]);
});

test('MERGE, COPY, and INSERT … SELECT of many', async () => {
  const { rows } = await on.user.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version`,
  );
  if ((rows[0]?.version ?? 0) >= 15) {
    await on.sql(`MERGE INTO clarify.deal AS d USING (VALUES ('d1', 'Merged'), ('d2', NULL), ('local:m', 'New')) AS s(id, title)
      ON d.id = s.id WHEN MATCHED AND s.title IS NULL THEN DELETE
      WHEN MATCHED THEN UPDATE SET title = s.title WHEN NOT MATCHED THEN INSERT (id, title) VALUES (s.id, s.title)`);
    const entries = await on.entries();
    expect(entries.map(({ op, record_id }) => `${op} ${record_id}`).toSorted()).toEqual([
      'delete d2',
      'insert local:m',
      'update d1',
    ]);
  }
  const copy = on.user.query(copyFrom('COPY clarify.deal (title, amount) FROM STDIN'));
  await pipeline(Readable.from(['copied\t1\n', 'copied\t2\n']), copy);
  expect(await on.entries()).toHaveLength(2);
  await on.sql(
    `INSERT INTO clarify.deal (title) SELECT 'n' || i FROM generate_series(1, 5000) AS i`,
  );
  const many = await on.entries();
  expect(many).toHaveLength(5000);
  expect(new Set(many.map(({ record_id }) => record_id)).size).toBe(5000);
});

test('writes through an updatable view', async () => {
  await on.sql(
    `CREATE SCHEMA reports; CREATE VIEW reports.deals AS SELECT id, title AS name FROM clarify.deal`,
  );
  await on.sql(
    `UPDATE reports.deals SET name = 'Viewed' WHERE id = 'd1'; DELETE FROM reports.deals WHERE id = 'd2'`,
  );
  await on.sql(`DROP SCHEMA reports CASCADE`);
  expect(await on.entries()).toMatchObject([
    changed('d1', 'One', 'Viewed'),
    { op: 'delete', record_id: 'd2' },
  ]);
});

test('cascades of users’ foreign keys, also where one statement writes a row twice', async () => {
  const { db } = on.database;
  await db.query(`CREATE TABLE public.stage (a text PRIMARY KEY, b text UNIQUE)`);
  await db.query(`INSERT INTO public.stage VALUES ('a', 'b')`);
  await on.write(`UPDATE clarify.deal SET title = 'a', "order" = 'b'`);
  await db.query(`ALTER TABLE clarify.deal
    ADD CONSTRAINT by_a FOREIGN KEY (title) REFERENCES public.stage (a) ON UPDATE CASCADE,
    ADD CONSTRAINT by_b FOREIGN KEY ("order") REFERENCES public.stage (b) ON UPDATE CASCADE`);
  await db.query(`UPDATE public.stage SET a = 'A', b = 'B'`);
  const entries = await on.entries();
  await db.query('ALTER TABLE clarify.deal DROP CONSTRAINT by_a, DROP CONSTRAINT by_b');
  await db.query('DROP TABLE public.stage');
  for (const id of ['d1', 'd2']) {
    const ofRow = entries.filter(({ record_id }) => record_id === id);
    expect(Object.assign({}, ...ofRow.map(({ changes }) => changes))).toEqual({
      title: { base: 'a', value: 'A' },
      order: { base: 'b', value: 'B' },
    });
  }
});

test('a writer has no right to what stands behind, and cannot lead it astray', async () => {
  for (const attempt of [
    'SELECT * FROM clarify_sync.outbox',
    'SELECT writer_secret FROM clarify_sync.installation',
    'INSERT INTO clarify_sync.id_map VALUES ()',
    `SELECT clarify_sync.is_own_write()`,
    `SELECT * FROM clarify_sync.captured_columns(1, 'deal', 'deal', 'INSERT')`,
  ]) {
    await expect(on.sql(attempt)).rejects.toMatchObject({
      code: expect.stringMatching(/^(42501|42601)$/),
    });
  }
  // Everything capture() calls by a name that could be hijacked, put first in the search path.
  await on.sql(`CREATE SCHEMA evil; SET search_path = evil, pg_temp, pg_catalog;
    CREATE TABLE evil.grabbed (who text);
    CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS
      $$ INSERT INTO evil.grabbed VALUES (current_user); SELECT 'x' $$;
    CREATE FUNCTION evil.to_json(text) RETURNS json LANGUAGE sql AS
      $$ INSERT INTO evil.grabbed VALUES (current_user); SELECT '1'::json $$;
    CREATE FUNCTION evil.concat(VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
    CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE sql AS
      $$ INSERT INTO evil.grabbed VALUES (current_user) $$;
    CREATE FUNCTION evil.same(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
    CREATE TEMP TABLE new_rows (id text); CREATE TEMP TABLE old_rows (id text)`);
  try {
    await on.sql(`UPDATE clarify.deal SET title = 'safe' WHERE id OPERATOR(pg_catalog.=) 'd1'`);
    expect(await on.sql('SELECT who FROM evil.grabbed')).toEqual([]);
  } finally {
    await on.sql(
      'RESET search_path; DROP SCHEMA evil CASCADE; DROP TABLE pg_temp.new_rows, pg_temp.old_rows',
    );
  }
  expect(await on.entries()).toEqual([changed('d1', 'One', 'safe')]);
});

test('the trigger does nothing for tables that are not mirrors', async () => {
  const { db } = on.database;
  await db.query(`CREATE TABLE public.deal (id text, title text)`);
  await db.query(`CREATE TRIGGER pretend AFTER INSERT ON public.deal REFERENCING NEW TABLE AS new_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.capture()`);
  await expect(db.query(`INSERT INTO public.deal VALUES ('d1', 'x')`)).rejects.toMatchObject({
    sqlState: 'CS010',
  });
  await db.query('DROP TABLE public.deal');
  await on.sql(`CREATE TEMP TABLE deal (id text)`);
  await expect(
    on.sql(`CREATE TRIGGER mine AFTER INSERT ON pg_temp.deal REFERENCING NEW TABLE AS new_rows
              FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.capture()`),
  ).rejects.toMatchObject({ code: '42501' });
  await on.sql('DROP TABLE pg_temp.deal');
});

test('any name a field may have, and more columns than a call takes arguments', async () => {
  const many = Array.from({ length: 150 }, (_, i) => field(`n_${i}`, 'number'));
  const wide = objectOf('wide', [...hostileNames.map((name) => field(name)), ...many]);
  const { db } = on.database;
  await applyMirror(db, [wide]);
  const columns = await db.query<{ field: string; column_name: string }>(
    `SELECT field, column_name FROM clarify_sync.mirror_column WHERE object = 'wide' AND kind = 'text'`,
  );
  const [mirror] = await db.query<{ table_name: string }>(
    `SELECT table_name FROM clarify_sync.mirror WHERE object = 'wide'`,
  );
  expect(columns.length).toBeGreaterThan(10);
  const names = columns.map(({ column_name }) => quoteIdent(column_name));
  await db.query(
    `INSERT INTO clarify.${mirror?.table_name} (${names.join()}, n_0) VALUES (${names.map(() => `'v'`).join()}, 0)`,
  );
  await db.query(`UPDATE clarify.wide SET ${names.map((name) => `${name} = 'w'`).join()}`);
  await db.query(`UPDATE clarify.wide SET ${many.map(({ name }) => `${name} = 1`).join()}`);
  await db.query('DELETE FROM clarify.wide');
  const [insert, update, numbers, remove] = await on.entries();
  const all = (base: unknown, value: unknown) =>
    Object.fromEntries(columns.map(({ field: name }) => [name, { base, value }]));
  expect(insert?.changes).toEqual({ ...all(null, 'v'), n_0: { base: null, value: 0 } });
  expect(update?.changes).toEqual(all('v', 'w'));
  expect(Object.keys(numbers?.changes ?? {})).toHaveLength(150);
  expect(Object.keys(remove?.changes ?? {})).toHaveLength(columns.length + 151);
});
