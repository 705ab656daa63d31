import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Session } from '../../src/app/session.ts';
import { readWhole } from '../../src/pull/read-whole.ts';
import { type AttioWorkspace, openAttio } from '../support/attio.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';

// Attio calls, and what it tells of is read anew: nothing here is read by a schedule.

let workspace: AttioWorkspace & { readonly publicUrl: string };
let session: Session;
let daemon: RunningDaemon;

beforeAll(async () => {
  workspace = await openAttio({ sizes: { companies: 4, people: 10, deals: 4, projects: 2 } });
  session = await workspace.open();
  daemon = await startDaemon({ session });
  const isReady = async () => {
    const [{ n } = {}] = await workspace.sql('SELECT count(*)::int AS n FROM attio.people');
    if (n !== 10 || (await webhooks()).length !== 1) throw new Error('not ready yet');
  };
  await vi.waitFor(isReady, { timeout: 20_000, interval: 100 });
});
beforeEach(() => {
  Object.assign(workspace.emulator.switches, { visibilityDelayMs: 0, lateGets: false });
});
afterAll(async () => {
  await daemon?.stop();
  await workspace?.stop();
});

type Told = { id: { webhook_id: string }; target_url: string; status: string };

async function webhooks(): Promise<Told[]> {
  const { url, apiKey } = workspace.emulator;
  const answer = await fetch(`${url}/v2/webhooks?limit=100`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  return ((await answer.json()) as { data: Told[] }).data;
}

const rowOf = async (object: string, id: string) =>
  (await workspace.sql(`SELECT * FROM attio.${object} WHERE id = $1`, [id]))[0];
const hints = () => workspace.sql('SELECT object, id, kind FROM attio_sync.hint');

test('one webhook is made, at an address of the status server, and its secret is nowhere to be seen', async () => {
  const [hook] = await webhooks();
  expect(hook).toMatchObject({ target_url: `${workspace.publicUrl}/webhook`, status: 'active' });
  const [row] = await workspace.sql('SELECT hook_id, state, secret FROM attio_sync.hook');
  expect(row).toMatchObject({ hook_id: hook?.id.webhook_id, state: 'active' });
  const secret = String(row?.['secret']);
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  const page = await (await fetch(daemon.statusUrl)).text();
  const metrics = await (await fetch(`${daemon.statusUrl}/metrics`)).text();
  expect(page + metrics).not.toContain(secret);
});

test('what is edited, created and deleted in Attio arrives within seconds', async () => {
  const { store } = workspace.emulator;
  const [deal = '', other = ''] = store.ids('deals');
  store.update('deals', deal, { name: ['Told of'] });
  const company = store.create('companies', { name: ['New Co'], domains: ['new-co.example'] });
  store.delete('deals', other);
  await expect.poll(() => rowOf('deals', deal)).toMatchObject({ name: 'Told of' });
  await expect.poll(() => rowOf('companies', company)).toMatchObject({ name: 'New Co' });
  await expect.poll(() => rowOf('deals', other)).toBeUndefined();
  expect(
    await workspace.sql('SELECT reason FROM attio_sync.tombstone WHERE id = $1', [other]),
  ).toEqual([{ reason: 'deleted' }]);
});

test('a query that lags behind leaves nothing stale', { timeout: 60_000 }, async () => {
  const { store, switches } = workspace.emulator;
  const [id = ''] = store.ids('people');
  switches.visibilityDelayMs = 8_000;
  store.update('people', id, { job_title: ['Shown late'] });
  await expect.poll(hints).toContainEqual({ object: 'people', id, kind: 'changed' });
  await expect
    .poll(() => rowOf('people', id), { timeout: 15_000 })
    .toMatchObject({ job_title: 'Shown late' });
});

test('what has just arrived is not taken back by a list that lags behind', {
  timeout: 90_000,
}, async () => {
  await expect.poll(hints, { timeout: 60_000 }).toEqual([]);
  const { store, switches } = workspace.emulator;
  const [deal = ''] = store.ids('deals');
  const [person = ''] = store.ids('people');
  await workspace.sql(`UPDATE attio.deals SET name = 'Before', value = 1 WHERE id = $1`, [deal]);
  const settled = async () => {
    const left = await workspace.sql(`SELECT 1 FROM attio_sync.outbox WHERE state <> 'done'`);
    return left.length;
  };
  await expect.poll(settled).toBe(0);
  switches.visibilityDelayMs = 7_000;
  await workspace.sql(`UPDATE attio.deals SET name = 'Ours', value = NULL WHERE id = $1`, [deal]);
  await workspace.sql('DELETE FROM attio.deals_associated_people WHERE deals_id = $1', [deal]);
  await workspace.sql('INSERT INTO attio.deals_associated_people VALUES ($1, $2)', [deal, person]);
  await expect.poll(settled).toBe(0);
  const links = () =>
    workspace.sql('SELECT people_id FROM attio.deals_associated_people WHERE deals_id = $1', [
      deal,
    ]);
  const [table] = session.tables.filter(({ object }) => object === 'deals');
  const calls = { signal: new AbortController().signal, priority: 'pull' } as const;
  const endMs = performance.now() + 9_000;
  while (performance.now() < endMs) {
    // As a scan that comes by, and hints of our own write.
    if (table !== undefined) await readWhole(session, table, calls);
    expect(await rowOf('deals', deal)).toMatchObject({ name: 'Ours', value: null });
    expect(await links()).toEqual([{ people_id: person }]);
  }
  // Somebody else's later word counts at once, and is not taken for a list that lags.
  switches.visibilityDelayMs = 0;
  store.update('deals', deal, { name: ['Theirs'] });
  await expect.poll(() => rowOf('deals', deal)).toMatchObject({ name: 'Theirs' });
});

function call(body: string, signature: string | null): Promise<Response> {
  const headers = {
    'content-type': 'application/json',
    ...(signature === null ? {} : { 'Attio-Signature': signature }),
  };
  return fetch(`${daemon.statusUrl}/webhook`, { method: 'POST', headers, body });
}

let secret: Promise<string> | null = null;

async function signed(body: string): Promise<Response> {
  secret ??= workspace
    .sql('SELECT secret FROM attio_sync.hook')
    .then(([row]) => String(row?.['secret']));
  return await call(
    body,
    createHmac('sha256', await secret)
      .update(body)
      .digest('hex'),
  );
}

test('a call that is not signed by Attio is refused, counted, and leaves nothing', async () => {
  await expect.poll(hints, { timeout: 60_000 }).toEqual([]);
  const [row] = await workspace.sql('SELECT objects FROM attio_sync.hook');
  const [ref] = Object.keys(row?.['objects'] as object);
  const body = JSON.stringify({
    events: [{ event_type: 'record.deleted', id: { object_id: ref, record_id: 'x' } }],
  });
  const wrong = createHmac('sha256', 'another').update(body).digest('hex');
  for (const signature of [null, '', 'zz', wrong]) {
    expect((await call(body, signature)).status).toBe(401);
  }
  expect(await hints()).toEqual([]);
  expect((await signed('not JSON')).status).toBe(200);
  const unknown = body.replace(String(ref), '00000000-0000-0000-0000-000000000000');
  expect((await signed(unknown)).status).toBe(200);
  expect(await hints()).toEqual([]);
  expect((await signed(`{"pad":"${'x'.repeat(1024 * 1024)}"}`)).status).toBe(413);
  const metrics = await (await fetch(`${daemon.statusUrl}/metrics`)).text();
  expect(metrics).toMatch(/clarify_sync_webhook_calls_total\{outcome="refused"\} 4\b/);
  // A flood, all of it repeated: a row a record, a few queries, and nobody waits for a second.
  const asked = () =>
    session.traffic
      .stats()
      .filter(({ endpoint }) => endpoint.endsWith('/query'))
      .reduce((sum, { requests }) => sum + requests, 0);
  const before = asked();
  const ids = workspace.emulator.store.ids('people');
  const [people] = Object.entries(row?.['objects'] as object).find(([, o]) => o === 'people') ?? [];
  const flood = Array.from({ length: 600 }, async (_, n) => {
    const id = { object_id: people, record_id: ids[n % ids.length] };
    const told = JSON.stringify({ events: [{ event_type: 'record.updated', id }] });
    // What cannot be written within a second is answered 503, and comes again.
    for (;;) {
      const startedMs = performance.now();
      const { status } = await signed(told);
      const tookMs = performance.now() - startedMs;
      if (status !== 503) return status === 200 ? tookMs : Number.POSITIVE_INFINITY;
    }
  });
  // The machine alone decides how long six hundred at once take to be taken in.
  expect(Math.max(...(await Promise.all(flood)))).toBeLessThan(20_000);
  expect(await hints()).toHaveLength(ids.length);
  await expect
    .poll(() => workspace.sql('SELECT 1 FROM attio_sync.hint WHERE looks = 0'))
    .toEqual([]);
  expect(asked() - before).toBeLessThan(40);
}, 90_000);
