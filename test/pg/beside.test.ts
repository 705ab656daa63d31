import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';

// docs/beside.md, in its order: every statement is run, and what the page says of it holds.

let workspace: TestWorkspace;
let owner: pg.Client;
/** Roles belong to the whole server: the page's get a name of this run's own. */
const suffix = randomBytes(4).toString('hex');
const [sales, reporting] = [`sales_${suffix}`, `reporting_${suffix}`];

beforeAll(async () => {
  const sizes = { person: 6, company: 8, deal: 8, task: 2, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await sync();
  owner = new pg.Client({ connectionString: workspace.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner?.end();
  for (const role of [sales, reporting]) {
    await workspace?.sql(
      `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
         DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}; END IF; END $$`,
    );
  }
  await workspace?.stop();
});

const sections = new Map(
  readPage('beside.md')
    .split(/^### (?=\d)/m)
    .slice(1)
    .map((text) => [Number.parseInt(text, 10), fenced(text.split(/^## /m, 1)[0] ?? '', 'sql')]),
);
const taken = new Set<string>();

/** Runs one block of the page, the first unless `place` says so; gives what its last statement gave. */
async function run(section: number, place = 0): Promise<Record<string, unknown>[]> {
  const text = sections.get(section)?.[place] ?? expect.fail(`no block ${place} in ${section}`);
  taken.add(`${section}.${place}`);
  const results: pg.QueryResult | pg.QueryResult[] = await owner.query(
    text.replaceAll(/\b(?:sales|reporting)\b/g, (role) => `${role}_${suffix}`),
  );
  return [results].flat().at(-1)?.rows ?? [];
}

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const store = () => workspace.emulator.store;
const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);
const aside = () => sql('SELECT object, kind, code, constraint_name FROM clarify_sync.deferred');

async function bornCompany(name: string) {
  const [row] = await sql(
    'INSERT INTO clarify.company (name, domains) VALUES ($1, $2) RETURNING id, _key',
    [name, [`${name}.example`]],
  );
  return { id: String(row?.['id']), key: String(row?.['_key']) };
}
async function idOf(key: string): Promise<string> {
  const [row] = await sql('SELECT id FROM clarify.company WHERE _key = $1', [key]);
  return String(row?.['id']);
}
async function merge(survivor: string, vanishing: string): Promise<void> {
  store().merge('company', survivor, [vanishing]);
  await sync();
}

test('a foreign key follows a new id, and is null once the record is gone', async () => {
  await run(1);
  const { id, key } = await bornCompany('one');
  await sql('INSERT INTO visit (company_id, company_key) VALUES ($1, $2)', [id, key]);
  await sync();
  const now = await idOf(key);
  expect(now).not.toBe(id);
  const visits = () => sql('SELECT company_id, company_key FROM visit');
  expect(await visits()).toEqual([{ company_id: now, company_key: key }]);
  store().delete('company', now);
  await sync();
  expect(await visits()).toEqual([{ company_id: null, company_key: null }]);
  expect(await aside()).toEqual([]);
});

test('without the trigger a merge leaves null, with it the survivor', async () => {
  const [survivor = '', first = '', second = ''] = store().ids('company');
  await sql('TRUNCATE visit');
  await sql('INSERT INTO visit (company_id, company_key) VALUES ($1, $1)', [first]);
  await merge(survivor, first);
  expect(await sql('SELECT company_id, company_key FROM visit')).toEqual([
    { company_id: null, company_key: null },
  ]);
  await sql('TRUNCATE visit');
  await run(2);
  const { key } = await bornCompany('kept');
  await sync();
  const kept = await idOf(key);
  await sql('INSERT INTO visit (company_id) VALUES ($1)', [second]);
  await sql('INSERT INTO visit (company_key) VALUES ($1)', [second]);
  await merge(kept, second);
  expect(await sql('SELECT DISTINCT company_id, company_key FROM visit')).toEqual([
    { company_id: kept, company_key: key },
  ]);
  expect(await aside()).toEqual([]);
});

test('without ON UPDATE and ON DELETE the row stays, and heals', async () => {
  const { id, key } = await bornCompany('stuck');
  await sql(
    'CREATE TABLE note (company_id text CONSTRAINT note_company REFERENCES clarify.company)',
  );
  await sql('INSERT INTO note VALUES ($1)', [id]);
  await sync();
  expect(await idOf(key)).toBe(id);
  const refused = { object: 'company', code: 'row-refused', constraint_name: 'note_company' };
  expect(await aside()).toEqual([{ kind: 'apply', ...refused }]);
  await sql(
    `ALTER TABLE note DROP CONSTRAINT note_company,
       ADD CONSTRAINT note_company FOREIGN KEY (company_id) REFERENCES clarify.company ON UPDATE CASCADE`,
  );
  await sync();
  const now = await idOf(key);
  expect(await sql('SELECT company_id FROM note')).toEqual([{ company_id: now }]);
  store().delete('company', now);
  await sync();
  expect(await aside()).toEqual([{ kind: 'remove', ...refused }]);
  expect(await idOf(key)).toBe(now);
  await sql('DROP TABLE note');
  await sync();
  expect(await aside()).toEqual([]);
  expect(await sql('SELECT id FROM clarify.company WHERE _key = $1', [key])).toEqual([]);
});

test('an id of any time finds its row of today', async () => {
  const { id, key } = await bornCompany('logged');
  await sync();
  const now = await idOf(key);
  const vanishing = store().create('company', { name: 'vanishing' });
  await sync();
  await merge(now, vanishing);
  const [create, query] = sections.get(3)?.[0]?.split(';\n', 2) ?? [];
  taken.add('3.0');
  await owner.query(create ?? '');
  await sql('INSERT INTO import_log VALUES ($1, 1), ($2, 2), ($3, 3)', [id, now, vanishing]);
  const { rows } = await owner.query(query ?? '');
  expect(rows.toSorted((a, b) => a.line - b.line)).toEqual(
    [1, 2, 3].map((line) => ({ line, name: 'logged' })),
  );
});

test('a column of one’s own stays through new ids and pulls, and goes with its row', async () => {
  const entries = await sql('SELECT count(*) FROM clarify_sync.outbox');
  await run(4);
  expect(await sql('SELECT count(*) FROM clarify_sync.outbox')).toEqual(entries);
  const { key } = await bornCompany('tiered');
  await sql(`UPDATE clarify.company SET account_tier = 'B' WHERE _key = $1`, [key]);
  await sync();
  const id = await idOf(key);
  store().update('company', id, { name: 'Tiered anew' });
  await sync();
  const tier = () => sql('SELECT name, account_tier FROM clarify.company WHERE _key = $1', [key]);
  expect(await tier()).toEqual([{ name: 'Tiered anew', account_tier: 'B' }]);
  store().addField('company', { name: 'account_tier', form: { kind: 'text' } });
  await workspace.session.refreshSchema(workspace.signal);
  expect(workspace.session.problems).toEqual([]);
  expect(await tier()).toEqual([{ name: 'Tiered anew', account_tier: 'B' }]);
  store().update('company', id, { account_tier: 'theirs' });
  await sync();
  const columns = await sql(
    `SELECT attname FROM pg_attribute WHERE attrelid = 'clarify.company'::regclass
        AND attname ~ '^account_tier_[0-9a-f]{8}$'`,
  );
  expect(columns).toHaveLength(1);
  store().delete('company', id);
  await sync();
  expect(await tier()).toEqual([]);
  const [tombstone] = await sql('SELECT record FROM clarify_sync.tombstone WHERE id = $1', [id]);
  expect(JSON.stringify(tombstone)).not.toContain('"B"');
});

test('a constraint refuses people at once, and puts aside what Clarify has', async () => {
  await run(5);
  const [id = ''] = store().ids('deal');
  await sql('UPDATE clarify.deal SET amount = 5 WHERE id = $1', [id]);
  await expect(sql('UPDATE clarify.deal SET amount = -1 WHERE id = $1', [id])).rejects.toThrow(
    'amount_not_negative',
  );
  await sync();
  store().update('deal', id, { amount: -7 });
  await sync();
  expect(await aside()).toMatchObject([{ constraint_name: 'amount_not_negative' }]);
  const [row] = await sql('SELECT amount FROM clarify.deal WHERE id = $1', [id]);
  expect(Number(row?.['amount'])).toBe(5);
  await sql('ALTER TABLE clarify.deal DROP CONSTRAINT amount_not_negative');
  await sync();
  expect(await aside()).toEqual([]);
});

test('a view shows the mirror, and one table’s can be written through', async () => {
  await run(6);
  expect((await sql('SELECT * FROM open_deal')).length).toBeGreaterThan(0);
  await run(6, 1);
  await sync();
  const titles = store()
    .all('task')
    .map(({ attributes }) => attributes['title']);
  expect(titles).toContain('Call back today');
});

test('a trigger sees both sides’ writes, each once, and can tell them', async () => {
  await run(7);
  await sql(
    `INSERT INTO clarify.deal (_key, name, stage) VALUES ('local:seen', 'Seen', 'Discovery')`,
  );
  await sync();
  await sql(`UPDATE clarify.deal SET stage = 'Proposal' WHERE _key = 'local:seen'`);
  await sync();
  const [row] = await sql(`SELECT id FROM clarify.deal WHERE _key = 'local:seen'`);
  store().update('deal', String(row?.['id']), { stage: 'Negotiation' });
  await sync();
  const changes = `SELECT stage_before, stage_after, by_sync FROM deal_change
                    WHERE deal_key = 'local:seen' ORDER BY at`;
  expect(await sql(changes)).toEqual([
    { stage_before: 'Discovery', stage_after: 'Proposal', by_sync: false },
    { stage_before: 'Proposal', stage_after: 'Negotiation', by_sync: true },
  ]);
  await run(7, 1);
  await sql(`INSERT INTO clarify.task (_key, title) VALUES ('local:trim', '  spaced ')`);
  const theirs = store().create('task', { title: ' theirs ' });
  await sync();
  expect(
    await sql(`SELECT title FROM clarify.task WHERE _key IN ('local:trim', $1) ORDER BY 1`, [
      theirs,
    ]),
  ).toEqual([{ title: ' theirs ' }, { title: 'spaced' }]);
  expect(await aside()).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});

test('a policy holds for roles, not for the service', async () => {
  await run(8);
  const [id = ''] = store().ids('deal');
  store().update('deal', id, { stage: 'Won', name: 'Hidden' });
  await sync();
  expect(await aside()).toEqual([]);
  // The triggers of the section before hold for it as well.
  await sql(`GRANT SELECT, UPDATE ON clarify.task TO ${sales}`);
  await owner.query(`SET ROLE ${sales}`);
  const { rows } = await owner.query('SELECT DISTINCT stage FROM clarify.deal');
  await owner.query(`UPDATE clarify.deal SET name = name || '!'`);
  await owner.query(`UPDATE clarify.task SET title = '  ours ' WHERE _key = 'local:trim'`);
  await owner.query('RESET ROLE');
  expect(await sql(`SELECT title FROM clarify.task WHERE _key = 'local:trim'`)).toEqual([
    { title: 'ours' },
  ]);
  expect(rows.map(({ stage }) => stage)).not.toContain('Won');
  await sync();
  expect(store().get('deal', id)?.attributes['name']).toBe('Hidden');
  expect(await differences(workspace)).toEqual([]);
});

test('another role refers to the mirror', async () => {
  await run(9);
  await owner.query(`SET ROLE ${reporting}`);
  await owner.query(`SELECT clarify_sync.current_id('company', 'any')`);
  await expect(owner.query('SELECT FROM clarify_sync.tombstone')).rejects.toThrow('permission');
  await owner.query('RESET ROLE');
  const { key } = await bornCompany('scored');
  await sql(`INSERT INTO ${reporting}.score VALUES ($1, 1)`, [key]);
  await sync();
  const score = () => sql(`SELECT score FROM ${reporting}.score WHERE company_key = $1`, [key]);
  expect(await score()).toEqual([{ score: 1 }]);
  store().delete('company', await idOf(key));
  await sync();
  expect(await score()).toEqual([]);
  expect(await aside()).toEqual([]);
});

test('what was made on a column whose type changed stays with the old one, and is found', async () => {
  await sql(`CREATE INDEX ON clarify.deal (amount)`);
  await sql(
    `CREATE FUNCTION raised() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
  );
  await sql(
    `CREATE TRIGGER raised AFTER UPDATE OF amount ON clarify.deal EXECUTE FUNCTION raised()`,
  );
  await sql(`CREATE POLICY small ON clarify.deal FOR SELECT TO ${reporting} USING (amount < 10)`);
  const before = await sql('SELECT amount FROM open_deal ORDER BY _key');
  store().changeFieldType('deal', 'amount', { kind: 'text' }, () => 'changed');
  await workspace.session.refreshSchema(workspace.signal);
  await sync();
  expect(await sql('SELECT DISTINCT amount FROM clarify.deal')).toEqual([{ amount: 'changed' }]);
  expect(await sql('SELECT amount FROM open_deal ORDER BY _key')).toEqual(before);
  const found = await run(10);
  const seen = found
    .map(({ what, old_column }) => `${String(old_column)}: ${String(what)}`)
    .join('\n');
  expect(seen).toMatch(/amount__was_1: .*view open_deal/);
  expect(seen).toMatch(/amount__was_1: index clarify.deal_amount_idx/);
  expect(seen).toMatch(/amount__was_1: trigger raised/);
  expect(seen).toMatch(/amount__was_1: policy small/);
  expect(found).toHaveLength(4);
});

test('every statement of the page was run', () => {
  const all = [...sections].flatMap(([section, blocks]) => blocks.map((_, i) => `${section}.${i}`));
  expect([...taken].toSorted()).toEqual(all.toSorted());
});
