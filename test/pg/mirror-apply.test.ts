import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database, Transaction } from '../../src/db/connection/database.ts';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { loadMirror, loadMirrorTables, type Mirror } from '../../src/db/mirror/load.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, hostileNames, manyToMany, objectOf, personName } from '../unit/mirror/schemas.ts';
import { columnsOf } from './mirror-tables.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await ensureInstallation(database.db, { workspace: 'test', push: true });
});

afterEach(() => database.drop());

test('creates a table per object, typed, and finds nothing to do the second time', async () => {
  const { db } = database;
  const person = objectOf('person', [
    personName,
    field('title'),
    field('score', 'number'),
    field('active', 'boolean'),
    field('born', 'date'),
    field('seen_at', 'timestamp'),
    field('emails', 'texts'),
    field('company_id', 'reference'),
  ]);
  const change = await applyMirror(db, [person]);
  expect(change.problems).toEqual([]);
  expect(change.created).toEqual(['person']);
  expect(Object.fromEntries(await columnsOf(db, 'person'))).toEqual({
    id: 'text',
    _local_id: 'text',
    _key: 'text',
    _created_at: 'timestamp with time zone',
    _updated_at: 'timestamp with time zone',
    _created_by: 'text',
    _updated_by: 'text',
    _merged_ids: 'text[]',
    _synced_at: 'timestamp with time zone',
    _extra: 'jsonb',
    name: 'jsonb',
    name__full_name: 'text',
    name__age: 'numeric',
    name__known: 'boolean',
    title: 'text',
    score: 'numeric(20,4)',
    active: 'boolean',
    born: 'date',
    seen_at: 'timestamp with time zone',
    emails: 'text[]',
    company_id: 'text',
  });
  const { standing, ...again } = await applyMirror(db, [person]);
  expect(plainOf(standing)).toEqual(plainOf(await loadMirror(db)));
  expect(again).toEqual({ steps: [], created: [], unfilled: [], problems: [] });
  const versions = await db.query('SELECT id FROM clarify_sync.schema_version');
  expect(versions).toHaveLength(1);
  const [loaded] = await loadMirrorTables(db);
  expect(loaded?.columns.map(({ column }) => column)).toEqual(
    person.fields.map(({ name }) => name),
  );
});

/** Without the definitions, which are made when they are first asked for. */
function plainOf(mirror: Mirror | null) {
  return { tables: mirror?.tables.map(plain), links: mirror?.links.map(plain) };
}

function plain<Defined extends { readonly drizzle: unknown }>(defined: Defined) {
  const { drizzle: _, ...rest } = defined;
  return rest;
}

test('survives every hostile name, and loads what it made', async () => {
  const { db } = database;
  const names = hostileNames.filter((name) => name !== personName.name);
  const wanted = ['select', 'a"b', 'with space', 'x'.repeat(70), 'Person', 'person'].map((object) =>
    objectOf(object, [...names.map((name) => field(name)), personName]),
  );
  const change = await applyMirror(db, wanted);
  expect(change.problems).toEqual([]);
  const { steps, standing: known } = await applyMirror(db, wanted);
  expect(steps).toEqual([]);
  expect(plainOf(known)).toEqual(plainOf(await loadMirror(db)));
  const tables = await loadMirrorTables(db);
  expect(tables).toHaveLength(wanted.length);
  for (const table of tables) {
    const standing = await columnsOf(db, table.name);
    for (const { column } of table.columns) expect(standing.has(column)).toBe(true);
    expect(new Set(table.columns.map(({ column }) => column)).size).toBe(table.columns.length);
  }
});

test('makes one link table per many-to-many pair', async () => {
  const { db } = database;
  const wanted = [
    objectOf('person', [
      manyToMany('deals', 'deal', 'people'),
      manyToMany('friends', 'person', 'friends'),
    ]),
    objectOf('deal', [manyToMany('people', 'person', 'deals')]),
  ];
  expect((await applyMirror(db, wanted)).problems).toEqual([]);
  expect([...(await columnsOf(db, 'deal_people')).keys()]).toEqual(['deal_id', 'person_id']);
  expect([...(await columnsOf(db, 'person_friends')).keys()]).toEqual(['person_id', 'related_id']);
  const { steps, standing } = await applyMirror(db, wanted);
  expect(steps).toEqual([]);
  expect(plainOf(standing)).toEqual(plainOf(await loadMirror(db)));
  const { links } = await loadMirror(db);
  expect(links.map(({ name }) => name)).toEqual(['deal_people', 'person_friends']);
});

test('how many messages it takes does not depend on how many objects there are', async () => {
  const { db } = database;
  const messages: string[] = [];
  const counting: Database = {
    ...db,
    transaction: (work, options) =>
      db.transaction(async (tx) => {
        const query: Transaction['query'] = async (text, values) => {
          messages.push(text);
          return await tx.query(text, values);
        };
        return await work({ ...tx, query });
      }, options),
  };
  const measured = async (count: number) => {
    const objects = Array.from({ length: count }, (_, at) =>
      objectOf(`object_${at}`, [personName, field('other_id', 'reference')]),
    );
    messages.length = 0;
    const { created } = await applyMirror(counting, objects);
    const made = messages.length;
    messages.length = 0;
    await applyMirror(counting, objects);
    return { created: created.length, made, again: messages.length };
  };
  const few = await measured(2);
  expect(few).toEqual({ created: 2, made: expect.any(Number), again: 1 });
  const more = await measured(12);
  expect(more).toEqual({ created: 10, made: expect.any(Number), again: 1 });
  expect(more.made).toBeLessThanOrEqual(few.made);
});

test('two starts at once make one mirror', async () => {
  const { db } = database;
  const wanted = Array.from({ length: 8 }, (_, n) => objectOf(`object_${n}`, [field('title')]));
  const changes = await Promise.all([
    applyMirror(db, wanted, { lockTimeoutMs: 20_000 }),
    applyMirror(db, wanted, { lockTimeoutMs: 20_000 }),
    applyMirror(db, wanted, { lockTimeoutMs: 20_000 }),
  ]);
  expect(changes.map(({ created }) => created.length).toSorted((a, b) => a - b)).toEqual([0, 0, 8]);
  expect(changes.flatMap(({ problems }) => problems)).toEqual([]);
});

test("a name that is somebody else's harms that object alone", async () => {
  const { db } = database;
  await db.query('CREATE TABLE clarify.deal (mine text)');
  await db.query('CREATE VIEW clarify.company AS SELECT 1 AS one');
  const wanted = ['deal', 'company', 'person'].map((object) => objectOf(object, [field('title')]));
  const change = await applyMirror(db, wanted);
  expect(change.problems.map(({ object, code }) => [object, code])).toEqual([
    ['deal', 'mirror-name-taken'],
    ['company', 'mirror-name-taken'],
  ]);
  expect(change.created).toEqual(['person']);
  expect([...(await columnsOf(db, 'deal')).keys()]).toEqual(['mine']);
  const before = await db.query('SELECT id FROM clarify_sync.schema_version');
  expect((await applyMirror(db, wanted)).steps).toEqual([]);
  expect(await db.query('SELECT id FROM clarify_sync.schema_version')).toEqual(before);
  await db.query('DROP TABLE clarify.deal CASCADE');
  expect((await applyMirror(db, wanted)).created).toEqual(['deal']);
});

test('an object Postgres cannot make a table of harms itself alone', async () => {
  const { db } = database;
  const wide = objectOf(
    'wide',
    Array.from({ length: 1700 }, (_, n) => field(`f${n}`)),
  );
  const change = await applyMirror(db, [wide, objectOf('person', [field('title')])]);
  expect(change.problems.map(({ object, code }) => [object, code])).toEqual([
    ['wide', 'mirror-change-failed'],
  ]);
  expect((await loadMirrorTables(db)).map(({ object }) => object)).toEqual(['person']);
});

test('refuses to take an empty list for an empty workspace', async () => {
  const { db } = database;
  await applyMirror(db, [objectOf('person', [field('title')])]);
  await expect(applyMirror(db, [])).rejects.toMatchObject({ code: 'schema-empty' });
  expect(await loadMirrorTables(db)).toHaveLength(1);
});
