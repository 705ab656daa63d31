import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../support/agreement.ts';
import type { TestWorkspace } from '../support/workspace.ts';
import { backfill, open, pull } from './backfill-people.ts';

describe.each([
  ['compares instants', {}],
  ['compares days', { dateFilters: 'days' }],
  ['stamps with the first edit', { updatedAtUntilEdit: 'null', tieOrder: 'shuffled' }],
  ['leaves out what is empty', { omitNulls: true, dateFilters: 'days', tieOrder: 'reversed' }],
])('where the server %s', (_, switches) => {
  let workspace: TestWorkspace;
  beforeAll(async () => {
    workspace = await open(switches);
  });
  afterAll(() => workspace.stop());

  test('every record arrives while others are edited, created and deleted (invariant 1)', async () => {
    const { store } = workspace.emulator;
    const ids = store.ids('person');
    const told: number[] = [];
    const result = await backfill(workspace, {
      onPage: ({ read }: { read: number }) => {
        told.push(read);
        const at = (told.length * 37) % 1_000;
        store.update('person', ids[at] ?? '', { job_title: `edited ${told.length}` });
        store.delete('person', [ids[1_499 - told.length] ?? '']);
        store.create('person', { job_title: `new ${told.length}` });
      },
    });
    expect(result).toMatchObject({ state: 'ok', counts: { updated: 0, deferred: 0 } });
    expect(told.length).toBeGreaterThan(5);
    expect(told.reduce((sum, read) => sum + read, 0)).toBe(result.counts.read);
    expect(await pull(workspace)).toMatchObject({ state: 'ok' });
    expect(await differences(workspace)).toEqual([]);
    expect(await workspace.sql('SELECT FROM clarify_sync.backfill_range')).toEqual([]);
  });

  test('a second one changes nothing but what differs, and leaves the first one’s rows', async () => {
    await workspace.session.db.transaction(
      async (tx) => {
        await tx.query(`UPDATE clarify.person SET job_title = 'wrong'
                         WHERE id IN (SELECT id FROM clarify.person WHERE job_title IS NOT NULL
                                      ORDER BY id LIMIT 40)`);
        await tx.query(`DELETE FROM clarify.person
                         WHERE id IN (SELECT id FROM clarify.person ORDER BY id DESC LIMIT 30)`);
      },
      { asWriter: true },
    );
    const { state, counts } = await backfill(workspace);
    expect({ state, ...counts }).toMatchObject({ state: 'ok', inserted: 30, updated: 40 });
    expect(await differences(workspace)).toEqual([]);
  });
});

test('one broken off goes on where it stopped, and hands over to pull without a gap', async () => {
  const workspace = await open({});
  try {
    const { emulator } = workspace;
    const broken = new AbortController();
    let read = 0;
    const first = backfill(workspace, {
      signal: broken.signal,
      onPage: (page: { read: number }) => {
        read += page.read;
        if (read >= 500) broken.abort(new Error('enough'));
      },
    });
    await expect(first).rejects.toThrow('enough');
    const edited = emulator.store.ids('person')[3] ?? '';
    emulator.store.update('person', edited, { job_title: 'edited between' });
    const session = await workspace.reopen();
    const resumed = await backfill({ ...workspace, session });
    expect(resumed.state).toBe('ok');
    expect(resumed.counts.read).toBeLessThanOrEqual(1_500 - read + 200);
    expect(emulator.stats().recordsRead).toBeLessThan(1_500 * 1.2);
    await pull(workspace);
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('what is read again after a chunk had to be merged is judged by the second reading', async () => {
  const workspace = await open({}, 190);
  try {
    const { session } = workspace;
    let pages = 0;
    const remote: typeof session.remote = {
      ...session.remote,
      async readPage(request, call) {
        const page = await session.remote.readPage(request, call);
        if (request.orderBy === 'updated' || request.limit === 1 || ++pages !== 5) return page;
        // Out of order once, and one of them is known: COPY gives way.
        await session.db.query(
          `INSERT INTO clarify_sync.tombstone (object, id, reason, noticed_at)
           VALUES ('person', $1, 'deleted', now() - interval '1 hour')`,
          [page.records[3]?.id],
        );
        return { ...page, records: page.records.toReversed() };
      },
    };
    const shuffling = { ...workspace, session: { ...session, remote } };
    const result = await backfill(shuffling, { concurrency: 1 });
    expect(pages).toBeGreaterThan(5);
    expect(result).toMatchObject({ state: 'ok', reason: null, counts: { inserted: 190 } });
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('`since` leaves out older records, and `restart` begins anew', async () => {
  const workspace = await open({}, 400);
  try {
    const created = workspace.emulator.store
      .all('person')
      .flatMap(({ attributes: { _created_at: at } }) => (typeof at === 'string' ? [at] : []))
      .toSorted();
    const [middle = ''] = created.slice(300);
    const some = await backfill(workspace, { since: middle });
    expect(some).toMatchObject({ state: 'ok', counts: { read: 100, inserted: 100 } });
    const whole = await backfill(workspace, { restart: true });
    expect(whole).toMatchObject({ state: 'ok', counts: { inserted: 300, updated: 0 } });
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('an incremental pull goes on beside it', async () => {
  const workspace = await open({}, 600);
  try {
    await backfill(workspace);
    let pulls = 0;
    const beside: Promise<unknown>[] = [];
    const again = await backfill(workspace, {
      restart: true,
      onPage: () => {
        pulls += 1;
        const [id = ''] = workspace.emulator.store.ids('person').slice(pulls);
        workspace.emulator.store.update('person', id, { job_title: `beside ${pulls}` });
        if (beside.length === 0) beside.push(pull(workspace));
      },
    });
    expect(again.state).toBe('ok');
    await Promise.all(beside);
    await pull(workspace);
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('of two that read one object, the second gives way and harms nothing', async () => {
  const workspace = await open({}, 600);
  try {
    const other = { ...workspace, session: await workspace.reopen() };
    const outcomes = await Promise.allSettled([backfill(workspace), backfill(other)]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ disposition: 'retry' });
      }
    }
    expect((await backfill(workspace)).state).toBe('ok');
    await pull(workspace);
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

describe('what users do meanwhile', () => {
  let workspace: TestWorkspace;
  beforeAll(async () => {
    workspace = await open({}, 300);
  });
  afterAll(() => workspace.stop());

  test('rows born here stay while the mirror is filled by COPY', async () => {
    await workspace.sql(`INSERT INTO clarify.person (job_title) VALUES ('born here')`);
    const result = await backfill(workspace);
    expect(result).toMatchObject({ state: 'ok', counts: { inserted: 300 } });
    const rows = await workspace.sql(`SELECT id FROM clarify.person WHERE job_title = 'born here'`);
    expect(rows).toMatchObject([{ id: expect.stringMatching(/^local:/) }]);
    await workspace.sql(`DELETE FROM clarify.person WHERE job_title = 'born here'`);
  });

  test('their edits, deletes and locks are respected (invariants 2 and 3)', async () => {
    const { store } = workspace.emulator;
    const [edited = '', deleted = '', held = '', gone = ''] = store.ids('person');
    await workspace.sql(`UPDATE clarify.person SET job_title = 'mine' WHERE id = $1`, [edited]);
    await workspace.sql('DELETE FROM clarify.person WHERE id = $1', [deleted]);
    for (const id of [edited, deleted, held]) store.update('person', id, { lead_score: 77 });
    await workspace.session.db.transaction(
      async (tx) => {
        await tx.query('DELETE FROM clarify.person WHERE id = $1', [gone]);
        await tx.query(
          `INSERT INTO clarify_sync.tombstone (object, id, reason, noticed_at)
           VALUES ('person', $1, 'deleted', now() + interval '1 hour')`,
          [gone],
        );
      },
      { asWriter: true },
    );
    const user = new pg.Client({ connectionString: workspace.database.url });
    await user.connect();
    try {
      await user.query('BEGIN');
      await user.query('SELECT FROM clarify.person WHERE id = $1 FOR UPDATE', [held]);
      const result = await backfill(workspace, { restart: true });
      expect(result).toMatchObject({ state: 'ok', counts: { deferred: 1, inserted: 0 } });
    } finally {
      await user.end();
    }
    const rows = await workspace.sql(
      'SELECT id, job_title, lead_score::int FROM clarify.person WHERE id = ANY($1)',
      [[edited, deleted, held, gone]],
    );
    expect(rows.find(({ id }) => id === edited)).toMatchObject({
      job_title: 'mine',
      lead_score: 77,
    });
    expect(rows.find(({ id }) => id === held)?.['lead_score']).not.toBe(77);
    expect(rows).toHaveLength(2);
    await pull(workspace);
    const [row] = await workspace.sql('SELECT lead_score::int FROM clarify.person WHERE id = $1', [
      held,
    ]);
    expect(row).toEqual({ lead_score: 77 });
  });
});
