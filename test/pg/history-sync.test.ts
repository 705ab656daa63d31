import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
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

async function push() {
  const keeper = new LeaseKeeper(workspace.session.db, { holder: workspace.session.holder });
  await keeper.start();
  try {
    return await runPush(pushDeps(workspace.session, keeper), workspace.signal);
  } finally {
    await keeper.stop();
  }
}

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

test('a row deleted before it had its id is one line of versions under that id', async () => {
  const { sql, session, signal, emulator } = workspace;
  const lines = () =>
    sql(`SELECT id, name, _ended_by FROM clarify_history.company WHERE name LIKE 'Brief%'
          ORDER BY _valid_from`);
  await sql(
    `INSERT INTO clarify.company (id, name, domains) VALUES ('local:brief', 'Brief', '{brief.example}')`,
  );
  await sql(`UPDATE clarify.company SET name = 'Briefer' WHERE id = 'local:brief'`);
  // Every attempt arrives, and no answer.
  emulator.faults.add({ kind: 'reset-after-write', method: 'POST' });
  expect(await push()).toMatchObject({ failed: 1 });
  emulator.faults.clear();
  await sql(`DELETE FROM clarify.company WHERE id = 'local:brief'`);
  await syncOnce(session, { signal });
  const [mapped] = await sql(`SELECT id FROM clarify_sync.id_map WHERE old_id = 'local:brief'`);
  expect(mapped?.id).not.toBeUndefined();
  expect(emulator.store.get('company', String(mapped?.id))).toBeNull();
  const versions = await lines();
  expect(versions.slice(0, 2)).toEqual([
    { id: mapped?.id, name: 'Brief', _ended_by: 'update' },
    { id: mapped?.id, name: 'Briefer', _ended_by: 'delete' },
  ]);
  // The record came in by itself, and was deleted in its turn.
  expect(new Set(versions.map(({ id }) => id))).toEqual(new Set([mapped?.id]));
  expect(versions.at(-1)).toMatchObject({ _ended_by: 'delete' });
});

test('a push waits for no version that a user holds (invariant 2), and names it later', async () => {
  const { sql, session, signal, database } = workspace;
  await sql(`INSERT INTO clarify.company (id, name) VALUES ('local:slow', 'Slow')`);
  await sql(
    `INSERT INTO clarify.deal (id, name, company_id) VALUES ('local:d1', 'D', 'local:slow'), ('local:d2', 'E', 'local:slow')`,
  );
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query(`UPDATE clarify.deal SET stage = 'Won' WHERE id = 'local:d1'`);
    await user.query(`DELETE FROM clarify.deal WHERE id = 'local:d2'`);
    // A settlement that waited would give up only after its time for locks.
    const pushed = await Promise.race([push(), setTimeout(9_000, 'waits', { ref: false })]);
    expect(pushed).not.toBe('waits');
    expect(await sql(`SELECT FROM clarify.company WHERE id = 'local:slow'`)).toEqual([]);
    await user.query('COMMIT');
  } finally {
    await user.end();
  }
  await syncOnce(session, { signal });
  expect(
    await sql(`SELECT id, company_id FROM clarify_history.deal
                WHERE id LIKE 'local:%' OR company_id LIKE 'local:%'`),
  ).toEqual([]);
  expect(await differences('deal')).toEqual([]);
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
  const id = emulator.store.create('company', {
    name: 'Known',
    domains: { items: ['known.example'] },
  });
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
