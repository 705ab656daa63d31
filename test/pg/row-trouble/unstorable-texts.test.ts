import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { reconcileAll } from '../../../src/app/reconcile-all.ts';
import { decodeExtra } from '../../../src/db/mirror/extra.ts';
import type { Json } from '../../../src/domain/json.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// What is put aside may hold what Postgres takes as no text, and looks into as JSON no more than that:
// NUL, half a surrogate pair, and a backslash before what only looks like one.

const TEXTS = ['NUL \0', 'half \ud83d', 'backslashes \\\\u0000 \\u0000 \\"', 'all \\\0\\\\\ud83d'];

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
afterAll(() => workspace.stop());

const store = () => workspace.emulator.store;
const pull = async () => {
  const { session, signal } = workspace;
  const options = { objects: ['task'], signal, priority: 'pull', everything: true } as const;
  const [run] = await pullAll(session, options);
  return run;
};
const aside = () => workspace.sql('SELECT id FROM clarify_sync.deferred');
const titles = async () => {
  const rows = await workspace.sql(
    `SELECT coalesce(_extra -> 'title', to_jsonb(title)) AS title FROM clarify.task`,
  );
  return new Set(rows.map(({ title }) => decodeExtra(title as Json)));
};

test('a record that waits for a user comes in with all others once the user is done', async () => {
  const ids = TEXTS.map((title) => store().create('task', { title }));
  await pull();
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query('SELECT FROM clarify.task FOR UPDATE');
    for (const [at, id] of ids.entries()) store().update('task', id, { title: `${TEXTS[at]} 2` });
    expect(await pull()).toMatchObject({ state: 'ok', counts: { deferred: 4 } });
    await user.query('COMMIT');
  } finally {
    await user.end();
  }
  store().create('task', { title: 'Another' });
  expect(await pull()).toMatchObject({ state: 'ok', counts: { inserted: 1, updated: 4 } });
  expect(await titles()).toEqual(new Set(['Another', ...TEXTS.map((title) => `${title} 2`)]));
  expect(await aside()).toEqual([]);
});

test('a record whose row is refused is counted', async () => {
  const { session, signal, sql } = workspace;
  await sql(`ALTER TABLE clarify.task ADD CONSTRAINT whole CHECK (_extra IS NULL) NOT VALID`);
  for (const title of TEXTS) store().create('task', { title });
  expect(await pull()).toMatchObject({ state: 'ok', counts: { inserted: 1 } });
  const runs = await reconcileAll(session, { objects: ['task'], signal, priority: 'pull' });
  expect(runs).toMatchObject([{ state: 'ok', counts: { missing: 0, deleted: 0 } }]);
  await sql('ALTER TABLE clarify.task DROP CONSTRAINT whole');
  await pull();
  expect([...(await titles())]).toEqual(expect.arrayContaining(TEXTS));
  expect(await aside()).toEqual([]);
});
