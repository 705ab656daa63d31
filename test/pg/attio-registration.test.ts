import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Config } from '../../src/app/config/config.ts';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { createReceiver } from '../../src/app/hooks/receiver.ts';
import { registerHook } from '../../src/app/hooks/registration.ts';
import { createLog } from '../../src/app/log.ts';
import { attio } from '../../src/crm/attio/adapter.ts';
import { acquireLease } from '../../src/db/lease/lease.ts';
import { type AttioWorkspace, freePort, openAttio } from '../support/attio.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';

// One webhook of ours, whatever happened to the last one.

let workspace: AttioWorkspace & { readonly publicUrl: string };
const daemons: RunningDaemon[] = [];
const signal = new AbortController().signal;
const log = createLog({ level: 'silent' });

beforeEach(async () => {
  workspace = await openAttio({ sizes: { companies: 2, people: 3, deals: 2, projects: 1 } });
});
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
  await workspace.stop();
});

interface Told {
  readonly id: { readonly webhook_id: string };
  readonly target_url: string;
  readonly status: string;
}

async function api(method: string, path: string, body?: object): Promise<{ data: Told[] }> {
  const { url, apiKey } = workspace.emulator;
  const answer = await fetch(`${url}/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as { data: Told[] };
}

const webhooks = async () => (await api('GET', '/webhooks?limit=100')).data;
const subscriptions = [{ event_type: 'record.created', filter: null }];
const make = (target_url: string) =>
  api('POST', '/webhooks', { data: { target_url, subscriptions } });

async function stored(): Promise<Record<string, unknown> | undefined> {
  return (await workspace.sql('SELECT hook_id, target_url, state FROM attio_sync.hook'))[0];
}

async function start(more: Partial<Config> = {}): Promise<RunningDaemon> {
  const daemon = await startDaemon({ session: await workspace.open(more) });
  daemons.push(daemon);
  return daemon;
}

/** Waits until there is one webhook, and it is the one on record. */
async function oneOfOurs(url = `${workspace.publicUrl}/webhook`): Promise<string> {
  return await vi.waitFor(
    async () => {
      const ours = (await webhooks()).filter(({ target_url }) => target_url === url);
      const row = await stored();
      expect(ours).toHaveLength(1);
      expect(row).toEqual({ hook_id: ours[0]?.id.webhook_id, target_url: url, state: 'active' });
      return String(row?.['hook_id']);
    },
    // One that fails is tried for ten seconds, and ten later anew.
    { timeout: 40_000, interval: 100 },
  );
}

/** A change that nobody reads by a schedule arrives: whoever is called knows the secret. */
async function arrives(name: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const rows = await workspace.sql('SELECT count(*)::int AS n FROM attio.companies');
      expect(rows).not.toEqual([{ n: 0 }]);
    },
    { timeout: 20_000, interval: 100 },
  );
  const { store } = workspace.emulator;
  const [id = ''] = store.ids('companies');
  store.update('companies', id, { name: [name] });
  await expect
    .poll(() => workspace.sql('SELECT name FROM attio.companies WHERE id = $1', [id]))
    .toEqual([{ name }]);
}

test('one whose answer got lost is found by its address, and made anew; others are let alone', async () => {
  await make('https://elsewhere.example/webhook');
  workspace.emulator.faults.add({
    kind: 'reset-after-write',
    method: 'POST',
    path: '/v2/webhooks$',
    count: 1,
  });
  await start();
  await oneOfOurs();
  expect(await webhooks()).toHaveLength(2);
  await arrives('Found again');
});

test('what calls are about is known as soon as their secret is', async () => {
  const { db, remote } = await workspace.open();
  const lease = await acquireLease(db, { holder: 'test', ttlMs: 60_000 });
  const url = `${workspace.publicUrl}/webhook`;
  const objects = new Map([...(remote.hooks?.objects ?? [])].slice(0, 1));
  const since = '2020-01-01T00:00:00Z';
  const look = { priority: 'pull', signal, epoch: lease?.epoch ?? 0n, since, objects } as const;
  expect(await registerHook({ db, remote, url }, look)).toBe('made');
  const [ref = '', object = ''] = [...objects].flat();
  const body = Buffer.from(
    JSON.stringify({
      events: [{ event_type: 'record.updated', id: { object_id: ref, record_id: 'told' } }],
    }),
  );
  const [row] = await workspace.sql('SELECT secret FROM attio_sync.hook');
  const signature = createHmac('sha256', String(row?.['secret'])).update(body).digest('hex');
  const calls = attio.hooks ?? expect.unreachable('Attio calls');
  const { receive } = createReceiver({ db, calls, log });
  expect(await receive({ body, headers: { 'attio-signature': signature } })).toBe('noted');
  expect(await workspace.sql('SELECT object, id FROM attio_sync.hint')).toEqual([
    { object, id: 'told' },
  ]);
});

test('one that stands at our address, and whose secret nobody knows, is replaced', async () => {
  await make(`${workspace.publicUrl}/webhook`);
  const [before] = await webhooks();
  await start();
  expect(await oneOfOurs()).not.toBe(before?.id.webhook_id);
  await arrives('Replaced');
});

test('a restart and another process go on with the one that stands', async () => {
  const first = await start();
  const id = await oneOfOurs();
  await first.stop();
  daemons.pop();
  await start();
  await arrives('Restarted');
  expect(await oneOfOurs()).toBe(id);
});

test('one that Attio gave up is made anew, and so is one that is gone', async () => {
  for (const status of ['degraded', 'inactive', 'gone']) {
    const daemon = await start();
    const id = await oneOfOurs();
    await daemon.stop();
    daemons.pop();
    if (status === 'gone') await api('DELETE', `/webhooks/${id}`);
    else {
      await fetch(`${workspace.emulator.adminUrl}/webhooks`, {
        method: 'POST',
        body: JSON.stringify({ status }),
      });
    }
    await start();
    await vi.waitFor(async () => expect(await oneOfOurs()).not.toBe(id), { timeout: 20_000 });
    await arrives(status);
    for (const each of daemons.splice(0)) await each.stop();
  }
}, 90_000);

test('another public address takes the place of the old one', async () => {
  const daemon = await start();
  await oneOfOurs();
  await daemon.stop();
  daemons.pop();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/webhook`;
  const { http } = workspace.config;
  await start({ hookUrl: url, http: http && { ...http, port } });
  await oneOfOurs(url);
  expect(await webhooks()).toHaveLength(1);
  await arrives('Moved');
});

test('without the right to webhooks everything works without them, and doctor says so', async () => {
  await fetch(`${workspace.emulator.adminUrl}/scopes`, {
    method: 'POST',
    body: JSON.stringify({
      scopes: ['record_permission:read-write', 'object_configuration:read', 'user_management:read'],
    }),
  });
  await start();
  const checks = await runDoctor(workspace.config, { log, signal, adopt: false });
  expect(checks.find(({ name }) => name === 'webhook')).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('remote-forbidden'),
    hint: expect.stringContaining('webhook:read-write'),
  });
  expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
});

test('doctor --forget-webhook ends it, with a service or without, and a service that runs makes none', async () => {
  const daemon = await start();
  await oneOfOurs();
  const looked = await runDoctor(workspace.config, { log, signal, adopt: false });
  expect(looked.find(({ name }) => name === 'webhook')).toMatchObject({ state: 'ok' });
  const forget = { log, signal, adopt: false, forgetWebhook: true };
  const done = await runDoctor(workspace.config, forget);
  expect(done.filter(({ name }) => name === 'webhook')).toMatchObject([
    { state: 'ok', detail: expect.stringContaining('taken away') },
    { state: 'ok' },
  ]);
  expect(await webhooks()).toEqual([]);
  // Whoever has led since before that makes none at its next look.
  const { db, remote } = await workspace.open();
  const url = `${workspace.publicUrl}/webhook`;
  const since = '2020-01-01T00:00:00Z';
  const look = { priority: 'pull', signal, epoch: 1n, since, objects: new Map() } as const;
  expect(await registerHook({ db, remote, url }, look)).toBe('forgotten');
  await daemon.stop();
  daemons.pop();
  expect(await webhooks()).toEqual([]);
  // A new start is asked to have one again.
  const next = await start();
  await oneOfOurs();
  await next.stop();
  daemons.pop();
  const { hookUrl: _, ...without } = workspace.config;
  await runDoctor(without, forget);
  expect(await webhooks()).toEqual([]);
  expect(await stored()).toEqual({ hook_id: null, target_url: null, state: 'forgotten' });
});

test('a publication that would carry the secret is told of', async () => {
  await start();
  await oneOfOurs();
  await workspace.sql('CREATE PUBLICATION everything FOR TABLE attio_sync.hook, attio_sync.hint');
  const checks = await runDoctor(workspace.config, { log, signal, adopt: false });
  expect(checks.find(({ name }) => name === 'publications')).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('publication everything'),
    hint: expect.stringContaining('DROP TABLE attio_sync.hook'),
  });
  await workspace.sql('DROP PUBLICATION everything');
});
