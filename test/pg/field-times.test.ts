import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { FieldTimes } from '../../src/domain/capabilities.ts';
import type { RemoteRecord, WrittenBy } from '../../src/domain/record.ts';
import type { Remote } from '../../src/domain/remote.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Invariant 5 where values tell their own times, and where nothing does.

let workspace: TestWorkspace;
/** What the values of a record tell, by its id. */
const told = new Map<string, Readonly<Record<string, WrittenBy>>>();

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
beforeEach(() => told.clear());
afterAll(() => workspace.stop());

/** The session, as if field times came from there. */
function telling(fieldTimes: FieldTimes): Session {
  const { remote } = workspace.session;
  const withWrites = (record: RemoteRecord): RemoteRecord => {
    const writes = told.get(record.id);
    return fieldTimes === 'values' && writes ? { ...record, writes } : record;
  };
  const other = Object.defineProperties(Object.create(remote) as Session['remote'], {
    capabilitiesOf: {
      value: (object: string) => ({ ...remote.capabilitiesOf(object), fieldTimes }),
    },
    readPage: {
      value: async (...args: Parameters<Remote['readPage']>) => {
        const page = await remote.readPage(...args);
        return { ...page, records: page.records.map(withWrites) };
      },
    },
    readHistory: { value: () => Promise.reject(new Error('nobody is to ask')) },
  });
  return { ...workspace.session, remote: other };
}

const pull = (session: Session) => pullAll(session, { signal: workspace.signal, priority: 'pull' });
const sync = (session: Session) => syncOnce(session, { signal: workspace.signal });
const title = (id: string) => workspace.emulator.store.get('person', id)?.attributes.job_title;

/** Both sides change the title, there so much after here; then something else changes there. */
async function meet(laterThereMs: number): Promise<string> {
  const { emulator, session, sql } = workspace;
  const id = emulator.store.create('person', { job_title: 'Base' });
  await pull(session);
  await sql(`UPDATE clarify.person SET job_title = 'Local' WHERE id = $1`, [id]);
  const atMs = Date.now() + laterThereMs;
  emulator.store.update('person', id, { job_title: 'Remote' }, { at: atMs, by: 'user_title' });
  told.set(id, { job_title: { atMs, by: 'user_title' } });
  const late = Date.now() + 60_000;
  emulator.store.update('person', id, { lead_score: 7 }, { at: late, by: 'user_score' });
  return id;
}

const conflictsOf = (id: string) =>
  workspace.sql(
    `SELECT field, resolution, certain, remote_by FROM clarify_sync.conflict WHERE record_id = $1`,
    [id],
  );

describe('values that tell', () => {
  test.each([
    [-30_000, 'local', 'Local'],
    [30_000, 'remote', 'Remote'],
  ] as const)('decide by their own time, for certain: %i ms', async (laterMs, resolution, kept) => {
    const id = await meet(laterMs);
    await sync(telling('values'));
    expect(await conflictsOf(id)).toEqual([
      { field: 'job_title', resolution, certain: true, remote_by: 'user_title' },
    ]);
    expect(title(id)).toBe(kept);
  });

  test('of one that does not, the record has to do', async () => {
    const id = await meet(-30_000);
    told.set(id, { lead_score: { atMs: Date.now(), by: 'user_score' } });
    await sync(telling('values'));
    expect(await conflictsOf(id)).toEqual([
      { field: 'job_title', resolution: 'remote', certain: false, remote_by: 'user_score' },
    ]);
  });

  test('are remembered of a record whose row somebody holds', async () => {
    const id = await meet(-30_000);
    const holder = new pg.Client({ connectionString: workspace.database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM clarify.person WHERE id = $1 FOR UPDATE', [id]);
    const session = telling('values');
    await pull(session);
    expect(await conflictsOf(id)).toEqual([]);
    await holder.query('ROLLBACK');
    await holder.end();
    told.clear();
    await pull(session);
    expect(await conflictsOf(id)).toMatchObject([{ resolution: 'local', certain: true }]);
  });
});

test('where nothing tells, newest goes by the record, and is never certain', async () => {
  const id = await meet(-30_000);
  await sync(telling('none'));
  expect(await conflictsOf(id)).toEqual([
    { field: 'job_title', resolution: 'remote', certain: false, remote_by: 'user_score' },
  ]);
  expect(title(id)).toBe('Remote');
});
