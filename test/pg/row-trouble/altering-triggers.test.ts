import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { differences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// A trigger of a user's sees a row before it is written. What it changes or leaves out is no error
// to Postgres, and yet the row never equals its record: that is told, and not written over and over.

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
afterAll(() => workspace.stop());

/** What is left once the trigger is gone. */
const leftWhenFree = async () => {
  await workspace.sql('DROP FUNCTION IF EXISTS public.alter_row() CASCADE');
  await pull();
  const left = await aside();
  await sync();
  return [...left, ...(await differences(workspace))];
};

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = async (everything = true) => {
  const { session, signal } = workspace;
  const objects = ['task'];
  const [run] = await pullAll(session, { objects, signal, priority: 'pull', everything });
  return run;
};
const aside = () =>
  workspace.sql(
    'SELECT id, kind, code, sqlstate, table_name, reason FROM clarify_sync.deferred ORDER BY id',
  );
const store = () => workspace.emulator.store;
const trigger = (events: string, body: string) =>
  workspace.sql(`
    CREATE FUNCTION public.alter_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
    CREATE TRIGGER alter_row BEFORE ${events} ON clarify.task FOR EACH ROW EXECUTE FUNCTION public.alter_row()`);
const differs = (id: string, reason: string) => {
  const rest = { sqlstate: null, table_name: 'clarify.task' };
  return {
    id,
    kind: 'apply',
    code: 'row-differs',
    ...rest,
    reason: `it was ${reason} on its way into the table`,
  };
};

test('a value that is rewritten is told of, with its column', async () => {
  const old = store().create('task', { title: 'old' });
  await pull();
  await trigger('INSERT OR UPDATE', `NEW.title := upper(NEW.title); RETURN NEW;`);
  const born = store().create('task', { title: 'new' });
  const same = store().create('task', { title: 'SAME' });
  store().update('task', old, { title: 'old again' });
  const run = await pull();
  expect(run).toMatchObject({ state: 'ok', counts: { inserted: 1, setAside: 2 } });
  expect(await aside()).toEqual([old, born].toSorted().map((id) => differs(id, 'changed (title)')));
  expect(await workspace.sql('SELECT title FROM clarify.task WHERE id = $1', [same])).toEqual([
    { title: 'SAME' },
  ]);
  // The overlap brings them again, and nothing is written for it.
  const synced = () => workspace.sql('SELECT id, _synced_at FROM clarify.task ORDER BY id');
  const before = await synced();
  expect(await pull(false)).toMatchObject({ counts: { updated: 0, inserted: 0 } });
  expect(await synced()).toEqual(before);
  expect(await leftWhenFree()).toEqual([]);
});

test('a row that is left out is told of, on insert and on update', async () => {
  const old = store().create('task', { title: 'old' });
  await pull();
  await trigger(
    'INSERT OR UPDATE',
    `IF NEW.title LIKE 'skip%' THEN RETURN NULL; END IF; RETURN NEW;`,
  );
  const born = store().create('task', { title: 'skip me' });
  store().create('task', { title: 'fine' });
  store().update('task', old, { title: 'skip it' });
  expect(await pull()).toMatchObject({ state: 'ok', counts: { inserted: 1, setAside: 2 } });
  expect(await aside()).toEqual(
    [
      differs(born, 'left out'),
      expect.objectContaining({
        id: old,
        code: 'row-differs',
        reason: expect.stringContaining('title'),
      }),
    ].toSorted((a, b) =>
      ('id' in a && a.id === born ? born : old) < ('id' in b && b.id === born ? born : old)
        ? -1
        : 1,
    ),
  );
  expect(await leftWhenFree()).toEqual([]);
});

test('a row that may not be deleted is told of, and the watermark goes on', async () => {
  const [kept, other] = [
    store().create('task', { title: 'kept' }),
    store().create('task', { title: 'x' }),
  ];
  await pull();
  await trigger('DELETE', `IF OLD.title = 'kept' THEN RETURN NULL; END IF; RETURN OLD;`);
  store().delete('task', kept);
  store().delete('task', other);
  expect(await pull()).toMatchObject({
    state: 'ok',
    error: null,
    counts: { removed: 1, setAside: 1 },
  });
  expect(await aside()).toEqual([
    {
      id: kept,
      kind: 'remove',
      code: 'row-differs',
      sqlstate: null,
      table_name: 'clarify.task',
      reason: 'a trigger of the table keeps the row',
    },
  ]);
  expect(await leftWhenFree()).toEqual([]);
});

test('a row that keeps its local id is told of, and is not inserted a second time', async () => {
  await trigger('UPDATE', `NEW.id := OLD.id; RETURN NEW;`);
  const [born] = await workspace.sql(
    `INSERT INTO clarify.task (title) VALUES ('mine') RETURNING id`,
  );
  await sync();
  expect(await workspace.sql(`SELECT id FROM clarify.task WHERE title = 'mine'`)).toEqual([born]);
  expect(await aside()).toMatchObject([{ kind: 'apply', code: 'row-differs' }]);
  expect(await leftWhenFree()).toEqual([]);
});

test('local edits go on although the row never equals its record', async () => {
  await trigger('INSERT OR UPDATE', `NEW.title := upper(NEW.title); RETURN NEW;`);
  const id = store().create('task', { title: 'low' });
  await pull();
  await workspace.sql(`UPDATE clarify.task SET title = 'mine' WHERE id = $1`, [id]);
  const outcome = await sync();
  expect(outcome.left).toMatchObject({ pending: 0 });
  expect(store().get('task', id)?.attributes).toMatchObject({ title: 'MINE' });
  expect(await leftWhenFree()).toEqual([]);
});
