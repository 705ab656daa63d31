import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
const kept = { fields: {}, history: true, delete: 'push' } as const;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { company: 40, deal: 300 } },
    config: { objects: { deal: kept, company: kept, task: kept } },
  });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
});

afterAll(() => workspace?.stop());

async function differences(table: string): Promise<unknown> {
  const columns = await workspace.sql(
    `SELECT string_agg(quote_ident(attname), ', ') AS names FROM pg_attribute
      WHERE attrelid = ('clarify.' || $1)::regclass AND attnum > 0 AND NOT attisdropped AND attname <> '_synced_at'`,
    [table],
  );
  const names = String(columns[0]?.['names']);
  return await workspace.sql(
    `(SELECT ${names} FROM clarify.${table} EXCEPT SELECT ${names} FROM clarify_history.${table} WHERE _valid_to IS NULL)
      UNION ALL
     (SELECT ${names} FROM clarify_history.${table} WHERE _valid_to IS NULL EXCEPT SELECT ${names} FROM clarify.${table})`,
  );
}

test('a first read writes one version of each record', async () => {
  const counts = await workspace.sql(
    `SELECT count(*)::int AS versions, count(DISTINCT id)::int AS records, min(_operation) AS began
       FROM clarify_history.deal`,
  );
  expect(counts).toEqual([{ versions: 300, records: 300, began: 'insert' }]);
  expect(await differences('deal')).toEqual([]);
});

test('a row born here is one line of versions under its id in Clarify, as are references to it', async () => {
  const { sql, session, signal } = workspace;
  await sql(`INSERT INTO clarify.company (id, name) VALUES ('local:acme', 'Acme')`);
  await sql(
    `INSERT INTO clarify.deal (id, name, company_id) VALUES ('local:big', 'Big', 'local:acme')`,
  );
  await sql(`UPDATE clarify.deal SET stage = 'Proposal' WHERE id = 'local:big'`);
  await syncOnce(session, { signal });
  await sql(`UPDATE clarify.deal SET stage = 'Won' WHERE _local_id = 'local:big'`);
  await syncOnce(session, { signal });
  const versions = await sql(
    `SELECT h.id = d.id AS same, h.company_id = d.company_id AS together, h.stage, h._valid_to
       FROM clarify_history.deal AS h JOIN clarify.deal AS d USING (_local_id)
      WHERE _local_id = 'local:big' ORDER BY h._valid_from`,
  );
  expect(versions.every(({ same, together }) => same === true && together === true)).toBe(true);
  expect(versions.at(0)).toMatchObject({ stage: null });
  expect(versions.at(-1)).toMatchObject({ stage: 'Won', _valid_to: null });
  expect(versions.filter(({ _valid_to }) => _valid_to === null)).toHaveLength(1);
  expect(await sql(`SELECT FROM clarify_history.deal WHERE id LIKE 'local:%'`)).toEqual([]);
  // At the moment it was only here, its company is found as it was then.
  const then = await sql(
    `SELECT c.name FROM clarify_history.deal AS d
       JOIN clarify_history.company AS c
         ON c.id = d.company_id AND c._valid_from <= d._valid_from AND (c._valid_to > d._valid_from OR c._valid_to IS NULL)
      WHERE d._local_id = 'local:big' AND d._operation = 'insert'`,
  );
  expect(then).toEqual([{ name: 'Acme' }]);
  expect(await differences('deal')).toEqual([]);
  expect(await differences('company')).toEqual([]);
});

test('references follow although the object they refer to has no history', async () => {
  const { sql, session, signal } = workspace;
  await sql(`INSERT INTO clarify.deal (id, name) VALUES ('local:part', 'Part')`);
  await sql(
    `INSERT INTO clarify.person (id, email_addresses) VALUES ('local:ann', '{ann@x.example}')`,
  );
  await sql(
    `INSERT INTO clarify.task (id, title, deal_id, person_id) VALUES ('local:call', 'Call', 'local:part', 'local:ann')`,
  );
  await syncOnce(session, { signal });
  const versions = await sql(
    `SELECT bool_and(h.deal_id = d.id AND h.person_id = p.id) AS together FROM clarify_history.task AS h,
            clarify.deal AS d, clarify.person AS p
      WHERE h._local_id = 'local:call' AND d._local_id = 'local:part' AND p._local_id = 'local:ann'`,
  );
  expect(versions).toEqual([{ together: true }]);
  expect(await differences('task')).toEqual([]);
});

test('edits and deletions on either side end in versions', async () => {
  const { sql, session, signal, emulator } = workspace;
  const [edited, deleted, local] = emulator.store.all('deal').map(({ id }) => id);
  emulator.store.update('deal', edited ?? '', { stage: 'Lost', amount: 1 });
  emulator.store.delete('deal', deleted ?? '');
  await sql('DELETE FROM clarify.deal WHERE id = $1', [local]);
  await syncOnce(session, { signal });
  const ends = await sql(
    `SELECT DISTINCT ON (id) id, _ended_by FROM clarify_history.deal
      WHERE id = ANY($1) ORDER BY id, _valid_from DESC`,
    [[edited, deleted, local]],
  );
  expect(new Map(ends.map(({ id, _ended_by }) => [id, _ended_by]))).toEqual(
    new Map([
      [edited, null],
      [deleted, 'delete'],
      [local, 'delete'],
    ]),
  );
  expect(await differences('deal')).toEqual([]);
});

test('an adopted row joins the line of its record', async () => {
  const { sql, session, signal, emulator } = workspace;
  const id = emulator.store.create('company', { name: 'Known', domains: ['known.example'] });
  await sql(
    `INSERT INTO clarify.company (id, name, domains) VALUES ('local:known', 'Known here', '{known.example}')`,
  );
  await syncOnce(session, { signal });
  const versions = await sql(
    `SELECT id, name, _ended_by FROM clarify_history.company
      WHERE id = $1 OR _local_id = 'local:known' ORDER BY _valid_from`,
    [id],
  );
  expect(versions.at(-1)).toMatchObject({ id, _ended_by: null });
  const open = versions.filter(({ _ended_by }) => _ended_by === null);
  expect(open).toHaveLength(1);
  expect(await differences('company')).toEqual([]);
});
