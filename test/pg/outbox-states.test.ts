import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { outboxStates } from '../../src/domain/outbox-states.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** `from to`, as the documentation has them. */
async function documented(): Promise<Set<string>> {
  const page = await readFile(new URL('../../docs/control-tables.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| `(\w+)` \| `(\w+)` \| .+ \|$/gm);
  return new Set([...rows].map(([, from, to]) => `${from} ${to}`));
}

/** What else a row in that state has to have. */
function shape(state: string): string {
  const epoch = state === 'sending' ? '1' : 'NULL';
  const reason = state === 'parked' ? `'a reason'` : 'NULL';
  const ended = ['done', 'superseded', 'cancelled'].includes(state) ? 'now()' : 'NULL';
  return `state = '${state}', epoch = ${epoch}, last_error = ${reason}, done_at = ${ended}`;
}

async function allows(from: string, to: string): Promise<boolean> {
  const { db } = database;
  const [row] = await db.query<{ id: bigint }>(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes) VALUES ('person', 'x', 'update', '{}')
     RETURNING id`,
  );
  await db.query(`UPDATE clarify_sync.outbox SET ${shape(from)} WHERE id = $1`, [row?.id]);
  try {
    await db.query(`UPDATE clarify_sync.outbox SET ${shape(to)} WHERE id = $1`, [row?.id]);
    return true;
  } catch {
    return false;
  }
}

test('the outbox takes the transitions that are documented, and no other', async () => {
  const told = await documented();
  const found = new Set<string>();
  for (const from of outboxStates) {
    for (const to of outboxStates) {
      if (from !== to && (await allows(from, to))) found.add(`${from} ${to}`);
    }
  }
  expect([...found].toSorted()).toEqual([...told].toSorted());
  expect(found.size).toBe(15);
});

test.each([
  ['sending belongs to a leader', `state = 'sending'`],
  ['nothing else does', 'epoch = 1'],
  ['parked has a reason', `state = 'parked'`],
  ['an end has a time', `state = 'done'`],
  ['nothing else has', 'done_at = now()'],
])('%s', async (_name, change) => {
  const { db } = database;
  await db.query(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes) VALUES ('person', 'y', 'update', '{}')`,
  );
  await expect(
    db.query(`UPDATE clarify_sync.outbox SET ${change} WHERE record_id = 'y'`),
  ).rejects.toMatchObject({ code: 'database-constraint' });
});

test('a transition that may not be is a bug of ours, and no row is blamed for it', async () => {
  const { db } = database;
  const [row] = await db.query<{ id: bigint }>(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes, state, done_at)
     VALUES ('person', 'y', 'update', '{}', 'done', now()) RETURNING id`,
  );
  let attempts = 0;
  const revive = db.transaction(
    async (tx) => {
      attempts += 1;
      await tx.query(`UPDATE clarify_sync.outbox SET ${shape('pending')} WHERE id = $1`, [row?.id]);
    },
    { asWriter: true },
  );
  await expect(revive).rejects.toMatchObject({ code: 'database-constraint', disposition: 'park' });
  expect(attempts).toBe(1);
});
