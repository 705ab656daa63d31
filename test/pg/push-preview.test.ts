import { afterEach, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps, pushOnce } from '../../src/app/push-once.ts';
import { type PreviewedChange, previewPush } from '../../src/app/push-preview.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
/** The method of every write that left. */
let writes: string[];

beforeEach(async () => {
  writes = [];
  workspace = await openWorkspace({
    emulator: {
      sizes: 'none',
      onRequest: ({ method }) => {
        if (method !== 'GET') writes.push(method);
      },
    },
  });
});
afterEach(() => workspace.stop());

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const nobody = { epoch: null, remainingMs: () => 0 };
const preview = () => previewPush(workspace.session.db, pushDeps(workspace.session, nobody));
const short = ({ action, object, fields }: PreviewedChange) =>
  `${action} ${object} ${fields.map(({ field, from, to }) => `${field}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join(', ')}`;

/** Pushes in earnest, and looks whether Clarify holds what the preview said. */
async function expectSent(changes: readonly PreviewedChange[]): Promise<void> {
  const { session, signal, emulator, sql } = workspace;
  await pushOnce(session, { signal });
  const idOf = async (object: string, id: unknown) =>
    (await sql('SELECT clarify_sync.current_id($1, $2) AS id', [object, id]))[0]?.id;
  for (const { object, recordId, fields } of changes) {
    const record = emulator.store.get(object, String(await idOf(object, recordId)));
    for (const { field, to } of fields) {
      const wanted = field === 'parent_id' ? await idOf('company', to) : to;
      expect(record?.attributes[field]).toEqual(wanted);
    }
  }
}

/** What is kept in the database, whole. */
async function everything(): Promise<string> {
  const tables = await workspace.sql(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname IN ('clarify', 'clarify_sync') ORDER BY 1`,
  );
  const contents: unknown[] = [];
  for (const { name } of tables) {
    contents.push(
      name,
      await workspace.sql(`SELECT t::text, xmin FROM ${String(name)} AS t ORDER BY 1`),
    );
  }
  return JSON.stringify(contents);
}

test('edits of one record come to one change, and nothing is written', async () => {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Baker', lead_score: 1 });
  await pull();
  await sql(`UPDATE clarify.person SET job_title = 'Pilot', lead_score = 2`);
  await sql(`UPDATE clarify.person SET job_title = 'Captain'`);
  await sql(`INSERT INTO clarify.task (title) VALUES ('Gone')`);
  await sql(`DELETE FROM clarify.task WHERE title = 'Gone'`);
  const before = await everything();
  const { changes, waiting, parked } = await preview();
  expect(await everything()).toBe(before);
  expect(changes).toEqual([
    {
      object: 'person',
      recordId: id,
      action: 'update',
      entries: [expect.any(BigInt), expect.any(BigInt)],
      fields: [
        { field: 'job_title', from: 'Baker', to: 'Captain' },
        { field: 'lead_score', from: 1, to: 2 },
      ],
    },
  ]);
  expect({ waiting, parked }).toEqual({ waiting: 0, parked: [] });
  expect(writes).toEqual([]);
  await expectSent(changes);
});

test('records that refer to each other are created, then linked', async () => {
  const { sql } = workspace;
  await pull();
  const [first] = await sql(`INSERT INTO clarify.company (name) VALUES ('A') RETURNING id`);
  const [second] = await sql(
    `INSERT INTO clarify.company (name, parent_id) VALUES ('B', $1) RETURNING id`,
    [first?.id],
  );
  await sql('UPDATE clarify.company SET parent_id = $1 WHERE id = $2', [second?.id, first?.id]);
  const { changes, waiting } = await preview();
  expect(changes.map(short).toSorted()).toEqual([
    'create company name: null → "A"',
    'create company name: null → "B"',
    ...[first, second]
      .map((row) => `update company parent_id: null → "${String(row?.id)}"`)
      .toSorted(),
  ]);
  expect(waiting).toBe(0);
  await expectSent(changes);
  expect(writes).toEqual(['POST', 'PATCH']);
});

test('what Clarify has already is adopted, and what it would refuse is parked', async () => {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('person', {
    email_addresses: { items: ['ada@example.test'] },
    job_title: 'Analyst',
  });
  emulator.store.create('deal', { name: 'Taken' });
  await pull();
  const [born] = await sql(
    `INSERT INTO clarify.person (email_addresses, job_title, lead_score)
     VALUES ('{ADA@example.test}', 'Countess', 7) RETURNING id`,
  );
  await sql(`INSERT INTO clarify.deal (name) VALUES ('Taken'), ('Free')`);
  const { changes, adopted, parked } = await preview();
  expect(changes.map(short)).toEqual([
    'create deal name: null → "Free"',
    'update person job_title: "Analyst" → "Countess", lead_score: null → 7',
  ]);
  expect(adopted).toEqual([{ object: 'person', localId: born?.id, id }]);
  expect(parked).toMatchObject([
    { object: 'deal', reason: expect.stringMatching(/^unique-taken/) },
  ]);
});

test('links follow the records they need, and what was made and taken back does not show', async () => {
  const { emulator, sql } = workspace;
  const deal = emulator.store.create('deal', { name: 'Known' });
  const person = emulator.store.create('person', { job_title: 'Linked' });
  const other = emulator.store.create('person', { job_title: 'Other' });
  emulator.store.link('deal', deal, 'people', [person]);
  await pull();
  await sql(
    `WITH born AS (INSERT INTO clarify.deal (name) VALUES ('Born') RETURNING id)
     INSERT INTO clarify.deal_people SELECT id, $1 FROM born`,
    [person],
  );
  await sql('DELETE FROM clarify.deal_people WHERE deal_id = $1', [deal]);
  await sql('INSERT INTO clarify.deal_people VALUES ($1, $2)', [deal, other]);
  await sql('DELETE FROM clarify.deal_people WHERE person_id = $1', [other]);
  const { changes, waiting } = await preview();
  const [born] = await sql(`SELECT id FROM clarify.deal WHERE name = 'Born'`);
  expect(changes.map((change) => [change.action, change.recordId, change.fields])).toEqual([
    ['create', born?.id, [{ field: 'name', from: null, to: 'Born' }]],
    ['link', born?.id, [{ field: 'people', from: null, to: person }]],
    ['unlink', deal, [{ field: 'people', from: person, to: null }]],
  ]);
  expect(waiting).toBe(0);
});

test('a mass delete shows as what it would be: parked', async () => {
  const { emulator, sql } = workspace;
  for (let n = 0; n < 60; n += 1) emulator.store.create('task', { title: `Task ${n}` });
  await pull();
  await sql('DELETE FROM clarify.task');
  const { changes, parked } = await preview();
  expect(changes).toEqual([]);
  expect(parked).toHaveLength(60);
  expect(parked[0]?.reason).toMatch(/^mass-delete/);
});

test('beside a service at work it shows the same, and holds nobody up', async () => {
  const { emulator, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Baker' });
  await pull();
  await sql(
    `INSERT INTO clarify_sync.lease (name, holder, epoch, expires_at)
     VALUES ('leader', 'service', 7, now() + interval '1 minute')
     ON CONFLICT (name) DO UPDATE SET holder = 'service', epoch = 7, expires_at = excluded.expires_at`,
  );
  await sql(`UPDATE clarify.person SET job_title = 'Pilot'`);
  const { changes } = await preview();
  expect(changes).toMatchObject([{ action: 'update', recordId: id }]);
});
