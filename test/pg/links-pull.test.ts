import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { sweepAll } from '../../src/app/sweep-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { applyLinks } from '../../src/conflicts/link-apply.ts';
import { readDatabaseTime } from '../../src/db/position/cursor.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let deals: readonly string[];
let people: readonly string[];

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 60, company: 5, deal: 12, task: 3, meeting: 3, c_project: 6 } },
  });
  const { store } = workspace.emulator;
  deals = store.ids('deal');
  people = store.ids('person');
});
afterAll(() => workspace.stop());

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
/** As if the last round had been long ago. */
async function sweep() {
  await workspace.session.db.query(
    `UPDATE clarify_sync.sweep SET started_at = started_at - interval '3 days'`,
  );
  const runs = [];
  for (;;) {
    // Then as if all of its time were over.
    await workspace.session.db.query(
      `UPDATE clarify_sync.sweep SET started_at = started_at - interval '1 day' WHERE finished_at IS NULL`,
    );
    const swept = await sweepAll(workspace.session, {
      signal: workspace.signal,
      priority: 'backfill',
    });
    if (swept.length === 0) return runs;
    runs.push(...swept);
  }
}
const requestsTo = (pattern: RegExp) =>
  Object.entries(workspace.emulator.stats().endpoints)
    .filter(([endpoint]) => pattern.test(endpoint))
    .reduce((sum, [, { requests }]) => sum + requests, 0);

test('the first pull brings the links, long lists whole', async () => {
  const { store } = workspace.emulator;
  store.link('deal', deals[0] ?? '', 'people', people);
  store.link('deal', deals[8] ?? '', 'people', people);
  await pull();
  expect(await differences(workspace)).toEqual([]);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('an idle pull completes no list that agrees', async () => {
  const { store } = workspace.emulator;
  store.update('deal', deals[0] ?? '', { amount: 17 });
  await pull();
  workspace.emulator.resetStats();
  await pull();
  expect(requestsTo(/relationships/)).toBe(0);
  expect(requestsTo(/objects\/deal\/resources/)).toBe(1);
});

test.each([
  ['the own end', 'deal', 'people', () => [deals[1], people[3]]],
  ['the other end', 'person', 'deals', () => [people[4], deals[2]]],
] as const)('a link made from %s is found by a pull where it bumps a timestamp', async (...row) => {
  const [, object, field, ends] = row;
  const { store, switches } = workspace.emulator;
  const [here = '', there = ''] = ends();
  switches.linksBump = 'owner';
  store.link(object, here, field, [there]);
  await pull();
  expect(await linkDifferences(workspace)).toEqual([]);
  store.unlink(object, here, field, [there]);
  await pull();
  expect(await linkDifferences(workspace)).toEqual([]);
  switches.linksBump = 'none';
});

test('what bumps no timestamp is found by the sweep, for a request a page', async () => {
  const { store } = workspace.emulator;
  store.link('deal', deals[3] ?? '', 'people', people.slice(0, 3));
  store.unlink('deal', deals[8] ?? '', 'people', people.slice(30, 40));
  store.link('person', people[9] ?? '', 'projects', store.ids('c_project'));
  store.update('company', store.ids('company')[0] ?? '', { name: 'Quiet' }, { bump: false });
  await pull();
  expect(await linkDifferences(workspace)).not.toEqual([]);
  workspace.emulator.resetStats();
  const runs = await sweep();
  expect(await linkDifferences(workspace)).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
  expect(runs.find(({ object }) => object === 'deal')).toMatchObject({ linked: 3, unlinked: 10 });
  expect(runs.find(({ object }) => object === 'company')).toMatchObject({ changed: 1 });
  expect(requestsTo(/objects\/company\/resources/)).toBe(1);
  // One page, and the two lists that are longer than their cap.
  expect(requestsTo(/objects\/deal\/resources/)).toBe(1);
  expect(requestsTo(/relationships/)).toBe(2);
});

test('nothing is due again before the interval is over', async () => {
  const options = { signal: workspace.signal, priority: 'backfill' } as const;
  expect(await sweepAll(workspace.session, options)).toEqual([]);
});

test('records merged and deleted take their links along', async () => {
  const { store } = workspace.emulator;
  store.link('deal', deals[4] ?? '', 'people', [people[50] ?? '', people[51] ?? '']);
  store.link('deal', deals[5] ?? '', 'people', [people[52] ?? '']);
  await sweep();
  store.merge('person', people[51] ?? '', [people[50] ?? '']);
  store.delete('person', people[52] ?? '');
  await syncOnce(workspace.session, { signal: workspace.signal });
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('links that appear with a new field are read at once', async () => {
  const { store } = workspace.emulator;
  const form = { kind: 'link', relation: 'many-to-many', entity: 'company' } as const;
  store.addField('deal', { name: 'partners', form: { ...form, field: 'partnered' } });
  store.link('deal', deals[6] ?? '', 'partners', store.ids('company'));
  await workspace.session.refreshSchema(workspace.signal);
  await syncOnce(workspace.session, { signal: workspace.signal });
  expect(await workspace.sql('SELECT FROM clarify.company_partnered')).toHaveLength(5);
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('a pull waits for no user, and leaves alone what waits to be sent', async () => {
  const { emulator, session, signal, database } = workspace;
  const [deal = '', made = '', same = ''] = [deals[7], people[20], people[21]];
  emulator.store.link('deal', deal, 'people', [same]);
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  await user.query('BEGIN');
  await user.query('INSERT INTO clarify.deal_people VALUES ($1, $2), ($1, $3)', [deal, made, same]);
  await sweep();
  await user.query('COMMIT');
  await user.end();
  // Put aside while the same link was being made here, and tried again.
  await pull();
  await sweep();
  const rows = await workspace.sql('SELECT person_id FROM clarify.deal_people WHERE deal_id = $1', [
    deal,
  ]);
  expect(rows.map(({ person_id: id }) => id)).toEqual(expect.arrayContaining([made, same]));
  await syncOnce(session, { signal });
  expect(emulator.store.linked('deal', deal, 'people')).toEqual(
    expect.arrayContaining([made, same]),
  );
  expect(await linkDifferences(workspace)).toEqual([]);
});

test('what was read before a link was settled does not undo it', async () => {
  const { session, signal } = workspace;
  const { db, links } = session;
  const [deal = '', person = ''] = [deals[9], people[41]];
  const table = session.tables.find(({ object }) => object === 'deal');
  if (table === undefined) throw new Error('there are deals');
  const record = await session.remote.readRecord(
    { object: table.schema, id: deal },
    { priority: 'pull', signal },
  );
  if (record === null) throw new Error('there is the deal');
  const before = await readDatabaseTime(db);
  const told = { ...record, links: { people: { ids: [], total: 0 } } };
  const apply = (readAt: string) =>
    db.transaction((tx) => applyLinks(tx, table, [told], { links, readAt }), { asWriter: true });
  const stands = async () =>
    (
      await workspace.sql('SELECT FROM clarify.deal_people WHERE deal_id = $1 AND person_id = $2', [
        deal,
        person,
      ])
    ).length;
  await workspace.sql('INSERT INTO clarify.deal_people VALUES ($1, $2)', [deal, person]);
  await apply(before);
  expect(await stands()).toBe(1);
  await syncOnce(session, { signal });
  await apply(before);
  expect(await stands()).toBe(1);
  // Read since: somebody has taken it away again.
  await apply(await readDatabaseTime(db));
  expect(await stands()).toBe(0);
});

test('where the CRM lists no links, records come all the same, and it is said', async () => {
  const { emulator, signal } = workspace;
  emulator.faults.add({ kind: 'status', status: 400, method: 'GET', path: 'include=' });
  const session = await workspace.reopen();
  emulator.store.update('deal', deals[0] ?? '', { amount: 4_711 });
  const runs = await pullAll(session, { objects: ['deal'], signal, priority: 'pull' });
  expect(runs).toMatchObject([{ state: 'ok', counts: { updated: 1 } }]);
  expect(session.linkRefusals.of('deal').toSorted()).toEqual(['partners', 'people']);
  emulator.resetStats();
  await pullAll(session, { objects: ['deal'], signal, priority: 'pull' });
  expect(requestsTo(/objects\/deal\/resources/)).toBe(1);
  emulator.faults.clear();
});
