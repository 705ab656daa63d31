import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfillObject } from '../../src/backfill/backfill-object.ts';
import { pullObject } from '../../src/pull/pull-object.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };

async function open(switches: object, people = 1_500): Promise<TestWorkspace> {
  return await openWorkspace({
    emulator: {
      sizes: { ...none, person: people },
      switches: { pageMax: 25, ratePerMinute: 1_000_000, ...switches },
    },
  });
}

function person({ session }: TestWorkspace) {
  const table = session.tables.find(({ object }) => object === 'person');
  if (table === undefined) throw new Error('no people');
  return table;
}

async function backfill(workspace: TestWorkspace, options: object = {}) {
  const { session, signal } = workspace;
  const all = { signal, priority: 'backfill', ...options } as const;
  return await backfillObject(session, person(workspace), all);
}

async function pull(workspace: TestWorkspace) {
  const { session, signal } = workspace;
  return await pullObject(session, person(workspace), { signal, priority: 'pull' });
}

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

/** Large enough for a chunk to be written while the next one is read. */
const openLarge = (switches: object = {}) => open({ pageMax: 250, ...switches }, 16_000);

/** The workspace, where `meddle` comes before every write of a chunk; and what goes on then. */
function meddled(workspace: TestWorkspace, meddle: (write: number) => Promise<void>) {
  const { session } = workspace;
  const seen = { begun: 0, running: 0, besides: 0 };
  const db: typeof session.db = {
    ...session.db,
    async query(text, values) {
      seen.besides = Math.max(seen.besides, seen.running);
      return await session.db.query(text, values);
    },
    async transaction(work, options) {
      if (!options?.asWriter) return await session.db.transaction(work, options);
      seen.begun += 1;
      seen.running += 1;
      try {
        await meddle(seen.begun);
        return await session.db.transaction(work, options);
      } finally {
        seen.running -= 1;
      }
    },
  };
  return { workspace: { ...workspace, session: { ...session, db } }, seen };
}

test('a chunk that cannot be written ends it at once while the next is read, and costs nothing', async () => {
  const workspace = await openLarge({ latencyMs: 20 });
  try {
    let requestsThen = 0;
    const requests = () => workspace.emulator.stats().requests;
    const ailing = meddled(workspace, async (write) => {
      if (write < 5) return;
      // The next page is on its way by then, and for longer than this.
      await sleep(5);
      requestsThen = requests();
      throw new Error('no space left');
    });
    await expect(backfill(ailing.workspace)).rejects.toThrow('no space left');
    expect(requests()).toBe(requestsThen);
    const [row] = await workspace.sql(
      `SELECT (SELECT count(*)::integer FROM clarify.person) AS rows,
              (SELECT sum(records_read)::integer FROM clarify_sync.backfill_range) AS read`,
    );
    expect(row?.['rows']).toBeGreaterThan(0);
    expect(row?.['rows']).toBe(row?.['read']);
    expect(await backfill(workspace)).toMatchObject({ state: 'ok' });
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('where reading ends early, nothing is left running', async () => {
  const workspace = await openLarge();
  try {
    const broken = new AbortController();
    const slow = meddled(workspace, async (write) => {
      if (write < 5) return;
      broken.abort(new Error('enough'));
      await sleep(50);
    });
    const run = backfill(slow.workspace, { signal: broken.signal });
    await expect(run).rejects.toThrow('enough');
    expect(slow.seen.begun).toBeGreaterThanOrEqual(5);
    expect(slow.seen.running).toBe(0);
  } finally {
    await workspace.stop();
  }
});

test('a reader holds one connection at a time, however slow Postgres is', async () => {
  const workspace = await openLarge();
  try {
    const slow = meddled(workspace, () => sleep(20));
    expect(await backfill(slow.workspace, { concurrency: 1 })).toMatchObject({ state: 'ok' });
    expect(slow.seen.begun).toBeGreaterThan(5);
    expect(slow.seen.besides).toBe(0);
  } finally {
    await workspace.stop();
  }
});

test('a chunk that meets what is known is merged, and so is the rest of its range', async () => {
  const workspace = await openLarge();
  try {
    const ids = workspace.emulator.store.ids('person');
    await workspace.session.db.query(
      `INSERT INTO clarify_sync.tombstone (object, id, reason, noticed_at)
       SELECT 'person', id, 'deleted', now() - interval '1 hour' FROM unnest($1::text[]) AS known(id)`,
      [[700, 5_000, 15_900].map((at) => ids[at])],
    );
    const result = await backfill(workspace);
    expect(result).toMatchObject({ state: 'ok', counts: { inserted: 16_000, updated: 0 } });
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

/** A backfill during which a user gives a column another type; what it threw, or null. */
async function backfillAltered(workspace: TestWorkspace, change: string): Promise<unknown> {
  const altering = meddled(workspace, async (write) => {
    if (write === 5) await workspace.sql(`ALTER TABLE clarify.person ALTER ${change}`);
  });
  return await backfill(altering.workspace).then(
    () => null,
    (error: unknown) => error,
  );
}

test('bytes that mean something else in a column as it is now are not written', async () => {
  const workspace = await openLarge();
  try {
    const error = await backfillAltered(
      workspace,
      `last_contacted_at TYPE bigint USING (extract(epoch FROM last_contacted_at) * 1000)::bigint`,
    );
    // The next run begins with a look at the schema, and puts such a column aside.
    expect(error).toMatchObject({ code: 'database-statement' });
    const odd = 'SELECT FROM clarify.person WHERE last_contacted_at > 9999999999999';
    expect(await workspace.sql(odd)).toEqual([]);
    await workspace.sql(
      `ALTER TABLE clarify.person ALTER last_contacted_at TYPE timestamptz
         USING to_timestamp(last_contacted_at / 1000.0)`,
    );
    expect(await backfill(workspace)).toMatchObject({ state: 'ok' });
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('what a column can hold after all is merged', async () => {
  const workspace = await openLarge();
  try {
    expect(await backfillAltered(workspace, 'lead_score TYPE double precision')).toBe(null);
    await workspace.sql('ALTER TABLE clarify.person ALTER lead_score TYPE numeric');
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
});

test('a record that comes into sight again between two chunks is merged with the later one', async () => {
  const workspace = await openLarge();
  try {
    await backfill(workspace);
    const listed = await workspace.sql('SELECT id FROM clarify.person ORDER BY _created_at, id');
    // A thousand records are merged at once here, so these are of the second chunk.
    const ids = listed.slice(1_100, 1_900).map(({ id }) => id);
    const meanwhile = meddled(workspace, async (write) => {
      if (write !== 1) return;
      await workspace.session.db.transaction(
        async (tx) => {
          await tx.query('DELETE FROM clarify.person WHERE id = ANY($1::text[])', [ids]);
          await tx.query(
            `INSERT INTO clarify_sync.tombstone (object, id, reason, noticed_at)
             SELECT 'person', id, 'not_visible', clock_timestamp() FROM unnest($1::text[]) AS gone(id)`,
            [ids],
          );
        },
        { asWriter: true },
      );
    });
    const again = await backfill(meanwhile.workspace, { restart: true, concurrency: 1 });
    expect(again.counts.inserted).toBe(ids.length);
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
