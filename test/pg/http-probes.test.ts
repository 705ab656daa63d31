import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLease } from '../../src/db/lease/lease.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let daemon: RunningDaemon;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 4, company: 2 } },
    config: { http: { host: '127.0.0.1', port: 0, token: null, nudgeSecret: null } },
  });
  daemon = await startDaemon(workspace);
});

afterAll(async () => {
  await daemon?.stop();
  await workspace?.stop();
});

async function get(path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${daemon.statusUrl}${path}`);
  return { status: answer.status, text: await answer.text() };
}

test('a daemon that leads is alive and ready', async () => {
  expect(await get('/livez')).toEqual({ status: 200, text: 'ok\n' });
  await expect.poll(() => get('/readyz')).toMatchObject({ status: 200 });
  const { text } = await get('/readyz');
  expect(text).toContain('ok - leader: this process');
  expect(text).toContain('ok - late: nothing');
});

test('its metrics tell lag, queue, traffic and who leads', async () => {
  await expect
    .poll(async () => (await get('/metrics')).text, { timeout: 25_000 })
    .toContain('clarify_sync_records_pulled_total{object="person"} 4');
  await expect
    .poll(async () => (await get('/metrics')).text, { timeout: 25_000 })
    .toMatch(/^clarify_sync_lag_seconds\{object="person"\} [\d.]+$/m);
  const { text } = await get('/metrics');
  expect(text).toContain('clarify_sync_outbox_entries{object="person",state="parked"} 0');
  expect(text).toMatch(
    /^clarify_sync_http_requests_total\{endpoint="GET \/objects\/person\/resources",status="200"\} \d+$/m,
  );
  expect(text).toMatch(/^clarify_sync_http_request_duration_seconds_count\{endpoint="GET /m);
  expect(text).toMatch(/^clarify_sync_allowance_remaining\{endpoint="GET \/schemas"\} \d+$/m);
  expect(text).toContain('clarify_sync_leader 1');
  expect(text).toContain('clarify_sync_database_up 1');
  expect(text).not.toContain(workspace.emulator.apiKey);
});

test('a push is counted, and on record as a run', async () => {
  await workspace.sql(`update clarify.person set job_title = 'Pilot'`);
  await expect
    .poll(async () => (await get('/metrics')).text, { timeout: 25_000 })
    .toContain('clarify_sync_records_pushed_total 4');
  const runs = await workspace.sql(
    `select state, counts ->> 'delivered' as delivered from clarify_sync.run where kind = 'push'`,
  );
  expect(runs).toContainEqual({ state: 'ok', delivered: '4' });
});

test('where the port is taken, a daemon says so and begins nothing', async () => {
  const port = Number(new URL(daemon.statusUrl).port);
  const other = await openWorkspace({
    emulator: { sizes: { person: 1 } },
    config: { http: { host: '127.0.0.1', port, token: null, nudgeSecret: null } },
  });
  try {
    await expect(startDaemon(other)).rejects.toMatchObject({
      code: 'http-port-in-use',
      message: `port ${port} of 127.0.0.1 is in use by another program`,
    });
    expect(await readLease(other.session.db)).toBeNull();
    expect(await other.sql('select from clarify_sync.run')).toEqual([]);
  } finally {
    await other.stop();
  }
});
