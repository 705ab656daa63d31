import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import type { Fault } from '../../src/emulator/kernel/faults.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// Whatever is said of a call of several, none is parked whom the server takes alone, everything arrives in
// the end, and the number of calls has a bound (invariants 10, 12).

const ROWS = 60;
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: ROWS } } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
});
afterAll(() => workspace.stop());
beforeEach(() => workspace.emulator.faults.clear());

const errors = (...pointers: readonly string[]) => ({
  errors: pointers.map((pointer) => ({
    status: '422',
    title: 'Invalid input',
    detail: `${pointer}: given up`,
    source: { pointer },
  })),
});
const all = Array.from({ length: ROWS }, (_, at) => `/data/${at}`);

/** What is said of any call of several records. */
const ANSWERS: Readonly<Record<string, Fault>> = {
  'all of them': { kind: 'answer', status: 422, body: errors(...all) },
  'a field of all of them': {
    kind: 'answer',
    status: 422,
    body: errors(...all.map((pointer) => `${pointer}/attributes/lifecycle`)),
  },
  'the last but one': { kind: 'answer', status: 422, body: errors('/data/1/attributes/job_title') },
  'one that is not in it': { kind: 'answer', status: 422, body: errors('/data/4711') },
  'an id': { kind: 'answer', status: 400, body: errors('/data/per_unknown/attributes/job_title') },
  nobody: { kind: 'answer', status: 400, body: { message: 'no' } },
  'too large': { kind: 'answer', status: 413, body: { message: 'no' } },
  'too large, by a gateway': { kind: 'html', status: 413 },
  'too many': { kind: 'answer', status: 422, body: errors('/data') },
  'a page': { kind: 'html', status: 422 },
  nothing: { kind: 'empty', status: 400 },
  'half of it': { kind: 'partial', status: 207, errors: true },
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  test(`said of a call of several: ${what}`, async () => {
    const { emulator, sql, session, signal } = workspace;
    emulator.faults.add({ ...answer, method: 'PATCH', requestBody: '"id".*"id"' });
    await sql(
      `UPDATE clarify.person SET job_title = $1,
              lifecycle = CASE WHEN id = (SELECT max(id) FROM clarify.person) THEN 'Nowhere' ELSE 'Lead' END`,
      [what],
    );
    emulator.resetStats();
    const open = async () =>
      await sql(
        `SELECT state, count(DISTINCT record_id)::int AS rows FROM clarify_sync.outbox
          WHERE state IN ('pending', 'sending', 'parked') GROUP BY 1 ORDER BY 1`,
      );
    const wanted = [{ state: 'parked', rows: 1 }];
    // A batch at which the server fails is halved from its fourth attempt on.
    for (let round = 0; round < 15; round += 1) {
      await pushOnce(session, { signal });
      const left = await open();
      if (!left.some(({ state }) => state === 'pending')) break;
      await session.db.query(
        `UPDATE {sync}.outbox SET next_attempt_at = NULL WHERE state = 'pending'`,
      );
    }
    expect(await open()).toEqual(wanted);
    const writes = emulator.stats().endpoints['PATCH /objects/person/records']?.requests ?? 0;
    expect(writes).toBeLessThanOrEqual(3 * ROWS);
    const arrived = emulator.store
      .all('person')
      .filter(({ attributes }) => attributes.job_title === what);
    expect(arrived).toHaveLength(ROWS - 1);
  });
}
