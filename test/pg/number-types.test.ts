import { afterEach, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { readKeptNumbers } from '../../src/db/access/dependants.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** Numbers have the scale the CRM promises, and lose no digit where it does not keep that promise. */
let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { company: 5, deal: 20 } },
    config: { objects: { deal: { fields: {}, history: true, delete: 'push' } } },
  });
});
afterEach(() => workspace.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const refresh = () => workspace.session.refreshSchema(workspace.signal);
const sql = (text: string, values?: readonly unknown[]) => workspace.sql(text, values);

async function typeOf(relation: string, column = 'amount'): Promise<unknown> {
  const [row] = await sql(
    `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = $1::regclass AND attname = $2`,
    [relation, column],
  );
  return row?.['type'];
}

/** As it was before columns of numbers had a scale. */
async function makeFormer(): Promise<void> {
  const numbers = await sql(
    `SELECT column_name AS name FROM clarify_sync.mirror_column WHERE object = 'deal' AND kind = 'number'`,
  );
  const clauses = numbers.map(({ name }) => `ALTER COLUMN "${String(name)}" TYPE numeric`);
  await sql(`ALTER TABLE clarify.deal ${clauses.join(', ')}`);
  await forgetTypes();
}

async function forgetTypes(): Promise<void> {
  await sql(
    `UPDATE clarify_sync.mirror_column SET definition = definition - 'numberType' - 'overflown' - 'scale'
      WHERE object = 'deal'`,
  );
}

const amountOf = async (id: string) =>
  (
    await sql(`SELECT amount, _extra -> 'amount' AS extra FROM clarify.deal WHERE id = $1`, [id])
  )[0];

test('a number has the scale that Clarify promises, and what users add is rounded to it', async () => {
  await sync();
  expect(await typeOf('clarify.deal')).toBe('numeric(20,4)');
  expect(await typeOf('clarify_history.deal')).toBe('numeric');
  const [row] = await sql(
    `UPDATE clarify.deal SET amount = 1.23456 WHERE id = (SELECT min(id) FROM clarify.deal) RETURNING id, amount`,
  );
  expect(row?.['amount']).toBe('1.2346');
  await sync();
  expect(workspace.emulator.store.get('deal', String(row?.['id']))?.attributes.amount).toBe(1.2346);
  expect(await differences(workspace)).toEqual([]);
});

test.each(['pull', 'backfill'])(
  'a number with more digits widens its column: by %s',
  async (way) => {
    const { store } = workspace.emulator;
    if (way === 'pull') await sync();
    const id = store.create('deal', { name: 'Exact', amount: 1.23456789 });
    await pull();
    if (way === 'pull') expect(await amountOf(id)).toEqual({ amount: null, extra: 1.23456789 });
    expect(await differences(workspace)).toEqual([]);
    await refresh();
    expect(await typeOf('clarify.deal')).toBe('numeric');
    expect(await amountOf(id)).toEqual({ amount: '1.23456789', extra: null });
    await pull();
    expect(await differences(workspace)).toEqual([]);
    expect((await refresh()).steps).toEqual([]);
    // It stays so, and nothing is sent back for it.
    await sync();
    expect(await sql('SELECT 1 FROM clarify_sync.outbox')).toEqual([]);
  },
);

test('a column that a view uses keeps its type, and the number its place in _extra', async () => {
  await sync();
  await sql('CREATE VIEW public.amounts AS SELECT amount FROM clarify.deal');
  const id = workspace.emulator.store.create('deal', { name: 'Exact', amount: 1.23456789 });
  await pull();
  const { problems } = await refresh();
  expect(problems).toEqual([]);
  expect(await typeOf('clarify.deal')).toBe('numeric(20,4)');
  expect(await amountOf(id)).toEqual({ amount: null, extra: 1.23456789 });
  expect(await differences(workspace)).toEqual([]);
  await sql('DROP VIEW public.amounts');
  await refresh();
  expect(await amountOf(id)).toEqual({ amount: '1.23456789', extra: null });
});

test('a column that is widened shows what users wrote meanwhile, and sends it', async () => {
  await sync();
  const { store } = workspace.emulator;
  const [changed, cleared] = ['Changed', 'Cleared'].map((name) =>
    store.create('deal', { name, amount: 1.23456789 }),
  );
  await pull();
  await sql('UPDATE clarify.deal SET amount = 5 WHERE id = $1', [changed]);
  await sql('UPDATE clarify.deal SET amount = 1 WHERE id = $1', [cleared]);
  await sql('UPDATE clarify.deal SET amount = NULL WHERE id = $1', [cleared]);
  await refresh();
  expect(await typeOf('clarify.deal')).toBe('numeric');
  expect(await amountOf(changed ?? '')).toMatchObject({ amount: '5.0000' });
  expect(await amountOf(cleared ?? '')).toMatchObject({ amount: null });
  await sync();
  expect(store.get('deal', changed ?? '')?.attributes.amount).toBe(5);
  expect(store.get('deal', cleared ?? '')?.attributes.amount ?? null).toBeNull();
  expect(await differences(workspace)).toEqual([]);
});

test('a table from before gets the scale where every value fits', async () => {
  await sync();
  await makeFormer();
  const versions = await sql('SELECT count(*) FROM clarify_history.deal');
  const { problems } = await refresh();
  expect(problems).toEqual([]);
  expect(await typeOf('clarify.deal')).toBe('numeric(20,4)');
  expect(await differences(workspace)).toEqual([]);
  expect(await sql('SELECT count(*) FROM clarify_history.deal')).toEqual(versions);
  expect((await refresh()).steps).toEqual([]);
});

test('where a value does not fit, or a view depends on it, it keeps what it has', async () => {
  await sync();
  await makeFormer();
  const id = workspace.emulator.store.create('deal', { name: 'Exact', amount: 1.23456789 });
  await workspace.session.db.transaction(
    (tx) =>
      tx.query(`INSERT INTO clarify.deal (id, name, amount) VALUES ($1, 'Exact', 1.23456789)`, [
        id,
      ]),
    { asWriter: true },
  );
  await refresh();
  expect(await typeOf('clarify.deal')).toBe('numeric');
  await pull();
  expect(await amountOf(id)).toEqual({ amount: '1.23456789', extra: null });
  expect(await differences(workspace)).toEqual([]);

  await sql('CREATE VIEW public.amounts AS SELECT amount FROM clarify.deal');
  await workspace.session.db.transaction(
    (tx) => tx.query('UPDATE clarify.deal SET amount = NULL'),
    { asWriter: true },
  );
  await forgetTypes();
  const { problems } = await refresh();
  expect(problems).toEqual([]);
  expect(await typeOf('clarify.deal')).toBe('numeric');
  const kept = await readKeptNumbers(workspace.session.db);
  expect(kept).toMatchObject([
    { what: expect.stringMatching(/deal\.amount is used by .*amounts/) },
  ]);
  await sql('DROP VIEW public.amounts');
  await refresh();
  expect(await typeOf('clarify.deal')).toBe('numeric(20,4)');
  expect(await readKeptNumbers(workspace.session.db)).toEqual([]);
});
