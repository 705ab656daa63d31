import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyMirror, previewMirror } from '../../src/db/mirror/apply.ts';
import { findByIdentity } from '../../src/db/mirror/identity-lookup.ts';
import { loadMirrorTables, markFilled } from '../../src/db/mirror/load.ts';
import { noteOverflown } from '../../src/db/mirror/number-columns.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { readStanding } from '../../src/db/standing.ts';
import type { Field } from '../../src/domain/schema.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, objectOf, personName } from '../unit/mirror/schemas.ts';
import { asWriter, columnsOf } from './mirror-tables.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await ensureInstallation(database.db, { workspace: 'test', push: true });
});

afterEach(() => database.drop());

test('a new field gets its values from _extra, and what does not fit stays there', async () => {
  const { db } = database;
  await applyMirror(db, [objectOf('deal', [field('title')])]);
  await asWriter(
    db,
    `INSERT INTO clarify.deal (id, _extra) VALUES
       ('1', '{"amount": 12.5, "due": "2024-02-29", "other": 1}'),
       ('2', '{"amount": "a lot", "due": "2024-02-30"}'),
       ('3', '{"amount": {"$json": "1e400000"}, "tags": ["a", "b\\"c"]}'),
       ('4', NULL)`,
  );
  const wanted = [
    objectOf('deal', [
      field('title'),
      field('amount', 'number'),
      field('due', 'date'),
      field('tags', 'texts'),
    ]),
  ];
  const change = await applyMirror(db, wanted);
  expect(change.unfilled).toEqual([
    { object: 'deal', field: 'amount' },
    { object: 'deal', field: 'due' },
    { object: 'deal', field: 'tags' },
  ]);
  const rows = await db.query('SELECT id, amount, due, tags, _extra FROM clarify.deal ORDER BY id');
  expect(rows).toEqual([
    {
      id: '1',
      amount: '12.5000',
      due: '2024-02-29',
      tags: null,
      _extra: { other: 1 },
    },
    {
      id: '2',
      amount: null,
      due: null,
      tags: null,
      _extra: { amount: 'a lot', due: '2024-02-30' },
    },
    {
      id: '3',
      amount: null,
      due: null,
      tags: ['a', 'b"c'],
      _extra: { amount: { $json: '1e400000' } },
    },
    { id: '4', amount: null, due: null, tags: null, _extra: null },
  ]);
  expect(await db.query('SELECT id FROM clarify_sync.outbox')).toEqual([]);
  const unfilled = async () => (await readStanding(db, 'deal')).unfilled;
  expect(await unfilled()).toEqual(['amount', 'due', 'tags']);
  await markFilled(db, 'deal', ['amount', 'due', 'tags']);
  expect(await unfilled()).toBeNull();
  expect((await applyMirror(db, wanted)).steps).toEqual([]);
});

test("a changed type keeps the old column, its data and the users' views", async () => {
  const { db } = database;
  await applyMirror(db, [objectOf('person', [personName, field('owner', 'reference')])]);
  await asWriter(
    db,
    `INSERT INTO clarify.person (id, name, owner)
     VALUES ('1', '{"full_name": "Ann", "age": "old"}', 'local:x')`,
  );
  await db.query('ALTER TABLE clarify.person ADD COLUMN "name__was_1" text DEFAULT \'mine\'');
  await db.query('CREATE INDEX my_index ON clarify.person (owner)');
  await db.query(
    'CREATE VIEW public.names AS SELECT id, name, name__full_name, owner FROM clarify.person',
  );
  const changed = [objectOf('person', [field('name'), field('owner', 'number')])];
  const change = await applyMirror(db, changed);
  expect(change.problems).toEqual([]);
  expect(change.unfilled.map(({ field: name }) => name)).toEqual(['name', 'owner']);
  const columns = await columnsOf(db, 'person');
  expect(columns.get('name')).toBe('text');
  expect(columns.get('owner')).toBe('numeric(20,4)');
  expect(columns.get('name__was_2')).toBe('jsonb');
  expect(columns.get('owner__was_1')).toBe('text');
  expect(columns.get('name__full_name__was_1')).toBe('text');
  expect(columns.has('name__full_name')).toBe(false);
  expect(await db.query('SELECT * FROM public.names')).toEqual([
    { id: '1', name: { full_name: 'Ann', age: 'old' }, name__full_name: 'Ann', owner: 'local:x' },
  ]);
  expect(await db.query('SELECT name__was_1 AS mine FROM clarify.person')).toEqual([
    { mine: 'mine' },
  ]);
  expect((await applyMirror(db, changed)).steps).toEqual([]);

  const back = [objectOf('person', [personName, field('owner', 'reference')])];
  expect((await applyMirror(db, back)).problems).toEqual([]);
  const after = await columnsOf(db, 'person');
  expect(after.get('name')).toBe('jsonb');
  expect(after.get('name__full_name')).toBe('text');
  expect(after.get('name__was_3')).toBe('text');
  expect(after.get('owner__was_2')).toBe('numeric(20,4)');
  expect((await applyMirror(db, back)).steps).toEqual([]);
});

test('numbers that become of another kind get a column of their own; one that holds too little is widened', async () => {
  const { db } = database;
  const number = (more: Partial<Field>) => [
    objectOf('deal', [field('score', 'number', { scale: undefined, ...more })]),
  ];
  const typeNow = async () => (await columnsOf(db, 'deal')).get('score');
  await applyMirror(db, number({}));
  expect(await typeNow()).toBe('double precision');
  await asWriter(db, `INSERT INTO clarify.deal (id, score) VALUES ('1', 3.5)`);

  const change = await applyMirror(db, number({ integerBits: 16 }));
  expect(change.problems).toEqual([]);
  expect(change.unfilled).toEqual([{ object: 'deal', field: 'score' }]);
  expect(await typeNow()).toBe('smallint');
  expect((await columnsOf(db, 'deal')).get('score__was_1')).toBe('double precision');
  expect((await applyMirror(db, number({ integerBits: 16 }))).steps).toEqual([]);

  // What came and is not such a number stands in `_extra` until the column is wide enough.
  await asWriter(db, `INSERT INTO clarify.deal (id, _extra) VALUES ('2', '{"score": 40000}')`);
  await db.transaction((tx) => noteOverflown(tx, 'deal', new Set(['score'])));
  await applyMirror(db, number({ integerBits: 16 }));
  expect(await typeNow()).toBe('numeric');
  expect(await db.query('SELECT id, score, _extra FROM clarify.deal ORDER BY id')).toEqual([
    { id: '1', score: null, _extra: null },
    { id: '2', score: '40000', _extra: null },
  ]);
  expect((await applyMirror(db, number({ integerBits: 16 }))).steps).toEqual([]);
  expect((await applyMirror(db, number({ integerBits: 32 }))).problems).toEqual([]);
  expect(await typeNow()).toBe('integer');
  expect((await applyMirror(db, number({ integerBits: 32 }))).steps).toEqual([]);
});

test('a removed field stays with its data, is noted, and comes back as the same column', async () => {
  const { db } = database;
  const full = [objectOf('person', [field('title', 'text', { label: 'Title' }), field('city')])];
  const less = [objectOf('person', [field('city')])];
  await applyMirror(db, full);
  await asWriter(db, `INSERT INTO clarify.person (id, title) VALUES ('1', 'Dr')`);
  const change = await applyMirror(db, less);
  expect(change.steps.map(({ description }) => description)).toEqual(['label column title']);
  expect(await db.query('SELECT title FROM clarify.person')).toEqual([{ title: 'Dr' }]);
  const [table] = await loadMirrorTables(db);
  expect(table?.columns.map(({ column }) => column)).toEqual(['city']);
  expect(await readComment(database, 'title')).toContain('removed in Clarify');

  await asWriter(db, `UPDATE clarify.person SET _extra = '{"title": "Prof"}'`);
  const returned = await applyMirror(db, full);
  expect(returned.unfilled).toEqual([{ object: 'person', field: 'title' }]);
  expect(await db.query('SELECT title, _extra FROM clarify.person')).toEqual([
    { title: 'Prof', _extra: null },
  ]);
  expect(await readComment(database, 'title')).toBe('Title');
  expect((await applyMirror(db, full)).steps).toEqual([]);
});

test('a removed object keeps its table, refuses writes, and can come back', async () => {
  const { db } = database;
  const both = [objectOf('deal', [field('title')]), objectOf('person', [field('title')])];
  await applyMirror(db, both);
  await asWriter(db, `INSERT INTO clarify.deal (id, title) VALUES ('1', 'Big')`);
  await applyMirror(db, both.slice(1));
  expect((await loadMirrorTables(db)).map(({ object }) => object)).toEqual(['person']);
  expect(await db.query('SELECT title FROM clarify.deal')).toEqual([{ title: 'Big' }]);
  const refusals = () =>
    db.query(`SELECT refusal IS NOT NULL AS refused, removed_at IS NOT NULL AS removed
                FROM clarify_sync.mirror WHERE object = 'deal'`);
  expect(await refusals()).toEqual([{ refused: true, removed: true }]);
  expect((await applyMirror(db, both.slice(1))).steps).toEqual([]);
  await applyMirror(db, both);
  expect(await refusals()).toEqual([{ refused: false, removed: false }]);
  expect(await loadMirrorTables(db)).toHaveLength(2);
});

test("a field whose name a user's column has gets another column", async () => {
  const { db } = database;
  await applyMirror(db, [objectOf('deal', [field('title')])]);
  await db.query(`ALTER TABLE clarify.deal ADD COLUMN stage integer DEFAULT 7`);
  const wanted = [objectOf('deal', [field('title'), field('stage')])];
  expect((await applyMirror(db, wanted)).problems).toEqual([]);
  const columns = await columnsOf(db, 'deal');
  expect(columns.get('stage')).toBe('integer');
  const [table] = await loadMirrorTables(db);
  expect(table?.byField.get('stage')?.column).toMatch(/^stage_[0-9a-f]{8}$/);
  expect((await applyMirror(db, wanted)).steps).toEqual([]);
});

test('what a user dropped is made again, and is to be read again', async () => {
  const { db } = database;
  const wanted = [objectOf('deal', [field('title'), field('stage')])];
  await applyMirror(db, wanted);
  await db.query('ALTER TABLE clarify.deal DROP COLUMN stage');
  expect((await applyMirror(db, wanted)).unfilled).toEqual([{ object: 'deal', field: 'stage' }]);
  await db.query(`INSERT INTO clarify_sync.cursor (object, phase) VALUES ('deal', 'incremental')`);
  await db.query('DROP TABLE clarify.deal CASCADE');
  expect((await applyMirror(db, wanted)).created).toEqual(['deal']);
  expect(await db.query('SELECT object FROM clarify_sync.cursor')).toEqual([]);
});

test('DDL gives up on a held table, leaves it whole, and takes the others on', async () => {
  const { db, url } = database;
  const before = ['deal', 'person'].map((object) => objectOf(object, [field('title')]));
  const after = ['deal', 'person'].map((object) =>
    objectOf(object, [field('title'), field('city')]),
  );
  await applyMirror(db, before);
  const reader = new pg.Client({ connectionString: url });
  await reader.connect();
  try {
    await reader.query('BEGIN');
    await reader.query('SELECT * FROM clarify.deal');
    const change = await applyMirror(db, after, { lockTimeoutMs: 50 });
    expect(change.problems).toMatchObject([
      { object: 'deal', code: 'schema-lock-timeout', error: { disposition: 'retry' } },
    ]);
    expect(change.unfilled).toEqual([{ object: 'person', field: 'city' }]);
    expect((await columnsOf(db, 'deal')).has('city')).toBe(false);
    const tables = await loadMirrorTables(db);
    const fields = tables.map(({ object, columns }) => [object, columns.length]);
    expect(fields).toEqual([
      ['deal', 1],
      ['person', 2],
    ]);
  } finally {
    await reader.end();
  }
  const change = await applyMirror(db, after, { lockTimeoutMs: 50 });
  expect(change.problems).toEqual([]);
  expect(change.unfilled).toEqual([{ object: 'deal', field: 'city' }]);
});

test('a preview changes nothing', async () => {
  const { db } = database;
  const wanted = [objectOf('deal', [field('title')])];
  const { steps } = await previewMirror(db, wanted);
  expect(steps.some(({ sql }) => sql.startsWith('CREATE TABLE "clarify"."deal"'))).toBe(true);
  expect(await columnsOf(db, 'deal')).toEqual(new Map());
  expect((await applyMirror(db, wanted)).steps).toEqual(steps);
});

test('identities are found as the CRM compares them, with and without the index', async () => {
  const { db } = database;
  const emails = field('email_addresses', 'texts', { unique: true, caseInsensitive: true });
  const wanted = [
    objectOf('person', [emails], { identity: 'email_addresses' }),
    objectOf('task', [field('external_ref')], { identity: 'external_ref' }),
  ];
  await applyMirror(db, wanted);
  const huge = `${'x'.repeat(20_000)}@example.com`;
  await asWriter(
    db,
    `INSERT INTO clarify.person (id, email_addresses) VALUES
       ('1', '{Ann@Example.com,a@b.c}'), ('2', '{ann@example.COM}'), ('3', '{${huge}}'), ('4', NULL)`,
  );
  await asWriter(db, `INSERT INTO clarify.task (id, external_ref) VALUES ('7', 'T-1')`);
  const [person, task] = await loadMirrorTables(db);
  if (!person || !task) throw new Error('no tables');
  const ask = async () => [
    await findByIdentity(db, person, [
      { index: 0, value: 'ANN@example.com' },
      { index: 1, value: 'A@b.c' },
      { index: 2, value: 'nobody' },
      { index: 3, value: huge },
    ]),
    await findByIdentity(db, task, [
      { index: 0, value: 't-1' },
      { index: 1, value: 'T-1' },
    ]),
  ];
  const expected = [
    [
      { index: 0, id: '1' },
      { index: 0, id: '2' },
      { index: 1, id: '1' },
      { index: 3, id: '3' },
    ],
    [{ index: 1, id: '7' }],
  ];
  expect(await ask()).toEqual(expected);
  await db.query(
    `INSERT INTO clarify_sync.cursor (object, phase)
     VALUES ('person', 'incremental'), ('task', 'incremental')`,
  );
  const change = await applyMirror(db, wanted);
  expect(change.problems).toEqual([]);
  expect(change.steps.map(({ description }) => description)).toEqual([
    'index person by creation',
    'index survivors of merges in person',
    'index person by email_addresses',
    'index task by creation',
    'index survivors of merges in task',
    'index task by external_ref',
  ]);
  expect(await ask()).toEqual(expected);
  expect((await applyMirror(db, wanted)).steps).toEqual([]);

  const other = [
    objectOf('person', [field('email_addresses')], { identity: 'email_addresses' }),
    objectOf('task', [field('external_ref', 'texts')], { identity: 'external_ref' }),
  ];
  expect((await applyMirror(db, other)).problems).toEqual([]);
  expect((await applyMirror(db, other)).steps).toEqual([]);
});

test('who may write the table and nothing else writes it, index and all', async () => {
  const { db, urlAs, name } = database;
  const emails = field('email_addresses', 'texts', { caseInsensitive: true });
  const wanted = [objectOf('person', [personName, emails], { identity: 'email_addresses' })];
  await applyMirror(db, wanted);
  await db.query(
    `INSERT INTO clarify_sync.cursor (object, phase) VALUES ('person', 'incremental')`,
  );
  // As where default privileges let nobody call a new function.
  await db.query('REVOKE EXECUTE ON FUNCTION clarify_sync.identity_keys FROM PUBLIC');
  await applyMirror(db, wanted);
  const role = `editor_${name}`;
  await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'editor'`);
  try {
    await db.query(`GRANT USAGE ON SCHEMA clarify TO ${role}`);
    await db.query(`GRANT SELECT, INSERT, UPDATE ON clarify.person TO ${role}`);
    const editor = new pg.Client({ connectionString: urlAs(role, 'editor') });
    await editor.connect();
    try {
      await editor.query(`INSERT INTO clarify.person (email_addresses) VALUES ('{A@b.c}')`);
      await editor.query(`UPDATE clarify.person SET email_addresses = '{D@e.f}'`);
    } finally {
      await editor.end();
    }
    const ops = await db.query('SELECT op, object FROM clarify_sync.outbox ORDER BY id');
    expect(ops).toEqual([
      { op: 'insert', object: 'person' },
      { op: 'update', object: 'person' },
    ]);
    const rows = await db.query('SELECT id = _local_id AS born FROM clarify.person');
    expect(rows).toEqual([{ born: true }]);
  } finally {
    await db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('a part of the wrong type never makes a row unstorable', async () => {
  const { db } = database;
  await applyMirror(db, [objectOf('person', [personName])]);
  await asWriter(
    db,
    `INSERT INTO clarify.person (id, name) VALUES
       ('1', '{"full_name": {"a": 1}, "age": "x", "known": 3}'), ('2', '"text"'), ('3', '[1]'),
       ('4', '{"full_name": "Ann", "age": 1e300, "known": true}'), ('5', 'null')`,
  );
  const rows = await db.query(
    'SELECT id, name__full_name AS name, name__known AS known FROM clarify.person ORDER BY id',
  );
  expect(rows).toEqual([
    { id: '1', name: '{"a": 1}', known: null },
    { id: '2', name: null, known: null },
    { id: '3', name: null, known: null },
    { id: '4', name: 'Ann', known: true },
    { id: '5', name: null, known: null },
  ]);
});

async function readComment({ db }: TestDatabase, column: string): Promise<string | null> {
  const [row] = await db.query<{ comment: string | null }>(
    `SELECT col_description('clarify.person'::regclass, attnum) AS comment FROM pg_attribute
      WHERE attrelid = 'clarify.person'::regclass AND attname = $1`,
    [column],
  );
  return row?.comment ?? null;
}
