import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// What a server refuses of many rows, it tells of many at once (invariant 10).

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: 2_000, deal: 310 } } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
});
afterAll(() => workspace.stop());

/** Sends what is due. @returns writes that it took, and what came of it. */
async function push() {
  workspace.emulator.resetStats();
  const counts = await pushOnce(workspace.session, { signal: workspace.signal });
  const writes = Object.entries(workspace.emulator.stats().endpoints)
    .filter(([endpoint]) => !endpoint.startsWith('GET '))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
  return { counts, writes };
}

const parked = () =>
  workspace.sql(
    `SELECT last_error AS reason, count(*)::int AS rows FROM clarify_sync.outbox
      WHERE state = 'parked' GROUP BY 1 ORDER BY 1`,
  );

const WRONG = 'id IN (SELECT id FROM clarify.person ORDER BY id LIMIT 1500)';
const REASON =
  'remote-invalid: /data/0/attributes/lifecycle: must be equal to one of the allowed values';

test('1,500 rows refused for one reason, 500 good ones beside them: at most 60 writes', async () => {
  const { emulator, sql } = workspace;
  await sql(
    `UPDATE clarify.person SET job_title = 'Edited',
            lifecycle = CASE WHEN ${WRONG} THEN 'Nowhere' ELSE 'Customer' END`,
  );
  const { counts, writes } = await push();
  expect(counts).toMatchObject({ delivered: 500, refused: 1_500 });
  expect(writes).toBeLessThanOrEqual(60);
  expect(await parked()).toEqual([{ reason: REASON, rows: 1_500 }]);
  const arrived = emulator.store.all('person').filter(({ attributes }) => {
    return attributes.job_title === 'Edited' && attributes.lifecycle === 'Customer';
  });
  expect(arrived).toHaveLength(500);
});

test('1,500 rows refused for 1,500 values, among two fields: as few, each with its own reason', async () => {
  const { sql } = workspace;
  await sql(
    `UPDATE clarify.person SET lifecycle = CASE WHEN ${WRONG} AND hashtext(id) % 2 = 0 THEN 'No ' || id ELSE 'Lead' END,
            interests = CASE WHEN ${WRONG} AND hashtext(id) % 2 <> 0 THEN ARRAY['No ' || id] ELSE '{Analytics}' END`,
  );
  const { counts, writes } = await push();
  expect(counts).toMatchObject({ delivered: 500, refused: 1_500 });
  expect(writes).toBeLessThanOrEqual(60);
  const wrong = await sql(
    `SELECT DISTINCT split_part(last_error, '/', 5) AS field, hashtext(record_id) % 2 = 0 AS even
       FROM clarify_sync.outbox WHERE state = 'parked' ORDER BY even`,
  );
  expect(wrong).toEqual([
    { field: 'interests: has an invalid item', even: false },
    { field: 'lifecycle: must be equal to one of the allowed values', even: true },
  ]);
});

test('refusals that name nobody: a call each and a few more, and the good one arrives', async () => {
  const { sql } = workspace;
  await sql(
    `UPDATE clarify.deal SET name = (SELECT min(name) FROM clarify.deal), amount = 7
      WHERE name <> (SELECT min(name) FROM clarify.deal)`,
  );
  const { counts, writes } = await push();
  expect(counts).toMatchObject({ delivered: 0, refused: 309 });
  expect(writes).toBeLessThanOrEqual(309 * 1.2);
  await sql(`UPDATE clarify.deal SET name = 'Mended ' || id WHERE amount = 7`);
  const mended = await push();
  expect(mended.counts).toMatchObject({ delivered: 309, refused: 0 });
});
