import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import type { Session } from '../../src/app/session.ts';
import type { Remote } from '../../src/domain/remote.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Between the claims of a long push is looked at what others have written meanwhile (invariant 5).

const PEOPLE = 3_000;
let workspace: TestWorkspace;

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes: { ...none, person: PEOPLE } } });
  await pull();
});
afterAll(() => workspace.stop());

const objects = ['person'];
const pull = () =>
  pullAll(workspace.session, { objects, signal: workspace.signal, priority: 'pull' });

/** Pushes an edit of everybody. `onWrite`: before each bulk write, with the number of the write. */
async function pushAll(title: string, onWrite: (write: number) => void = () => undefined) {
  const { sql, session, signal } = workspace;
  await sql('UPDATE clarify.person SET job_title = $1', [title]);
  const { remote } = session;
  let writes = 0;
  const watched: Session = {
    ...session,
    remote: {
      ...remote,
      limits: remote.limits,
      clock: remote.clock,
      update: async (request: Parameters<Remote['update']>[0], options) => {
        writes += 1;
        onWrite(writes);
        return await remote.update(request, options);
      },
    },
  };
  return await pushOnce(watched, { objects, signal });
}

/** @returns how many records were written before each look at the newest page, since the look before. */
async function writtenBeforeNewest(): Promise<readonly number[]> {
  const { session, signal } = workspace;
  const { remote } = session;
  let written = 0;
  const before: number[] = [];
  const watched: Session = {
    ...session,
    remote: {
      ...remote,
      limits: remote.limits,
      clock: remote.clock,
      update: async (request: Parameters<Remote['update']>[0], options) => {
        written += request.records.length;
        return await remote.update(request, options);
      },
      readPage: async (request: Parameters<Remote['readPage']>[0], options) => {
        if (request.direction === 'desc') before.push(written);
        written = 0;
        return await remote.readPage(request, options);
      },
    },
  };
  await pushOnce(watched, { objects, signal });
  return before;
}

/** Those whose changes are sent last. */
async function lastIds(count: number): Promise<readonly string[]> {
  const rows = await workspace.sql(
    `SELECT o.record_id AS id FROM clarify_sync.outbox AS o WHERE o.state = 'pending' ORDER BY o.id DESC LIMIT $1`,
    [count],
  );
  return rows.map(({ id }) => String(id));
}

const conflicted = async (title: string) =>
  (
    await workspace.sql(
      'SELECT record_id AS id, remote FROM clarify_sync.conflict WHERE local = to_jsonb($1::text) ORDER BY id',
      [title],
    )
  ).map(({ id }) => String(id));

test('an edit by others between two claims is met, however much was written from here since', async () => {
  const { emulator, sql } = workspace;
  await pull();
  await sql(`UPDATE clarify.person SET job_title = 'Second'`);
  const [id = ''] = await lastIds(1);
  await pushAll('Second', (write) => {
    if (write === 1) emulator.store.update('person', id, { job_title: 'Theirs' });
  });
  expect(await conflicted('Second')).toEqual([id]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('also where the list compares whole days', async () => {
  const { emulator, sql } = workspace;
  await pull();
  emulator.switches.dateFilters = 'days';
  try {
    await sql(`UPDATE clarify.person SET job_title = 'Third'`);
    const ids = await lastIds(5);
    await pushAll('Third', (write) => {
      if (write !== 1) return;
      for (const id of ids) emulator.store.update('person', id, { job_title: 'Their third' });
    });
    expect((await conflicted('Third')).toSorted()).toEqual(ids.toSorted());
  } finally {
    emulator.switches.dateFilters = 'instants';
  }
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('where a write shows late in lists both sides come to agree all the same', async () => {
  const { emulator } = workspace;
  Object.assign(emulator.switches, { visibilityDelayMs: 300, lateShare: 0.3 });
  try {
    expect(await pushAll('Late')).toMatchObject({ delivered: PEOPLE });
  } finally {
    Object.assign(emulator.switches, { visibilityDelayMs: 0, lateShare: 1 });
  }
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('a record edited there and here while it is written is met when it is written again', async () => {
  const { emulator, sql } = workspace;
  await pull();
  await sql(`UPDATE clarify.person SET job_title = 'Fourth'`);
  const [first] = await sql(
    `SELECT o.record_id AS id FROM clarify_sync.outbox AS o WHERE o.state = 'pending' ORDER BY o.id LIMIT 1`,
  );
  const id = String(first?.id);
  const again: Promise<unknown>[] = [];
  await pushAll('Fourth', (write) => {
    // By then the first claim holds it, or has sent it.
    if (write !== 5) return;
    again.push(sql(`UPDATE clarify.person SET job_title = 'Fourth again' WHERE id = $1`, [id]));
  });
  await Promise.all(again);
  await pushOnce(workspace.session, { objects, signal: workspace.signal });
  expect(emulator.store.get('person', id)?.attributes.job_title).toBe('Fourth again');
  await pull();
  expect(await differences(workspace)).toEqual([]);
});

test('the newest page is not read where more than it holds was written from here since', async () => {
  const { session, sql } = workspace;
  await pull();
  await sql(`UPDATE clarify.person SET job_title = 'Fifth'`);
  const written = await writtenBeforeNewest();
  const { pageSize } = session.remote.limits;
  expect(written.filter((records) => records >= pageSize)).toEqual([]);
  await pull();
  expect(await differences(workspace)).toEqual([]);
});
