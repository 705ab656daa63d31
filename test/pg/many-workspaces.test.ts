import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindDatabase, type Database } from '../../src/db/connection/database.ts';
import { Listener } from '../../src/db/connection/listener.ts';
import { openServer, type Server } from '../../src/db/connection/server.ts';
import { schemasOf } from '../../src/db/control/schemas.ts';
import { acquireLease } from '../../src/db/lease/lease.ts';
import { migrateControl } from '../../src/db/migrate.ts';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { readTriggerFacts } from '../../src/db/service/health.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, manyToMany, objectOf } from '../unit/mirror/schemas.ts';

/** Twenty workspaces in one database, beside what others have there. */

const NAMES = Array.from({ length: 20 }, (_, n) => `w${String(n + 1).padStart(2, '0')}`);
const [ONE = '', OTHER = ''] = [NAMES[6], NAMES[7]];

const OBJECTS = [
  objectOf('company', [field('title')]),
  objectOf('deal', [field('title'), manyToMany('people', 'company', 'deals')]),
];

const history = new Set(['deal']);

/** What others keep in the database, under names like ours. */
const THEIRS = `
  CREATE SCHEMA w07_old; CREATE TABLE w07_old.outbox (id int); INSERT INTO w07_old.outbox VALUES (1);
  CREATE SCHEMA w; CREATE TABLE w.deal (id text); CREATE SCHEMA "W07_sync"; CREATE TABLE "W07_sync".lease (x int);
  CREATE SCHEMA warehouse; CREATE VIEW warehouse.nothing AS SELECT 1 AS one;
  CREATE FUNCTION warehouse.capture() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`;

let database: TestDatabase;
let server: Server;
let user: pg.Client;
const bound = new Map<string, Database>();

const sql = async (text: string, values: unknown[] = []) => (await user.query(text, values)).rows;

function workspace(name: string): Database {
  const db = bound.get(name);
  if (db === undefined) throw new Error(`${name} is none of them`);
  return db;
}

/** Everything in schemas that are not ours, with when it was last touched. */
async function theirs(): Promise<unknown[]> {
  const ours = NAMES.flatMap((name) => Object.values(schemasOf(name)));
  return await sql(
    `SELECT n.nspname, n.xmin::text, c.relname, c.xmin::text AS touched, p.proname
       FROM pg_namespace AS n LEFT JOIN pg_class AS c ON c.relnamespace = n.oid
       LEFT JOIN pg_proc AS p ON p.pronamespace = n.oid
      WHERE n.nspname <> ALL($1) AND n.nspname !~ '^pg_|^information_schema$' ORDER BY 1, 3, 5`,
    [ours],
  );
}

let untouched: unknown[];

beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
  user = new pg.Client({ connectionString: database.url, application_name: 'clarify-sync user' });
  await user.connect();
  await user.query(THEIRS);
  untouched = await theirs();
  server = openServer({ url: database.url, applicationName: 'clarify-sync test' });
  for (const name of NAMES) bound.set(name, bindDatabase(server, schemasOf(name)));
  await Promise.all(
    NAMES.map(async (name) => {
      const db = workspace(name);
      await migrateControl(db);
      await ensureInstallation(db, { crm: 'sample', workspace: `workspace ${name}`, push: true });
      await applyMirror(db, OBJECTS, { history });
    }),
  );
}, 180_000);
afterAll(async () => {
  await server.close();
  await user.end();
  await database.drop();
});

test('each has everything that is its own, and nothing of others was touched', async () => {
  const counts = await sql(
    `SELECT n.nspname, count(*)::int AS relations FROM pg_class AS c
       JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname ~ '^w\\d\\d_sync$' GROUP BY 1`,
  );
  expect(counts).toHaveLength(NAMES.length);
  expect(new Set(counts.map(({ relations }) => Number(relations))).size).toBe(1);
  expect(await theirs()).toEqual(untouched);
});

test('nothing in the catalog of one names or needs anything of another', async () => {
  const named = await sql(`
    WITH ours AS (SELECT oid, nspname, left(nspname, 3) AS workspace FROM pg_namespace WHERE nspname ~ '^w\\d\\d(_sync|_history)?$'),
    texts AS (
      SELECT o.workspace, p.oid::regprocedure::text AS what, pg_get_functiondef(p.oid) AS says
        FROM pg_proc AS p JOIN ours AS o ON o.oid = p.pronamespace
      UNION ALL
      SELECT o.workspace, c.oid::regclass || ' ' || t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN ours AS o ON o.oid = c.relnamespace
      UNION ALL
      SELECT o.workspace, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN ours AS o ON o.oid = c.relnamespace
      UNION ALL
      SELECT o.workspace, c.oid::regclass::text, d.description
        FROM pg_description AS d JOIN pg_class AS c ON c.oid = d.objoid JOIN ours AS o ON o.oid = c.relnamespace)
    SELECT t.workspace, t.what, n[1] AS names FROM texts AS t
     CROSS JOIN LATERAL regexp_matches(t.says, '\\m(w\\d\\d)(?:_\\w+)?\\M', 'g') AS n
     WHERE n[1] <> t.workspace
    UNION ALL
    SELECT workspace, what, 'the template' FROM texts WHERE says ~ '\\mclarify(_|\\.)' OR says ~ '\\{(sync|mirror|history)\\}'`);
  expect(named).toEqual([]);
});

/** Statements that one workspace sends while it does `work`, as they leave the process. */
async function sentBy(work: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = [];
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const [first] = given;
    const text =
      typeof first === 'object' && first !== null && 'text' in first ? first.text : first;
    sent.push(String(text));
    return Reflect.apply(query, this, given);
  } as typeof query;
  try {
    await work();
  } finally {
    pg.Client.prototype.query = query;
  }
  return sent;
}

test('no statement of one names another, and no lock is on what another has', async () => {
  const db = workspace(ONE);
  const sent = await sentBy(async () => {
    await migrateControl(db);
    await applyMirror(db, [...OBJECTS, objectOf('task', [field('title')])], { history });
    await db.transaction(
      async (tx) => {
        await tx.query(`INSERT INTO "{mirror}".deal (id, title) VALUES ('d1', 'One')`);
        const locked = await tx.query<{ name: string }>(
          `SELECT DISTINCT c.relnamespace::regnamespace::text AS name FROM pg_locks AS l
             JOIN pg_class AS c ON c.oid = l.relation
            WHERE l.pid = pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
        const foreign = locked.filter(({ name }) => !name.startsWith(ONE) && name !== 'pg_catalog');
        expect(foreign).toEqual([]);
      },
      { asWriter: true },
    );
  });
  const names = sent.flatMap((text) => text.match(/\b(?:w\d\d|clarify)(?:_\w+)?\b(?!-)/g) ?? []);
  expect(names.length).toBeGreaterThan(60);
  expect(new Set(names.map((name) => name.slice(0, ONE.length)))).toEqual(new Set([ONE]));
  expect(sent.filter((text) => /\{(?:sync|mirror|history)\}/.test(text))).toEqual([]);
});

test('the advisory locks of one keep no other waiting', async () => {
  const db = workspace(ONE);
  const { query } = db;
  await db.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0)),
                           pg_advisory_xact_lock(hashtextextended('{sync}.migration', 0))`);
    await migrateControl(workspace(OTHER));
    const change = await applyMirror(workspace(OTHER), [
      ...OBJECTS,
      objectOf('task', [field('title')]),
    ]);
    expect(change.created).toEqual(['task']);
    // While those of its own are held.
    await expect(
      applyMirror(db, [...OBJECTS, objectOf('note', [])], { lockTimeoutMs: 50 }),
    ).rejects.toMatchObject({
      code: 'schema-lock-timeout',
    });
  });
  expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('an edit is captured, told and kept by its own workspace alone', async () => {
  const heard: string[] = [];
  const listener = new Listener(database.url);
  for (const name of NAMES) {
    listener.add(schemasOf(name), {
      outbox: (object) => object && heard.push(`${name} ${object}`),
    });
  }
  await listener.start();
  const changes: (string | undefined)[] = [];
  user.on('notification', ({ channel }) => changes.push(channel));
  for (const name of NAMES) await user.query(`LISTEN ${name}_changes`);
  await expect
    .poll(() =>
      sql(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'clarify-sync listen' AND query ~ 'LISTEN w20'`,
      ),
    )
    .toEqual([{ n: 1 }]);

  await user.query(`INSERT INTO ${ONE}.deal (title) VALUES ('Mine')`);
  await user.query(`INSERT INTO ${ONE}.company (title) VALUES ('Mine')`);
  await expect.poll(() => heard).toEqual([`${ONE} deal`, `${ONE} company`]);
  expect(new Set(changes)).toEqual(new Set([`${ONE}_changes`]));
  await listener.stop();
  const entries = await Promise.all(
    NAMES.map(async (name) => {
      const [row] = await sql(`SELECT (SELECT count(*) FROM ${name}_sync.outbox)::int AS entries,
                                      (SELECT count(*) FROM ${name}_history.deal)::int AS versions`);
      return [name, row?.['entries'], row?.['versions']] as const;
    }),
  );
  expect(entries.filter(([, count, versions]) => count !== 0 || versions !== 0)).toEqual([
    [ONE, 2, 2],
  ]);
});

test('who writes as one is to all others a user like any', async () => {
  await workspace(ONE).transaction(
    async (tx) => {
      await tx.query(`INSERT INTO "{mirror}".deal (id, title) VALUES ('d2', 'Two')`);
      await tx.query(`INSERT INTO ${OTHER}.deal (title) VALUES ('Captured')`);
    },
    { asWriter: true },
  );
  const of = async (name: string) =>
    await sql(
      `SELECT changes #>> '{title,value}' AS title FROM ${name}_sync.outbox ORDER BY id DESC LIMIT 1`,
    );
  expect(await of(OTHER)).toEqual([{ title: 'Captured' }]);
  expect(await of(ONE)).toEqual([{ title: 'Mine' }]);
  // Connections are shared: what one has set must not outlast its transaction.
  const left = await Promise.all(
    Array.from({ length: 16 }, () =>
      workspace(OTHER).query<{ writer: string | null }>(
        `SELECT coalesce(current_setting('${ONE}_sync.writer', true), '') AS writer, pg_sleep(0.02)::text AS slept`,
      ),
    ),
  );
  expect(new Set(left.flat().map(({ writer }) => writer))).toEqual(new Set(['']));
});

test('each is led for itself', async () => {
  const led = await Promise.all(
    NAMES.map((name) => acquireLease(workspace(name), { holder: name, ttlMs: 60_000 })),
  );
  expect(led.every((epoch) => epoch !== null)).toBe(true);
  for (const name of NAMES) {
    expect(await sql(`SELECT holder FROM ${name}_sync.lease`)).toEqual([{ holder: name }]);
  }
});

test('a workspace that is taken away leaves the others whole', async () => {
  const { mirror, control, history: versions } = schemasOf(ONE);
  await user.query(`DROP SCHEMA ${mirror}, ${control}, ${versions} CASCADE`);
  for (const name of NAMES.filter((one) => one !== ONE)) {
    const db = workspace(name);
    expect(await readTriggerFacts(db)).toMatchObject({ missing: [], disabled: [], dropped: [] });
    await user.query(`INSERT INTO ${name}.deal (title) VALUES ('Still')`);
    expect(
      await sql(
        `SELECT count(*)::int AS n FROM ${name}_sync.outbox WHERE changes #>> '{title,value}' = 'Still'`,
      ),
    ).toEqual([{ n: 1 }]);
  }
  expect(await theirs()).toEqual(untouched);
  // And comes back, as new.
  const db = workspace(ONE);
  expect((await migrateControl(db)).applied).toBeGreaterThan(0);
});
