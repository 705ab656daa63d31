import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushOnce } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { lateWrite } from '../support/late-write.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';
import { seenByPython } from './tools.ts';

// docs/readers.md, what copies by a cursor.

let workspace: TestWorkspace;
let folder = '';

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { task: 3 } } });
  await syncOnce(workspace.session, { signal: workspace.signal });
  folder = await mkdtemp(join(tmpdir(), 'clarify-sync-dlt-'));
});
afterAll(async () => {
  await workspace?.stop();
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

const LATE = `UPDATE clarify.task SET title = 'Late', _synced_at = clock_timestamp() WHERE id = $1`;

test('dlt has what is born here, what is committed late, and one row by the key', async () => {
  const { sql, session, signal, database } = workspace;
  const example = fenced(readPage('readers.md'), 'python')[0] ?? '';
  const copied = () => seenByPython('copy_dlt.py', database.url, example, folder);
  const rows = await sql('SELECT id FROM clarify.task ORDER BY id LIMIT 2');
  const [late = '', newer = ''] = rows.map(({ id }) => String(id));
  await copied();
  const commit = await lateWrite(database.url, LATE, [late]);
  await sql(`UPDATE clarify.task SET title = 'Newer' WHERE id = $1`, [newer]);
  await pushOnce(session, { signal });
  await sql(`INSERT INTO clarify.task (_key, title) VALUES ('local:dlt', 'Born')`);
  expect(await copied()).toMatchObject({
    [newer]: [newer, 'Newer'],
    'local:dlt': ['local:dlt', 'Born'],
  });
  await commit();
  await pushOnce(session, { signal });
  const [born] = await sql(`SELECT id FROM clarify.task WHERE _key = 'local:dlt'`);
  const seen = await copied();
  expect(seen).toMatchObject({ [late]: [late, 'Late'], 'local:dlt': [born?.['id'], 'Born'] });
  expect(Object.keys(seen)).toHaveLength(4);
});

test('the view holds back what may be overtaken', async () => {
  const { sql } = workspace;
  const view = fenced(readPage('readers.md'), 'sql')[0] ?? '';
  await sql(view);
  const shown = async () => (await sql('SELECT 1 FROM public.task_to_copy')).length;
  expect(await shown()).toBe(0);
  await sql(`BEGIN; SET LOCAL session_replication_role = replica;
    UPDATE clarify.task SET _synced_at = now() - interval '11 minutes'; COMMIT`);
  expect(await shown()).toBe(4);
});
