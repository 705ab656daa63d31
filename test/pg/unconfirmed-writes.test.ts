import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import type { Fault } from '../../src/emulator/kernel/faults.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 40, company: 30, deal: 3 } },
    config: { massDelete: { rows: 1_000, percent: 100 } },
  });
  await pull();
});
afterAll(() => workspace.stop());
afterEach(() => workspace.emulator.faults.clear());

const push = () => pushOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });

/** Pushes until nothing waits that could go, without waiting for what is put off. */
async function settle(): Promise<void> {
  for (;;) {
    await workspace.sql(
      `UPDATE clarify_sync.outbox SET next_attempt_at = now() WHERE state = 'pending'`,
    );
    await push();
    const [left] = await workspace.sql(
      `SELECT count(*)::int AS open FROM clarify_sync.outbox WHERE state IN ('pending', 'sending')`,
    );
    if (left?.['open'] === 0) return;
  }
}

const parked = () =>
  workspace.sql(`SELECT last_error AS why FROM clarify_sync.outbox WHERE state = 'parked'`);

type Told = {
  readonly status?: number;
  readonly body?: object | string;
  readonly applied: boolean;
};
const word = ({ status = 200, applied, ...body }: Told): Fault => {
  return { kind: 'answer', status, applied, count: 2, ...(body as { body?: string }) };
};
const answers: [string, Fault][] = [
  ['half of it', { kind: 'partial', status: 207, count: 2 }],
  ['half of it, with errors', { kind: 'partial', status: 207, errors: true, count: 2 }],
  ['half of it told, all of it done', { kind: 'partial', applied: true, count: 2 }],
  ...[false, true].flatMap((applied): [string, Fault][] => {
    const done = applied ? 'done' : 'not done';
    return [
      [`errors, ${done}`, word({ applied, body: { errors: [{ title: 'x' }] } })],
      [`an empty list, ${done}`, word({ applied, body: { data: [] } })],
      [`{}, ${done}`, word({ applied, body: {} })],
      [`nothing, ${done}`, word({ applied, status: 204 })],
      [`not yet, ${done}`, word({ applied, status: 202, body: {} })],
      [`HTML, ${done}`, { kind: 'html', status: 200, applied, count: 2 }],
    ];
  }),
];

test.each(answers)(
  'an edit and a deletion arrive whatever the answer says: %s',
  async (_name, fault) => {
    const { emulator, sql } = workspace;
    const title = `Title ${Math.random()}`;
    const ids = emulator.store.ids('person').slice(0, 7);
    const [gone = ''] = emulator.store.ids('company');
    emulator.faults.add({ ...fault, method: 'PATCH' });
    emulator.faults.add({ ...fault, method: 'DELETE' });
    await sql(`UPDATE clarify.person SET job_title = $1 WHERE id = ANY($2)`, [title, ids]);
    await sql(`DELETE FROM clarify.company WHERE id = $1`, [gone]);
    await settle();
    const titles = ids.map((id) => emulator.store.get('person', id)?.attributes['job_title']);
    expect(titles).toEqual(ids.map(() => title));
    expect(emulator.store.ids('company')).not.toContain(gone);
    expect(await parked()).toEqual([]);
    await pull();
    expect(await differences(workspace)).toEqual([]);
    const rows = await sql(`SELECT 1 FROM clarify.person WHERE job_title = $1`, [title]);
    expect(rows).toHaveLength(7);
  },
);

test('what the CRM never shows waits for a person, and the row keeps it', async () => {
  const { emulator, sql } = workspace;
  const [id = ''] = emulator.store.ids('person');
  emulator.faults.add({ kind: 'answer', status: 200, body: {}, method: 'PATCH' });
  await sql(`UPDATE clarify.person SET job_title = 'Never' WHERE id = $1`, [id]);
  // It has been sent for some minutes.
  await sql(`UPDATE clarify_sync.outbox SET attempts = 7 WHERE state = 'pending'`);
  await settle();
  expect(await parked()).toEqual([{ why: expect.stringMatching(/^push-unconfirmed: /) }]);
  await pull();
  const [row] = await sql(`SELECT job_title AS title FROM clarify.person WHERE id = $1`, [id]);
  expect(row).toEqual({ title: 'Never' });
  emulator.faults.clear();
  // A later edit sends it again.
  await sql(`UPDATE clarify.person SET job_title = 'Now' WHERE id = $1`, [id]);
  await settle();
  expect(emulator.store.get('person', id)?.attributes['job_title']).toBe('Now');
  expect(await parked()).toEqual([]);
});

test('what a create brought and the answer passed over is sent once more', async () => {
  const { emulator, sql } = workspace;
  emulator.faults.add({
    kind: 'attribute',
    method: 'POST',
    attribute: 'job_title',
    value: null,
    count: 1,
  });
  await sql(
    `INSERT INTO clarify.person (email_addresses, job_title) VALUES ('{left@out.example}', 'Kept')`,
  );
  await settle();
  await pull();
  const [row] = await sql(
    `SELECT job_title AS title FROM clarify.person WHERE email_addresses = '{left@out.example}'`,
  );
  expect(row).toEqual({ title: 'Kept' });
  expect(await differences(workspace)).toEqual([]);
});
