import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import { readLook } from '../../src/db/look.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: 30, company: 5, deal: 4, task: 3, meeting: 2, message: 2, c_project: 2 };
  workspace = await openWorkspace({ emulator: { sizes } });
});
afterAll(() => workspace.stop());

/** The session with what it asks of the database counted. */
function counted(session: Session) {
  const asked: string[] = [];
  const note = (text: string) => asked.push(text.trim().split(/\s+/).slice(0, 3).join(' '));
  const { db } = session;
  const counting: Database = {
    ...db,
    clock: db.clock,
    query(text, values) {
      note(text);
      return db.query(text, values);
    },
    repeated(text, values) {
      note(text);
      return db.repeated(text, values);
    },
    transaction(work, options) {
      note('BEGIN');
      return db.transaction(work, options);
    },
  };
  const own: Session = Object.create(session, { db: { value: counting } });
  return { session: own, asked };
}

const pull = async (session: Session) => {
  const { signal } = workspace;
  const runs = await pullAll(session, { signal, priority: 'pull', objects: ['person'] });
  expect(runs.map(({ state }) => state)).toEqual(['ok']);
  return runs[0]?.counts ?? {};
};

test('a look at what is due is planned once', async () => {
  const { url } = workspace.database;
  const db = openDatabase({ url, applicationName: 'look', max: 1 });
  try {
    for (let looks = 0; looks < 3; looks += 1) {
      expect(await readLook(db, ['person', 'company'])).toMatchObject({ due: [], comments: false });
    }
    const [kept] = await db.query(
      'SELECT generic_plans::int4 AS kept, custom_plans::int4 AS made FROM pg_prepared_statements',
    );
    expect(kept).toEqual({ kept: 3, made: 0 });
  } finally {
    await db.close();
  }
});

test('a pull that finds nothing reads how the object stands, and notes that it looked', async () => {
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  // Nothing has come in behind the watermark for a while.
  await workspace.database.db.query(
    `UPDATE clarify_sync.cursor SET updated_moved_at = updated_moved_at - interval '1 hour',
            created_moved_at = created_moved_at - interval '1 hour'`,
  );
  await pull(workspace.session);
  const { session, asked } = counted(workspace.session);
  expect(await pull(session)).toMatchObject({ read: 0 });
  expect(asked).toEqual([
    'SELECT object, phase,',
    'INSERT INTO {sync}.run',
    'UPDATE {sync}.run SET',
  ]);
});
