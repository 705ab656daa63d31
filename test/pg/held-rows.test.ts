import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** Once in four years: what arrives came by no pull of the service. */
const NEVER = '0 0 29 2 *';

let workspace: TestWorkspace;
let daemon: RunningDaemon | null = null;

afterEach(async () => {
  await daemon?.stop();
  daemon = null;
  await workspace?.stop();
});

test('a row that somebody held is written once it is free, with no further pull', async () => {
  const sizes = { person: 3, company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  const never = { pull: NEVER, fields: {}, history: false, delete: 'push' } as const;
  workspace = await openWorkspace({ emulator: { sizes }, config: { objects: { person: never } } });
  const { emulator, signal, sql } = workspace;
  await pullAll(workspace.session, { signal, priority: 'pull' });
  const other = await workspace.reopen();
  daemon = await startDaemon(workspace);
  const idle = `SELECT count(*)::int AS n FROM clarify_sync.run WHERE kind = 'pull' AND object = 'person' AND state <> 'running'`;
  await expect.poll(async () => (await sql(idle))[0]?.['n']).toBeGreaterThan(1);

  const [id = ''] = emulator.store.ids('person');
  const user = new pg.Client({ connectionString: workspace.database.url });
  await user.connect();
  try {
    await user.query('BEGIN');
    await user.query(`SELECT FROM clarify.person WHERE id = $1 FOR UPDATE`, [id]);
    emulator.store.update('person', id, { job_title: 'Seen while held' });
    const deferred = async () =>
      (await sql(`SELECT count(*)::int AS n FROM clarify_sync.deferred`))[0]?.['n'];
    await pullAll(other, { signal, priority: 'pull', objects: ['person'] });
    expect(await deferred()).toBe(1);
    const titles = async () =>
      (await sql(`SELECT job_title FROM clarify.person WHERE id = $1`, [id]))[0]?.['job_title'];
    expect(await titles()).not.toBe('Seen while held');
    await user.query('COMMIT');
    await expect.poll(titles).toBe('Seen while held');
    await expect.poll(deferred).toBe(0);
  } finally {
    await user.end();
  }
});

test('what was put aside before is told apart from what joins it', async () => {
  const sizes = { person: 3, company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  const { emulator, session, signal, database } = workspace;
  const pull = () => pullAll(session, { signal, priority: 'pull', objects: ['person'] });
  await pullAll(session, { signal, priority: 'pull' });
  const [first = '', second = ''] = emulator.store.ids('person');
  const user = new pg.Client({ connectionString: database.url });
  const ear = new pg.Client({ connectionString: database.url });
  const heard: string[] = [];
  await Promise.all([user.connect(), ear.connect()]);
  try {
    ear.on('notification', ({ channel }) => heard.push(channel));
    await ear.query('LISTEN clarify_sync_aside; LISTEN clarify_sync_held');
    await user.query('BEGIN');
    const hold = `SELECT FROM clarify.person WHERE id = $1 FOR UPDATE`;
    await user.query(hold, [first]);
    emulator.store.update('person', first, { job_title: 'One' });
    await pull();
    await ear.query('SELECT');
    expect(heard).toEqual(['clarify_sync_aside']);
    // Tried again first, and met once more in the list, which overlaps.
    await pull();
    await ear.query('SELECT');
    expect(new Set(heard.splice(0).slice(1))).toEqual(new Set(['clarify_sync_held']));
    await user.query(hold, [second]);
    emulator.store.update('person', second, { job_title: 'Two' });
    await pull();
    await ear.query('SELECT');
    expect(heard).toContain('clarify_sync_aside');
  } finally {
    await Promise.all([user.end(), ear.end()]);
  }
});
