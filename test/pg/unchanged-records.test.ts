import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { readLinkedPage } from '../../src/conflicts/link-pages.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import { type AttioEmulator, startAttio } from '../../src/emulator/attio/emulator.ts';
import { readWhole } from '../../src/pull/read-whole.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { messagesPerPage } from '../support/messages.ts';

// Records that come as they came before, over rows that are as they were left, are not read.

const signal = new AbortController().signal;
const PEOPLE = 40;
let emulator: AttioEmulator;
let database: TestDatabase;
let session: Session;
let user: pg.Client;

beforeAll(async () => {
  emulator = await startAttio({ sizes: { companies: 4, people: PEOPLE, deals: 20, projects: 0 } });
  database = await createTestDatabase();
  const config = await loadConfig({
    env: {
      CLARIFY_SYNC_CRM: 'attio',
      ATTIO_API_KEY: emulator.apiKey,
      ATTIO_API_URL: emulator.url,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: 'off',
    },
  });
  session = await openSession(config, { log: createLog({ level: 'silent' }), signal });
  user = new pg.Client({ connectionString: database.url, options: '-c idle_session_timeout=0' });
  await user.connect();
  await syncOnce(session, { signal });
});

afterAll(async () => {
  await user.end();
  await session.stop();
  await database.drop();
  await emulator.stop();
});

/** Each test begins with every record known, but what the one before has done to it. */
beforeEach(async () => {
  await reconcile();
  await reconcile();
});

async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await user.query(text, values)).rows;
}

/** As the daemon writes: captured by no trigger. */
async function asWriter(text: string, values: unknown[] = []): Promise<void> {
  await session.db.transaction((tx) => tx.query(text, values), { asWriter: true });
}

function people() {
  const table = session.tables.find(({ object }) => object === 'people');
  if (table === undefined) throw new Error('no people');
  return table;
}

async function reconcile(deep = false) {
  const [run] = await reconcileAll(session, {
    objects: ['people'],
    signal,
    deep,
    priority: 'pull',
  });
  return run?.counts;
}

/** A page of all people, as a reading of everything would have it. */
async function page(): Promise<readonly RemoteRecord[]> {
  const request = { orderBy: 'created', direction: 'asc', offset: 0, limit: 500 } as const;
  const how = { depth: 'changed', recognises: true, signal, priority: 'pull' } as const;
  return (await readLinkedPage(session, people(), request, how)).records;
}

/** Those that were read. */
async function unrecognised(): Promise<string[]> {
  return (await page()).flatMap(({ id, isUnchanged }) => (isUnchanged ? [] : [id]));
}

async function anyone(): Promise<string> {
  const [row] = await sql('SELECT id FROM attio.people ORDER BY md5(id) LIMIT 1');
  return String(row?.['id']);
}

test('what is known comes with its id, its times and its links, and without a field', async () => {
  const known = await page();
  expect(known).toHaveLength(PEOPLE);
  await sql('DELETE FROM attio_sync.record_digest');
  const told = await page();
  const outline = ({ id, createdAt, updatedAt, links, trace }: RemoteRecord) => {
    return { id, createdAt, updatedAt, links, trace };
  };
  expect(known.map(outline)).toEqual(told.map(outline));
  expect(known.every(({ fields }) => Object.keys(fields).length === 0)).toBe(true);
  expect(told.every(({ isUnchanged }) => !isUnchanged)).toBe(true);
  expect(told.some(({ links }) => Object.values(links).some(({ total }) => total > 0))).toBe(true);
});

test('a page that is known takes a look at what is known, and a note that it was read', async () => {
  const work = async (deps: Session) => {
    const { state, counts } = await readWhole(deps, people(), { signal, priority: 'pull' });
    expect(state).toBe('ok');
    return counts.requests;
  };
  expect(await messagesPerPage(session, { sizes: [15, 5], work })).toBe(2);
});

test('a record that was edited in the CRM is read, and no other', async () => {
  const id = await anyone();
  await fetch(`${emulator.url}/v2/objects/people/records/${id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${emulator.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ data: { values: { job_title: 'Abbess' } } }),
  });
  expect(await unrecognised()).toEqual([id]);
  await reconcile();
  const rows = await sql('SELECT job_title FROM attio.people WHERE id = $1', [id]);
  expect(rows).toEqual([{ job_title: 'Abbess' }]);
});

test('a row that was written since is compared with its record, and repaired', async () => {
  const id = await anyone();
  await asWriter(`UPDATE attio.people SET job_title = 'Nobody' WHERE id = $1`, [id]);
  expect(await unrecognised()).toEqual([id]);
  expect(await reconcile(true)).toMatchObject({ read: PEOPLE, differed: 1, missing: 0 });
  const rows = await sql(`SELECT FROM attio.people WHERE job_title = 'Nobody'`);
  expect(rows).toEqual([]);
});

test('a row that is gone comes back', async () => {
  const id = await anyone();
  await asWriter('DELETE FROM attio.people WHERE id = $1', [id]);
  expect(await reconcile(true)).toMatchObject({ missing: 1 });
  const rows = await sql('SELECT FROM attio.people WHERE id = $1', [id]);
  expect(rows).toHaveLength(1);
});

test('links of records that are known are compared all the same', async () => {
  const before = await sql('SELECT * FROM attio.deals_associated_people ORDER BY 1, 2');
  expect(before.length).toBeGreaterThan(0);
  await asWriter('DELETE FROM attio.deals_associated_people');
  await asWriter(
    `INSERT INTO attio.deals_associated_people (deals_id, people_id)
     SELECT d.id, p.id FROM attio.deals AS d, attio.people AS p`,
  );
  expect(await unrecognised()).toEqual([]);
  // Both ends of a link are looked at where both are read.
  await reconcileAll(session, { signal, deep: true, priority: 'pull' });
  const after = await sql('SELECT * FROM attio.deals_associated_people ORDER BY 1, 2');
  expect(after).toEqual(before);
});

test('rows that stand elsewhere are compared once more', async () => {
  // In an order that no reading wrote them in, and back.
  await sql('CREATE INDEX people_elsewhere ON attio.people (md5(id))');
  await sql('CLUSTER attio.people USING people_elsewhere');
  await sql('DROP INDEX attio.people_elsewhere');
  expect((await unrecognised()).length).toBeGreaterThan(PEOPLE / 2);
  expect(await reconcile(true)).toMatchObject({ differed: 0, missing: 0 });
  expect(await unrecognised()).toEqual([]);
  await sql('CLUSTER attio.people USING people_pkey');
  expect((await unrecognised()).length).toBeGreaterThan(PEOPLE / 2);
  expect(await reconcile(true)).toMatchObject({ differed: 0, missing: 0 });
  expect(await unrecognised()).toEqual([]);
});

/** Leaves no dead row between those that live: they stay as long as anything in the database may see them. */
async function compact(): Promise<void> {
  await vi.waitFor(
    async () => {
      await sql('VACUUM FULL attio.people');
      const gaps = await sql(
        `SELECT FROM attio.people GROUP BY (ctid::text::point)[0]
         HAVING count(*) < max((ctid::text::point)[1])`,
      );
      expect(gaps).toEqual([]);
    },
    { timeout: 15_000, interval: 200 },
  );
}

test('rows that were written, and stand where they stood, are compared', async () => {
  const places = () => sql('SELECT id, ctid FROM attio.people ORDER BY id');
  await compact();
  await reconcile(true);
  expect(await unrecognised()).toEqual([]);
  const before = await places();
  await asWriter(`UPDATE attio.people SET job_title = 'Nobody'`);
  await compact();
  expect(await places()).toEqual(before);
  expect(await unrecognised()).toHaveLength(PEOPLE);
  await reconcile(true);
  expect(await sql(`SELECT FROM attio.people WHERE job_title = 'Nobody'`)).toEqual([]);
});

test('a column that was dropped and made anew proves nothing of what it held', async () => {
  await sql('ALTER TABLE attio.people DROP COLUMN job_title');
  await sql('ALTER TABLE attio.people ADD COLUMN job_title text');
  expect(await unrecognised()).toHaveLength(PEOPLE);
});

test('a record of which another version waits for its row is read', async () => {
  const id = await anyone();
  await sql(
    `INSERT INTO attio_sync.deferred (object, id, kind, record, read_at)
     VALUES ('people', $1, 'apply', '{}', clock_timestamp() - interval '1 minute')`,
    [id],
  );
  expect(await unrecognised()).toEqual([id]);
  await sql('DELETE FROM attio_sync.deferred');
});

test('nothing is kept of who is to be forgotten, nor of a row that stands no more', async () => {
  const id = await anyone();
  await forgetRecord(session.db, { object: 'people', id, dry: false });
  const kept = 'SELECT FROM attio_sync.record_digest WHERE id = $1';
  expect(await sql(kept, [id])).toEqual([]);
  await sql(
    `INSERT INTO attio_sync.record_digest
     SELECT object, 'lost ' || n, digest, row_place, row_version, shape, created_at, updated_at, links
       FROM (SELECT * FROM attio_sync.record_digest LIMIT 1) AS d, generate_series(1, 5) AS n`,
  );
  const { state } = await readWhole(session, people(), { signal, priority: 'pull' });
  expect(state).toBe('ok');
  expect(await sql(`SELECT FROM attio_sync.record_digest WHERE id LIKE 'lost %'`)).toEqual([]);
});
