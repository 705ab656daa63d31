import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { sweepAll } from '../../../src/app/sweep-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { differences, linkDifferences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// Constraints between mirror rows: foreign keys as API generators need them, values that move from
// row to row, links, and what a table with a publication refuses.

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: 12, company: 4, deal: 6, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await sync();
});
afterAll(() => workspace.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = (...objects: string[]) =>
  pullAll(workspace.session, {
    ...(objects.length > 0 && { objects }),
    signal: workspace.signal,
    priority: 'pull',
    everything: true,
  });
const store = () => workspace.emulator.store;
const aside = () =>
  workspace.sql(
    'SELECT object, id, kind, sqlstate, constraint_name FROM clarify_sync.deferred ORDER BY object, id, kind',
  );
const leftWhen = async (undo: string) => {
  await workspace.sql(undo);
  await sync();
  await sweepAll(workspace.session, { signal: workspace.signal, priority: 'backfill' });
  const apart = [...(await differences(workspace)), ...(await linkDifferences(workspace))];
  return [...apart, ...(await aside())];
};

test('a foreign key between mirror tables holds up nothing but who refers to what is not there', async () => {
  const { sql } = workspace;
  await sql(`ALTER TABLE clarify.person ADD CONSTRAINT works_at FOREIGN KEY (company_id)
             REFERENCES clarify.company (id) NOT VALID`);
  // Born here, both, and one refers to the other.
  const [company] = await sql(`INSERT INTO clarify.company (name) VALUES ('Born') RETURNING id`);
  await sql(`INSERT INTO clarify.person (job_title, company_id) VALUES ('Clerk', $1)`, [
    company?.['id'],
  ]);
  const outcome = await sync();
  expect(outcome.push).toMatchObject({ delivered: 2 });
  expect(outcome.left).toMatchObject({ pending: 0, parked: 0 });
  // A company that is deleted while somebody works there, and a person at one not read yet.
  const [gone = ''] = store().ids('company');
  store().update('person', store().ids('person')[0] ?? '', { company_id: gone });
  await pull();
  store().delete('company', gone);
  const early = store().create('company', { name: 'Early' });
  const person = store().create('person', { job_title: 'Early', company_id: early });
  const other = store().create('person', { job_title: 'Other' });
  const [people] = await pull('person');
  expect(people).toMatchObject({ state: 'ok' });
  const standing = await sql('SELECT id FROM clarify.person WHERE id = ANY($1)', [[person, other]]);
  expect(standing).toEqual([{ id: other }]);
  expect(await pull('company')).toMatchObject([{ state: 'ok' }]);
  await pull('person');
  expect(await sql('SELECT id FROM clarify.person WHERE id = $1', [person])).toEqual([
    { id: person },
  ]);
  expect(await leftWhen('ALTER TABLE clarify.person DROP CONSTRAINT works_at')).toEqual([]);
});

test('a value that moves from one row to another is no violation', async () => {
  const { sql } = workspace;
  const [a, b] = [
    store().create('company', { name: 'A' }),
    store().create('company', { name: 'B' }),
  ];
  await pull('company');
  await sql(`CREATE UNIQUE INDEX one_name ON clarify.company (name) WHERE length(name) = 1`);
  store().update('company', a, { name: 'B' });
  store().update('company', b, { name: 'C' });
  await pull('company');
  expect(await aside()).toEqual([]);
  // A swap has no order that would do, and says so.
  store().update('company', a, { name: 'C' });
  store().update('company', b, { name: 'B' });
  expect(await pull('company')).toMatchObject([{ state: 'ok', counts: { setAside: 2 } }]);
  expect(await leftWhen('DROP INDEX clarify.one_name')).toEqual([]);
});

test('a link that is refused is put aside alone', async () => {
  const { sql } = workspace;
  const [deal = '', other = ''] = store().ids('deal');
  const person = store().create('person', { job_title: 'Refused' });
  const second = store().create('person', { job_title: 'Fine' });
  await pull();
  await sql(
    `ALTER TABLE clarify.deal_people ADD CONSTRAINT not_him CHECK (person_id <> '${person}')`,
  );
  store().link('deal', deal, 'people', [person]);
  store().link('deal', other, 'people', [second]);
  store().update('deal', deal, { name: 'Linked' });
  store().update('deal', other, { name: 'Linked too' });
  const [run] = await pull('deal');
  expect(run).toMatchObject({ state: 'ok', counts: { linked: 1, setAside: 1 } });
  expect(await aside()).toMatchObject([
    { object: 'deal', id: deal, kind: 'link', constraint_name: 'not_him' },
  ]);
  const titles = await sql(`SELECT name FROM clarify.deal WHERE name LIKE 'Linked%' ORDER BY 1`);
  expect(titles).toEqual([{ name: 'Linked' }, { name: 'Linked too' }]);
  expect(await leftWhen('ALTER TABLE clarify.deal_people DROP CONSTRAINT not_him')).toEqual([]);
});

test('a reference that cannot be brought to the id of today is told of', async () => {
  const { sql } = workspace;
  await sql(`CREATE FUNCTION public.fixed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.company_id IS DISTINCT FROM OLD.company_id AND OLD.job_title = 'Fixed' THEN RAISE 'no'; END IF; RETURN NEW; END $$`);
  await sql(
    `CREATE TRIGGER fixed BEFORE UPDATE ON clarify.person FOR EACH ROW EXECUTE FUNCTION public.fixed()`,
  );
  const [company] = await sql(`INSERT INTO clarify.company (name) VALUES ('New') RETURNING id`);
  await sql(
    `INSERT INTO clarify.person (job_title, company_id) VALUES ('Fixed', $1), ('Free', $1)`,
    [company?.['id']],
  );
  const outcome = await sync();
  expect(outcome.left).toMatchObject({ pending: 0, parked: 0 });
  expect(outcome.left.setAside).toBeGreaterThan(0);
  const free = await sql(
    `SELECT 1 FROM clarify.person WHERE job_title = 'Free' AND company_id LIKE 'local:%'`,
  );
  expect(free).toEqual([]);
  expect(await leftWhen('DROP FUNCTION public.fixed() CASCADE')).toEqual([]);
});

test('a publication that needs a replica identity keeps updates away, and inserts come in', async () => {
  const { sql } = workspace;
  const old = store().create('company', { name: 'Old' });
  await pull('company');
  await sql('ALTER TABLE clarify.company REPLICA IDENTITY NOTHING');
  await sql('CREATE PUBLICATION everything FOR TABLE clarify.company');
  const born = store().create('company', { name: 'New one' });
  store().update('company', old, { name: 'Older' });
  expect(await pull('company')).toMatchObject([
    { state: 'ok', counts: { inserted: 1, setAside: 1 } },
  ]);
  expect(await aside()).toMatchObject([{ id: old, sqlstate: '55000' }]);
  expect(await sql('SELECT name FROM clarify.company WHERE id = $1', [born])).toEqual([
    { name: 'New one' },
  ]);
  expect(
    await leftWhen(
      'DROP PUBLICATION everything; ALTER TABLE clarify.company REPLICA IDENTITY DEFAULT',
    ),
  ).toEqual([]);
});

test('a whole replica identity that a publication cannot send keeps updates and deletions away', async () => {
  const { sql } = workspace;
  const [version] = await sql(`SELECT current_setting('server_version_num')::int AS version`);
  // Since 18 generated columns that are not published make it so.
  if (Number(version?.['version']) < 180_000) return;
  const [edited, gone] = [
    store().create('person', { job_title: 'Edited' }),
    store().create('person', { job_title: 'Gone' }),
  ];
  await pull('person');
  await sql('ALTER TABLE clarify.person REPLICA IDENTITY FULL');
  await sql('CREATE PUBLICATION whole FOR TABLE clarify.person');
  store().update('person', edited, { job_title: 'Edited again' });
  store().delete('person', gone);
  store().create('person', { job_title: 'New' });
  expect(await pull('person')).toMatchObject([
    { state: 'ok', counts: { inserted: 1, setAside: 2 } },
  ]);
  const found = await aside();
  expect(found).toMatchObject([
    { object: 'person', sqlstate: '42P10' },
    { object: 'person', sqlstate: '42P10' },
  ]);
  expect(
    await leftWhen('DROP PUBLICATION whole; ALTER TABLE clarify.person REPLICA IDENTITY DEFAULT'),
  ).toEqual([]);
});

test('a table that somebody holds is waited for, and no row is blamed', async () => {
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  const id = store().create('company', { name: 'Held' });
  await pull('company');
  await workspace.sql(`ALTER TABLE clarify.company ADD CONSTRAINT fine CHECK (name <> 'Never')`);
  store().update('company', id, { name: 'Never' });
  store().create('company', { name: 'Meanwhile' });
  await user.query('BEGIN; LOCK TABLE clarify.company IN SHARE MODE');
  const [run] = await pull('company');
  expect(run).toMatchObject({ state: 'failed', error: { code: 'database-lock-timeout' } });
  expect(await aside()).toEqual([]);
  await user.query('COMMIT');
  await user.end();
  expect(await pull('company')).toMatchObject([{ state: 'ok', counts: { setAside: 1 } }]);
  expect(await leftWhen('ALTER TABLE clarify.company DROP CONSTRAINT fine')).toEqual([]);
}, 60_000);
