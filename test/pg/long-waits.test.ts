import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { readStatus } from '../../src/app/status.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: { person: 20, company: 5, deal: 3 } } });
  await pull();
});
afterAll(() => workspace.stop());
afterEach(() => workspace.emulator.faults.clear());

const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const UNTIL = /lets no request through until \d{4}-\d\d-\d\dT\d\d:\d\d/;
const HOUR = { kind: 'status', status: 429, retryAfter: 3_600 } as const;

test('an hour that one list asks for holds that object, and status says until when', async () => {
  const { emulator, session, sql } = workspace;
  emulator.faults.add({ ...HOUR, method: 'GET', path: '/objects/company/resources' });
  const title = 'Goes on';
  const [id = ''] = emulator.store.ids('person');
  emulator.store.update('person', id, { job_title: title });
  const startMs = performance.now();
  const runs = await pull();
  expect(performance.now() - startMs).toBeLessThan(20_000);
  expect(runs.filter(({ state }) => state === 'failed').map(({ object }) => object)).toEqual([
    'company',
  ]);
  expect(await sql('SELECT 1 FROM clarify.person WHERE job_title = $1', [title])).toHaveLength(1);
  const { objects } = await readStatus(session.db);
  const company = objects.find(({ object }) => object === 'company');
  expect(company).toMatchObject({
    lastError: 'remote-rate-limited',
    troubles: [{ part: 'pull', message: expect.stringMatching(UNTIL) }],
  });
  const others = objects.filter(({ object }) => object !== 'company' && object !== 'playbook');
  expect(others.flatMap(({ troubles }) => troubles)).toEqual([]);
  const held = session.traffic.stats().filter(({ heldUntilMs }) => heldUntilMs !== null);
  expect(held.map(({ endpoint }) => endpoint)).toEqual(['GET /objects/company/resources']);
});

test('one that a write is told of holds these writes, and not those of others', async () => {
  const { emulator, session, sql, signal } = workspace;
  emulator.faults.add({ ...HOUR, method: 'PATCH', path: '/objects/person/' });
  const [person = ''] = emulator.store.ids('person');
  const [deal = ''] = emulator.store.ids('deal');
  await sql(`UPDATE clarify.person SET job_title = 'Later' WHERE id = $1`, [person]);
  await sql(`UPDATE clarify.deal SET amount = 4711 WHERE id = $1`, [deal]);
  const startMs = performance.now();
  const stopping = AbortSignal.any([signal, AbortSignal.timeout(15_000)]);
  await pushOnce(session, { signal: stopping }).catch(() => undefined);
  expect(performance.now() - startMs).toBeLessThan(20_000);
  expect(emulator.store.get('deal', deal)?.attributes).toMatchObject({ amount: 4711 });
  const { held } = await readStatus(session.db);
  expect(held).toEqual([{ object: 'person', changes: 1, reason: expect.stringMatching(UNTIL) }]);
});
