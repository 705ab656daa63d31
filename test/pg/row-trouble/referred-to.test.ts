import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { reconcileAll } from '../../../src/app/reconcile-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { differences, linkDifferences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// A table of a user's refers to mirror rows, as any schema of theirs may: rows that have to be
// renamed, and rows of records that were deleted or merged, keep nobody else from anything.

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: 6, company: 4, deal: 4, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await sync();
});
afterAll(() => workspace.stop());

/** What is left once nothing refers to the rows any more. */
const leftWhenFree = async () => {
  await workspace.sql('DROP TABLE IF EXISTS public.note');
  await sync();
  const apart = [...(await differences(workspace)), ...(await linkDifferences(workspace))];
  return [...apart, ...(await aside())];
};

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = async () => {
  const { session, signal } = workspace;
  const objects = ['person', 'company', 'deal'];
  return await pullAll(session, { objects, signal, priority: 'pull', everything: true });
};
const store = () => workspace.emulator.store;
const aside = () =>
  workspace.sql(
    `SELECT object, id, kind, code, sqlstate, table_name, constraint_name FROM clarify_sync.deferred ORDER BY object, id`,
  );
const notes = (object: string) =>
  workspace.sql(
    `CREATE TABLE public.note (about text CONSTRAINT note_about REFERENCES clarify.${object} (id), said text)`,
  );
const refused = {
  code: 'row-refused',
  sqlstate: '23503',
  table_name: 'public.note',
  constraint_name: 'note_about',
};
const settled = () =>
  workspace.sql(
    `SELECT state, count(*)::int FROM clarify_sync.outbox GROUP BY state HAVING state NOT IN ('done', 'superseded') ORDER BY 1`,
  );

test('a row born here that is referred to keeps its id until it may change', async () => {
  const { sql } = workspace;
  await notes('company');
  const [born] = await sql(`INSERT INTO clarify.company (name) VALUES ('Referred') RETURNING id`);
  await sql(`INSERT INTO clarify.company (name) VALUES ('Free')`);
  await sql('INSERT INTO public.note VALUES ($1)', [born?.id]);
  const outcome = await sync();
  expect(outcome.push).toMatchObject({ delivered: 2 });
  expect(outcome.left).toMatchObject({ pending: 0, parked: 0, setAside: 1 });
  expect(await settled()).toEqual([]);
  const sent = store()
    .all('company')
    .filter(({ attributes }) => attributes['name'] === 'Referred');
  expect(sent).toHaveLength(1);
  const id = String(sent[0]?.id);
  expect(await aside()).toEqual([{ object: 'company', id, kind: 'apply', ...refused }]);
  expect(await sql(`SELECT id FROM clarify.company WHERE name = 'Referred'`)).toEqual([born]);
  expect(
    await sql(`SELECT id FROM clarify.company WHERE name = 'Free' AND id LIKE 'local:%'`),
  ).toEqual([]);

  // An application that knows it by the id it gave upserts it, as before.
  await sql(
    `INSERT INTO clarify.company (id, name, domains) VALUES ($1, 'Referred', '{referred.example}')
       ON CONFLICT (id) DO UPDATE SET domains = excluded.domains`,
    [born?.['id']],
  );
  await sync();
  expect(store().get('company', id)?.attributes).toMatchObject({
    domains: { items: ['referred.example'] },
  });

  // It goes on being edited on both sides.
  await sql(`UPDATE clarify.company SET industry = 'Retail' WHERE id = $1`, [born?.id]);
  const again = await sync();
  expect(again.push).toMatchObject({ delivered: 1 });
  expect(store().get('company', id)?.attributes).toMatchObject({ industry: 'Retail' });
  store().update('company', id, { name: 'Referred to' });
  await sync();
  expect(await sql(`SELECT id FROM clarify.company WHERE name LIKE 'Referred%'`)).toEqual([born]);
  expect(
    store()
      .all('company')
      .filter(({ attributes }) => JSON.stringify(attributes).includes('Referred')),
  ).toHaveLength(1);
  expect(await settled()).toEqual([]);

  await sql('DELETE FROM public.note');
  await sync();
  expect(
    await sql(
      `SELECT id, name, industry, _local_id FROM clarify.company WHERE name LIKE 'Referred%'`,
    ),
  ).toEqual([{ id, name: 'Referred to', industry: 'Retail', _local_id: born?.id }]);
  expect(await leftWhenFree()).toEqual([]);
});

test('edits of both sides of one field meet, although the row cannot show it', async () => {
  const { sql } = workspace;
  await notes('company');
  const [born] = await sql(
    `INSERT INTO clarify.company (name, industry) VALUES ('Contested', 'Retail') RETURNING id`,
  );
  await sql('INSERT INTO public.note VALUES ($1)', [born?.id]);
  await sync();
  const [mapped] = await sql('SELECT id FROM clarify_sync.id_map WHERE old_id = $1', [born?.id]);
  const id = String(mapped?.id);
  store().update('company', id, { name: 'Theirs' });
  await pull();
  await sql(`UPDATE clarify.company SET name = 'Ours' WHERE id = $1`, [born?.id]);
  await sync();
  expect(store().get('company', id)?.attributes).toMatchObject({ name: 'Ours' });
  const logged = await sql(
    `SELECT field, local, remote, resolution FROM clarify_sync.conflict WHERE record_id = $1`,
    [id],
  );
  expect(logged).toEqual([{ field: 'name', local: 'Ours', remote: 'Theirs', resolution: 'local' }]);
  expect(await leftWhenFree()).toEqual([]);
});

test('the row of a deleted record stays while it is referred to, and others go', async () => {
  const { sql } = workspace;
  await notes('person');
  const [kept, ...others] = ['a', 'b', 'c', 'd'].map((name) =>
    store().create('person', { job_title: name }),
  );
  await pull();
  await sql('INSERT INTO public.note VALUES ($1)', [kept]);
  await sql(`UPDATE clarify.person SET job_title = 'edited' WHERE id = $1`, [kept]);
  for (const id of [kept, ...others]) store().delete('person', id ?? '');
  const runs = await pull();
  expect(runs.filter(({ state }) => state !== 'ok')).toEqual([]);
  const standing = await sql('SELECT id FROM clarify.person WHERE id = ANY($1)', [
    [kept, ...others],
  ]);
  expect(standing).toEqual([{ id: kept }]);
  expect(await aside()).toEqual([{ object: 'person', id: kept, kind: 'remove', ...refused }]);
  expect(
    await sql(`SELECT id FROM clarify_sync.tombstone WHERE id = ANY($1)`, [[kept, ...others]]),
  ).toHaveLength(3);
  // A comparison does not take it for a difference, nor miss it.
  const [compared] = await reconcileAll(workspace.session, {
    objects: ['person'],
    signal: workspace.signal,
    priority: 'pull',
  });
  expect(compared).toMatchObject({ state: 'ok', counts: { suspects: 0, missing: 0 } });
  // Its edit comes to nothing, and so does a later one, and both are on record.
  await sql(`UPDATE clarify.person SET job_title = 'edited again' WHERE id = $1`, [kept]);
  const outcome = await sync();
  expect(outcome.left).toMatchObject({ pending: 0, setAside: 1 });
  expect(
    await sql(`SELECT field, policy, resolution FROM clarify_sync.conflict WHERE record_id = $1`, [
      kept,
    ]),
  ).toEqual([
    { field: 'job_title', policy: 'deleted', resolution: 'remote' },
    { field: 'job_title', policy: 'deleted', resolution: 'remote' },
  ]);
  await sql('DELETE FROM public.note');
  await pull();
  expect(await sql('SELECT id FROM clarify.person WHERE id = $1', [kept])).toEqual([]);
  expect(await sql(`SELECT reason FROM clarify_sync.tombstone WHERE id = $1`, [kept])).toEqual([
    { reason: 'deleted' },
  ]);
  expect(await leftWhenFree()).toEqual([]);
});

test('an edit that is sent of a record just deleted settles, whoever refers to its row', async () => {
  const { sql } = workspace;
  await notes('person');
  const id = store().create('person', { job_title: 'x' });
  await pull();
  await sql('INSERT INTO public.note VALUES ($1)', [id]);
  workspace.emulator.switches.deletedFeed = 'missing';
  store().delete('person', id);
  await sql(`UPDATE clarify.person SET job_title = 'edited' WHERE id = $1`, [id]);
  await sync();
  expect(await settled()).toEqual(expect.arrayContaining([]));
  expect(await sql(`SELECT state FROM clarify_sync.outbox WHERE record_id = $1`, [id])).toEqual([
    { state: 'cancelled' },
  ]);
  expect(await aside()).toEqual([{ object: 'person', id, kind: 'remove', ...refused }]);
  workspace.emulator.switches.deletedFeed = 'present';
  expect(await leftWhenFree()).toEqual([]);
});

test('a merge goes on although the row of the vanished record is referred to', async () => {
  const { sql } = workspace;
  await notes('company');
  const survivor = store().create('company', { name: 'Survivor' }, { at: Date.now() - 30_000 });
  const vanishing = store().create('company', { name: 'Vanishing' }, { at: Date.now() - 30_000 });
  const person = store().create('person', { company_id: vanishing });
  await pull();
  await sql('INSERT INTO public.note VALUES ($1)', [vanishing]);
  store().merge('company', survivor, [vanishing]);
  const runs = await pull();
  expect(runs.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(await sql('SELECT company_id FROM clarify.person WHERE id = $1', [person])).toEqual([
    { company_id: survivor },
  ]);
  expect(await aside()).toEqual([{ object: 'company', id: vanishing, kind: 'remove', ...refused }]);
  await sql(`UPDATE clarify.company SET industry = 'Retail' WHERE id = $1`, [vanishing]);
  await sync();
  expect(store().get('company', survivor)?.attributes).toMatchObject({ industry: 'Retail' });
  await sql('UPDATE public.note SET about = $1', [survivor]);
  await pull();
  expect(await sql(`SELECT reason FROM clarify_sync.tombstone WHERE id = $1`, [vanishing])).toEqual(
    [{ reason: 'merged' }],
  );
  expect(await leftWhenFree()).toEqual([]);
});

test('a known record is not adopted by a row that is referred to, until it may go', async () => {
  const { sql } = workspace;
  await notes('person');
  const id = store().create('person', { email_addresses: { items: ['ann@example.com'] } });
  await pull();
  // As an API generator and its users would: one statement after the other.
  const [born] = await sql(
    `INSERT INTO clarify.person (email_addresses, job_title) VALUES ('{ann@example.com}', 'CEO') RETURNING id`,
  );
  await sql('INSERT INTO public.note VALUES ($1)', [born?.id]);
  await sync();
  const [entry] = await sql(
    `SELECT state, last_error FROM clarify_sync.outbox WHERE record_id = $1`,
    [born?.id],
  );
  expect(entry).toMatchObject({
    state: 'pending',
    last_error: expect.stringContaining('row-refused: '),
  });
  expect(entry?.['last_error']).toContain('note_about');
  await sql('DELETE FROM public.note');
  await sync();
  expect(store().get('person', id)?.attributes).toMatchObject({ job_title: 'CEO' });
  expect(await leftWhenFree()).toEqual([]);
});
