import { afterEach, beforeEach, expect, test } from 'vitest';
import { reconcileAll } from '../../src/app/reconcile-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 12, company: 3, deal: 3, task: 0, meeting: 0, c_project: 0 } },
  });
  await sync();
});
afterEach(() => workspace.stop());

/** Without a new look at the workspace's schema, as between two checks of a service. */
async function sync() {
  const { session, signal } = workspace;
  await session.followSchema();
  const { objects } = await syncOnce(session, { signal });
  return objects.filter(({ error }) => error !== null && error.code !== 'object-unavailable');
}

test('a table that a tool replaced is left alone, says so, and everything else goes on', async () => {
  const { emulator, session, sql } = workspace;
  const [id = '', other = ''] = emulator.store.ids('person');
  await sql(`CREATE TABLE clarify.copy AS SELECT * FROM clarify.person`);
  await sql(`DROP TABLE clarify.person CASCADE`);
  await sql(`ALTER TABLE clarify.copy RENAME TO person`);
  await sql(`UPDATE clarify.person SET job_title = 'Theirs'`);
  emulator.store.update('person', id, { job_title: 'Ours' });
  emulator.store.update('deal', emulator.store.ids('deal')[0] ?? '', { name: 'Goes on' });
  expect(await sync()).toMatchObject([{ object: 'person', error: { code: 'mirror-replaced' } }]);
  const titles = await sql(`SELECT DISTINCT job_title FROM clarify.person`);
  expect(titles).toEqual([{ job_title: 'Theirs' }]);
  expect(await sql(`SELECT name FROM clarify.deal WHERE name = 'Goes on'`)).toHaveLength(1);
  expect(session.tables.map(({ object }) => object)).not.toContain('person');
  expect(await sql(`SELECT object, code, stops FROM clarify_sync.mirror_problem`)).toEqual([
    { object: 'person', code: 'mirror-replaced', stops: true },
  ]);

  await sql(`ALTER TABLE clarify.person RENAME TO theirs`);
  await sync();
  expect(await sync()).toEqual([]);
  expect(await sql(`SELECT job_title FROM clarify.person WHERE id = $1`, [id])).toEqual([
    { job_title: 'Ours' },
  ]);
  await sql(`UPDATE clarify.person SET job_title = 'Captured' WHERE id = $1`, [other]);
  await sync();
  expect(
    emulator.store.all('person').find((one) => one.attributes._id === other)?.attributes.job_title,
  ).toBe('Captured');
  expect(await differences(workspace)).toEqual([]);
});

test.each([
  [
    'inherits from it',
    `CREATE TABLE public.archive () INHERITS (clarify.person)`,
    `ALTER TABLE public.archive NO INHERIT clarify.person`,
  ],
  [
    'is its parent',
    `CREATE TABLE public.archive (id text NOT NULL, job_title text);
     ALTER TABLE clarify.person INHERIT public.archive`,
    `ALTER TABLE clarify.person NO INHERIT public.archive`,
  ],
  [
    'has it for a partition',
    `CREATE TABLE public.archive (LIKE clarify.person INCLUDING GENERATED) PARTITION BY LIST (job_title);
     ALTER TABLE public.archive ATTACH PARTITION clarify.person DEFAULT`,
    `ALTER TABLE public.archive DETACH PARTITION clarify.person`,
  ],
])('a table of a user that %s keeps its rows, and nobody else stops', async (_what, join, part) => {
  const { emulator, sql } = workspace;
  const [id = ''] = emulator.store.ids('person');
  await sql(join);
  await sql(`INSERT INTO public.archive (id, job_title) VALUES ('kept', 'Theirs')`);
  emulator.store.update('person', id, { job_title: 'Ours' });
  emulator.store.update('deal', emulator.store.ids('deal')[0] ?? '', { name: 'Goes on' });
  expect(await sync()).toMatchObject([{ object: 'person', error: { code: 'mirror-inherited' } }]);
  await reconcileAll(workspace.session, { signal: workspace.signal, priority: 'push' });
  expect(await sql(`SELECT id FROM public.archive WHERE job_title = 'Theirs'`)).toHaveLength(1);
  expect(await sql(`SELECT name FROM clarify.deal WHERE name = 'Goes on'`)).toHaveLength(1);

  await sql(part);
  await sql(`DELETE FROM clarify.person WHERE id = 'kept'`);
  expect(await sync()).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});

test('a link table that shares its rows with another is left alone', async () => {
  const { session, sql } = workspace;
  await sql(`CREATE TABLE public.old_links () INHERITS (clarify.deal_people)`);
  await sync();
  expect(session.problems.map(({ object, code }) => ({ object, code }))).toEqual([
    { object: 'deal_people', code: 'mirror-inherited' },
  ]);
  await sql(`ALTER TABLE public.old_links NO INHERIT clarify.deal_people`);
  await sync();
  expect(session.problems).toEqual([]);
});

test.each([
  ['key', `ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE`],
  ['default', `ALTER TABLE clarify.person ALTER COLUMN id DROP DEFAULT`],
  [
    'key, for one of their own',
    `ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE, ADD COLUMN n bigserial PRIMARY KEY`,
  ],
  [
    'key, to one that is checked late',
    `ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE, ADD PRIMARY KEY (id) DEFERRABLE`,
  ],
  [
    'NOT NULL',
    `ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE, ADD UNIQUE (id);
      ALTER TABLE clarify.person ALTER COLUMN id DROP NOT NULL`,
  ],
  ['column, renamed', `ALTER TABLE clarify.person RENAME COLUMN job_title TO headline`],
  ['column, dropped', `ALTER TABLE clarify.person DROP COLUMN job_title`],
  [
    'column, retyped',
    `ALTER TABLE clarify.person ALTER COLUMN job_title TYPE integer USING length(job_title)`,
  ],
  ['system column', `ALTER TABLE clarify.person DROP COLUMN _synced_at`],
  ['trigger', `DROP TRIGGER clarify_capture_update ON clarify.person`],
  ['generated column', `ALTER TABLE clarify.person DROP COLUMN name__full_name`],
  ['link table key', `ALTER TABLE clarify.deal_people DROP CONSTRAINT deal_people_pkey`],
])('what a user took is put back while the service runs: a %s', async (_what, damage) => {
  const { emulator, sql } = workspace;
  const [id = '', other = ''] = emulator.store.ids('person');
  await sql(damage);
  emulator.store.update('person', id, { job_title: 'Ours' });
  await sync();
  expect(await sync()).toEqual([]);
  const born = await sql(`INSERT INTO clarify.person (job_title) VALUES ('Born') RETURNING id`);
  expect(born[0]?.id).toMatch(/^local:/);
  await sql(`UPDATE clarify.person SET job_title = 'Captured' WHERE id = $1`, [other]);
  await sync();
  expect(
    emulator.store.all('person').find((one) => one.attributes._id === other)?.attributes.job_title,
  ).toBe('Captured');
  expect(await differences(workspace)).toEqual([]);
});

test.each([
  ['job_title', 'text', `'Boss'`, `'BOSS'`, 'BOSS'],
  ['phone_numbers', 'text[]', `'{a}'`, `'{A}'`, { items: ['A'] }],
])(
  'an edit of letters alone is sent, whatever collation somebody gave %s',
  async (column, type, before, after, arrived) => {
    const { emulator, sql } = workspace;
    const [id = ''] = emulator.store.ids('person');
    await sql(`UPDATE clarify.person SET ${column} = ${before} WHERE id = $1`, [id]);
    await sync();
    await sql(
      `CREATE COLLATION public.any_case (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false)`,
    );
    await sql(
      `ALTER TABLE clarify.person ALTER COLUMN ${column} TYPE ${type} COLLATE public.any_case`,
    );
    await sync();
    await sql(`UPDATE clarify.person SET ${column} = ${after} WHERE id = $1`, [id]);
    await sync();
    expect(emulator.store.get('person', id)?.attributes[column]).toEqual(arrived);
    expect(await differences(workspace)).toEqual([]);
  },
);

test('a key that cannot be put back stops its object alone, until its cause is gone', async () => {
  const { emulator, sql } = workspace;
  const [id = ''] = emulator.store.ids('person');
  await sql(`ALTER TABLE clarify.person DROP CONSTRAINT person_pkey CASCADE,
               DROP CONSTRAINT person__key_key`);
  await sql(`INSERT INTO clarify.person (id) VALUES ('local:twice'), ('local:twice')`);
  emulator.store.update('person', id, { job_title: 'Ours' });
  expect(await sync()).toMatchObject([{ object: 'person', error: { code: 'mirror-damaged' } }]);
  await sql(`ALTER TABLE clarify.person DISABLE TRIGGER clarify_capture_delete`);
  await sql(`DELETE FROM clarify.person WHERE id = 'local:twice'`);
  await sql(`ALTER TABLE clarify.person ENABLE TRIGGER clarify_capture_delete`);
  await workspace.session.refreshSchema(workspace.signal);
  await sync();
  const rows = await sql(`SELECT job_title FROM clarify.person WHERE id = $1`, [id]);
  expect(rows).toEqual([{ job_title: 'Ours' }]);
});

test('tables of a copied database are its own', async () => {
  const { session, sql } = workspace;
  await sql(`UPDATE clarify_sync.mirror SET relation = '1/2/3'`);
  await workspace.reopen();
  expect(session.tables.map(({ object }) => object)).toContain('person');
  expect(await sql(`SELECT object FROM clarify_sync.mirror_problem`)).toEqual([]);
  const known = await sql(
    `SELECT bool_and(relation LIKE '%/' || format('clarify.%I', table_name)::regclass::oid) AS known
       FROM clarify_sync.mirror`,
  );
  expect(known).toEqual([{ known: true }]);
});

test.each([
  ['dropped', `DROP SCHEMA clarify CASCADE`],
  ['renamed', `ALTER SCHEMA clarify RENAME TO crm`],
])(
  'a mirror schema that was %s is made anew, and everything read into it',
  async (_how, damage) => {
    const { sql } = workspace;
    await sql(damage);
    await sync();
    expect(await sync()).toEqual([]);
    expect(await differences(workspace)).toEqual([]);
    expect(await linkDifferences(workspace)).toEqual([]);
  },
);

test('a link table that was dropped is made anew and read again at once', async () => {
  const { sql } = workspace;
  expect(await sql(`SELECT FROM clarify.deal_people`)).not.toEqual([]);
  await sql(`DROP TABLE clarify.deal_people`);
  await sync();
  expect(await linkDifferences(workspace)).toEqual([]);
});

test.each([
  [
    'renamed',
    `ALTER TABLE clarify.deal_people RENAME COLUMN person_id TO whom`,
    `ALTER TABLE clarify.deal_people RENAME COLUMN whom TO person_id`,
  ],
  [
    'retyped',
    `ALTER TABLE clarify.deal_people ALTER COLUMN person_id TYPE varchar`,
    `ALTER TABLE clarify.deal_people ALTER COLUMN person_id TYPE text`,
  ],
])('a link table with a %s column stops alone, and says which', async (_how, up, down) => {
  const { emulator, session, signal, sql } = workspace;
  await sql(up);
  await session.refreshSchema(signal);
  const [deal = '', other = ''] = emulator.store.ids('deal');
  emulator.store.update('deal', deal, { name: 'Goes on' });
  await sync();
  expect(await sql(`SELECT object, message FROM clarify_sync.mirror_problem`)).toEqual([
    { object: 'deal_people', message: expect.stringContaining('person_id') },
  ]);
  expect(await sql(`SELECT FROM clarify.deal WHERE name = 'Goes on'`)).toHaveLength(1);

  emulator.store.link('deal', other, 'people', emulator.store.ids('person').slice(0, 4));
  await sql(down);
  await session.refreshSchema(signal);
  await sync();
  expect(await linkDifferences(workspace)).toEqual([]);
});
