import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { differences } from '../support/agreement.ts';
import type { TestWorkspace } from '../support/workspace.ts';
import { backfill, open } from './backfill-people.ts';

/** Large enough for a chunk to be written while another reader reads the next one. */
const openLarge = (switches: object = {}) => open({ pageMax: 250, ...switches }, 16_000);
/** Likewise while the same reader does, where it is the only one. */
const openLarger = () => open({ pageMax: 250 }, 24_000);

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
  const workspace = await openLarger();
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
    // What fails is looked into at once, and such a column is put aside.
    expect(error).toMatchObject({ code: 'schema-moved' });
    const odd = 'SELECT FROM clarify.person WHERE last_contacted_at__was_1 > 9999999999999';
    expect(await workspace.sql(odd)).toEqual([]);
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
  const workspace = await openLarger();
  try {
    await backfill(workspace);
    const listed = await workspace.sql('SELECT id FROM clarify.person ORDER BY _created_at, id');
    // 1,550 records are merged at once here, so these are of the second chunk.
    const ids = listed.slice(1_700, 2_500).map(({ id }) => id);
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
}, 60_000);
