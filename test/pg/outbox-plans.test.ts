import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sql } from '../../src/db/connection/database.ts';
import { claimDue, settleEntries } from '../../src/db/outbox/outbox.ts';
import {
  readHeldFields,
  readUnsettled,
  rebaseUnsettled,
  rewriteClaimed,
  rewriteEntries,
} from '../../src/db/outbox/unsettled.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// Right after a bulk change nobody has counted yet what is in the outbox: what is done about a few of
// its entries must not read the others for it, or a push of n rows takes n² comparisons.

const WAITING = 4_000;
const FLYING = 2_000;
const ENDED = 20_000;
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.db.query('ALTER TABLE clarify_sync.outbox SET (autovacuum_enabled = off)');
});
afterAll(() => database.drop());

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Plan[];
}

/** Rows that a plan has looked at, those that it passed over as well. */
function looked(plan: Plan): number {
  const perLoop =
    (plan['Relation Name'] === undefined ? 0 : plan['Actual Rows']) +
    (plan['Rows Removed by Filter'] ?? 0) +
    (plan['Rows Removed by Join Filter'] ?? 0) +
    (plan['Rows Removed by Index Recheck'] ?? 0);
  const below = (plan.Plans ?? []).reduce((sum, one) => sum + looked(one), 0);
  return perLoop * plan['Actual Loops'] + below;
}

/** How many rows the statements of `work` look at; nothing of it stays. */
async function rowsLooked(work: (sql: Sql) => Promise<unknown>): Promise<number> {
  let sum = 0;
  const undo = new Error('undo');
  await database.db
    .transaction(async (tx) => {
      await work({
        schemas: tx.schemas,
        async query(text, values) {
          const [row] = await tx.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
            `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
            values,
          );
          for (const { Plan: plan } of row?.['QUERY PLAN'] ?? []) sum += looked(plan);
          return [];
        },
      });
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return sum;
}

async function some(state: string, count: number) {
  return await database.db.query<{ id: bigint; recordId: string }>(
    `SELECT id, record_id AS "recordId" FROM clarify_sync.outbox WHERE state = $1 ORDER BY id DESC LIMIT $2`,
    [state, count],
  );
}

async function add(entries: number, columns: string, values: string) {
  await database.db.query(
    `INSERT INTO clarify_sync.outbox (object, record_id, op, changes, ${columns})
     SELECT 'person', gen_random_uuid(), 'update', '{"job_title": {"base": null, "value": "x"}}', ${values}
       FROM generate_series(1, $1)`,
    [entries],
  );
}

async function analyze() {
  await database.db.query('ANALYZE clarify_sync.outbox');
}

/** A bulk change, of which a part has been claimed. */
async function change() {
  await add(FLYING, 'state, epoch', `'sending', 1`);
  await add(WAITING, 'state', `'pending'`);
}

/**
 * Statistics that call the table small, such as tell how large it is, and such as a service at rest has:
 * of many entries none waits, and none is in flight.
 */
describe.each([
  ['not counted', change],
  [
    'counted',
    async () => {
      await change();
      await analyze();
    },
  ],
  [
    'counted at rest',
    async () => {
      await add(ENDED, 'state, done_at', `'done', now()`);
      await analyze();
      await change();
    },
  ],
])('where entries are %s', (_how, prepare) => {
  beforeAll(async () => {
    await database.db.query('TRUNCATE clarify_sync.outbox');
    await prepare();
  });

  const FEW = 400;
  const changes = { job_title: { base: null, value: 'y' } };
  const statements: readonly (readonly [
    string,
    string,
    (sql: Sql, ids: readonly bigint[], records: readonly string[]) => Promise<unknown>,
  ])[] = [
    [
      'entries are settled',
      'sending',
      (sql, ids) => settleEntries(sql, 1n, [{ ids, outcome: { state: 'done' } }]),
    ],
    [
      'what is due is claimed',
      'pending',
      (sql) => claimDue(sql, { object: 'person', epoch: 1n, records: FEW }),
    ],
    [
      'claimed ones are rewritten',
      'sending',
      (sql, ids) =>
        rewriteClaimed(
          sql,
          1n,
          ids.map((id) => ({ id, changes })),
        ),
    ],
    [
      'what waits for records is read',
      'pending',
      (sql, _ids, records) => readUnsettled(sql, 'person', records),
    ],
    [
      'what waits for a person is read',
      'pending',
      (sql, _ids, records) => readHeldFields(sql, 'person', records),
    ],
    [
      'the outcome of merges is written',
      'pending',
      (sql, ids) =>
        rewriteEntries(
          sql,
          'person',
          ids.map((id) => ({ id, changes, state: 'pending', parked: {} })),
        ),
    ],
    [
      'bases are moved',
      'pending',
      (sql, ids) =>
        rebaseUnsettled(
          sql,
          ids.map((id) => ({ id, changes })),
        ),
    ],
  ];

  test.each(statements)('%s without a look at the others', async (_name, state, work) => {
    const entries = await some(state, FEW);
    const ids = entries.map(({ id }) => id);
    const records = entries.map(({ recordId }) => recordId);
    const all = ENDED + WAITING + FLYING;
    // A scan of a table this small is fine; comparing all of it with each is not.
    expect(await rowsLooked((sql) => work(sql, ids, records))).toBeLessThan(all + 20 * FEW);
  });
});
