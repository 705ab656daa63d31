import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushOnce } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { lateWrite } from '../support/late-write.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';
import { dbt } from './tools.ts';

// The model and the snapshot of docs/beside.md, across a row's change of id.

let workspace: TestWorkspace;
let project = '';

const setting = (name: string) => `"{{ env_var('${name}') }}"`;
const profile = `mirror:
  target: dev
  outputs:
    dev:
      type: postgres
      host: ${setting('PGHOST')}
      port: "{{ env_var('PGPORT') | int }}"
      user: ${setting('PGUSER')}
      password: ${setting('PGPASSWORD')}
      dbname: ${setting('PGDATABASE')}
      schema: dbt
      threads: 1
`;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { task: 3 } } });
  await syncOnce(workspace.session, { signal: workspace.signal });
  project = await mkdtemp(join(tmpdir(), 'clarify-sync-dbt-'));
  const page = readPage('beside.md');
  const files = {
    'dbt_project.yml': 'name: mirror\nprofile: mirror\n',
    'profiles.yml': profile,
    'models/sources.yml': 'sources:\n  - name: clarify\n    tables: [{ name: task }]\n',
    'models/current_task.sql': fenced(page, 'jinja')[0] ?? '',
    'snapshots/task_history.yml': fenced(page, 'yaml')[0] ?? '',
  };
  for (const folder of ['models', 'snapshots']) await mkdir(join(project, folder));
  for (const [name, text] of Object.entries(files)) await writeFile(join(project, name), text);
});
afterAll(async () => {
  await workspace?.stop();
  if (project !== '') await rm(project, { recursive: true, force: true });
});

test('one row by the key, before the push and after it', async () => {
  const { sql, session, signal, database } = workspace;
  const build = () => dbt(project, ['build'], database.url);
  await sql(`INSERT INTO clarify.task (_key, title) VALUES ('local:dbt', 'One')`);
  await build();
  const modelled = () =>
    sql(`SELECT task_id, title FROM dbt.current_task WHERE task_key = 'local:dbt'`);
  expect(await modelled()).toEqual([{ task_id: 'local:dbt', title: 'One' }]);
  await pushOnce(session, { signal });
  const [row] = await sql(`SELECT id FROM clarify.task WHERE _key = 'local:dbt'`);
  await build();
  expect(await modelled()).toEqual([{ task_id: row?.['id'], title: 'One' }]);
  const history = `SELECT title, dbt_valid_to IS NULL AS current FROM dbt.task_history
                    WHERE _key = 'local:dbt' ORDER BY dbt_valid_from`;
  expect(await sql(history)).toEqual([{ title: 'One', current: true }]);
  await sql(`UPDATE clarify.task SET title = 'Two' WHERE _key = 'local:dbt'`);
  await pushOnce(session, { signal });
  await build();
  expect(await modelled()).toEqual([{ task_id: row?.['id'], title: 'Two' }]);
  await sql(`DELETE FROM clarify.task WHERE _key = 'local:dbt'`);
  await build();
  expect(await sql(history)).toEqual([
    { title: 'One', current: false },
    { title: 'Two', current: false },
  ]);
  expect(await modelled()).toHaveLength(1);
});

test('a row that is committed after a newer one is in the model with the next run', async () => {
  const { sql, session, signal, database } = workspace;
  const build = () => dbt(project, ['build'], database.url);
  await build();
  const [late, newer] = await sql('SELECT id FROM clarify.task ORDER BY id LIMIT 2');
  const commit = await lateWrite(
    database.url,
    `UPDATE clarify.task SET title = 'Late', _synced_at = clock_timestamp() WHERE id = $1`,
    [late?.['id']],
  );
  await sql(`UPDATE clarify.task SET title = 'Newer' WHERE id = $1`, [newer?.['id']]);
  await pushOnce(session, { signal });
  await build();
  await commit();
  await build();
  expect(
    await sql('SELECT title FROM dbt.current_task WHERE task_id IN ($1, $2) ORDER BY task_id', [
      late?.['id'],
      newer?.['id'],
    ]),
  ).toEqual([{ title: 'Late' }, { title: 'Newer' }]);
});
