import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type AttioEmulator, startAttio } from '../../src/emulator/attio/emulator.ts';
import { freePort } from '../support/attio.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type RunningCli, startCli } from './cli-process.ts';

// Real processes that Attio calls: killed at any instant, and called where another one leads.

/** Once a year: what arrives was told of. */
const objects = Object.fromEntries(
  ['people', 'companies', 'deals', 'projects'].map((object) => [object, { pull: '0 0 1 1 *' }]),
);
let emulator: AttioEmulator;
let database: TestDatabase;
let folder: string;
const processes: RunningCli[] = [];

beforeEach(async () => {
  emulator = await startAttio({
    sizes: { companies: 20, people: 20, deals: 20, projects: 2 },
    switches: { webhookTargets: 'any', webhookRetryMs: 200 },
  });
  database = await createTestDatabase({ migrated: false });
  folder = await mkdtemp(join(tmpdir(), 'clarify-sync-hooks-'));
});
afterEach(async () => {
  for (const { child, ended } of processes.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await database.drop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Readonly<Record<string, string>>): Promise<RunningCli> {
  const started = startCli(['run'], { cwd: folder, env: { DATABASE_URL: database.url, ...env } });
  processes.push(started);
  await started.saw(/"running"/);
  return started;
}

const rows = (text: string) => database.db.query<Record<string, unknown>>(text);

/** Every row beside its record, in words where they differ. */
async function differences(schema: string): Promise<string[]> {
  const shown = {
    deals: ['name', 'value'],
    companies: ['name', 'description'],
    people: ['job_title', 'company'],
  };
  const found: string[] = [];
  for (const [object, slugs] of Object.entries(shown)) {
    const standing = await rows(
      `SELECT id, ${slugs.map((slug) => `${slug}::text`).join(', ')} FROM ${schema}.${object}`,
    );
    const byId = new Map(standing.map((row) => [String(row['id']), row]));
    for (const record of emulator.store.all(object)) {
      const { id, values } = record as unknown as {
        id: { record_id: string };
        values: Record<string, readonly Record<string, unknown>[]>;
      };
      const row = byId.get(id.record_id);
      byId.delete(id.record_id);
      for (const slug of slugs) {
        const [value] = values[slug] ?? [];
        const told = value?.['value'] ?? value?.['currency_value'] ?? value?.['target_record_id'];
        const [left, right] = [row?.[slug], told].map((one) => asText(one, slug));
        if (row === undefined || left !== right) found.push(`${object} ${id.record_id} ${slug}`);
      }
    }
    found.push(...[...byId.keys()].map((id) => `${object} ${id}: not in Attio`));
  }
  return found;
}

function asText(value: unknown, slug: string): string {
  if (typeof value === 'number' || slug === 'value') return value == null ? '' : `${Number(value)}`;
  return typeof value === 'string' ? value : '';
}

test('killed again and again while both sides are edited and records merge, it ends with both equal', {
  timeout: 300_000,
}, async () => {
  const port = await freePort();
  const config = join(folder, 'config.yaml');
  await writeFile(config, stringify({ objects, massDelete: { rows: 1_000, percent: 100 } }));
  const env = {
    CLARIFY_SYNC_CRM: 'attio',
    ATTIO_API_KEY: emulator.apiKey,
    ATTIO_API_URL: emulator.url,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_CONFIG: config,
    CLARIFY_SYNC_HTTP: `127.0.0.1:${port}`,
    CLARIFY_SYNC_PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
  let running = await start(env);
  await expect
    .poll(() => rows(`SELECT 1 FROM attio_sync.cursor WHERE phase = 'incremental'`).catch(() => []))
    .toHaveLength(4);
  await expect.poll(() => rows('SELECT state FROM attio_sync.hook')).toEqual([{ state: 'active' }]);
  const path = '/v2/';
  emulator.faults.add({ kind: 'status', status: 503, path, probability: 0.03 });
  emulator.faults.add({ kind: 'reset-after-write', path, probability: 0.02 });
  emulator.faults.add({ kind: 'reset-before-write', path, probability: 0.02 });
  Object.assign(emulator.switches, { webhookDelayMs: 1_500, webhookCopies: 2 });
  const { store } = emulator;
  let n = 0;
  for (let kill = 0; kill < 5; kill += 1) {
    for (let step = 0; step < 12; step += 1) {
      n += 1;
      const pick = (object: string) => store.ids(object)[(n * 7) % store.count(object)] ?? '';
      store.update('deals', pick('deals'), { name: [`theirs ${n}`] });
      store.update('companies', pick('companies'), { description: [`theirs ${n}`] });
      if (step % 4 === 0) store.delete('people', pick('people'));
      if (step % 4 === 1) store.create('people', { job_title: [`new ${n}`] });
      if (step % 6 === 2) {
        const [a = '', b = ''] = store.ids('companies').slice(n % 5);
        await rows(`UPDATE attio.companies SET description = 'ours ${n}' WHERE id = '${b}'`);
        store.merge('companies', a, b);
      }
      await rows(`UPDATE attio.deals SET value = ${n} WHERE id = '${pick('deals')}'`);
      if (step % 3 === 0)
        await rows(
          `INSERT INTO attio.companies (name, domains) VALUES ('Co ${n}', '{co-${n}.example}')`,
        );
      await new Promise((resolve) => setTimeout(resolve, 60 + ((n * 37) % 150)));
    }
    running.child.kill('SIGKILL');
    await running.ended;
    running = await start(env);
  }
  emulator.faults.clear();
  const unsettled = () =>
    rows(`SELECT object, op, state, last_error FROM attio_sync.outbox
           WHERE state IN ('pending', 'sending', 'parked')`);
  await expect.poll(unsettled, { timeout: 90_000, interval: 500 }).toEqual([]);
  await expect.poll(() => differences('attio'), { timeout: 60_000, interval: 500 }).toEqual([]);
  // Nothing twice.
  const names = await rows(`SELECT name FROM attio.companies WHERE name LIKE 'Co %'`);
  expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
  const merged = await rows(
    `SELECT count(*)::int AS n FROM attio_sync.id_map AS m WHERE m.reason = 'merged'
        AND EXISTS (SELECT 1 FROM attio.companies AS c WHERE c.id = attio_sync.current_id('companies', m.old_id))`,
  );
  expect(merged[0]?.['n']).toBeGreaterThan(5);
});

test('of a fleet any process may be called: the one that leads reads', {
  timeout: 120_000,
}, async () => {
  const file = join(folder, 'fleet.yaml');
  const { apiKey, url: apiUrl } = emulator;
  const globex = { crm: 'attio', apiKey, apiUrl, push: true, objects };
  await writeFile(file, stringify({ workspaces: { globex } }));
  const [first, second] = [await freePort(), await freePort()];
  // Both are told one address, and that is the second's, which does not lead.
  const env = (port: number) => ({
    CLARIFY_SYNC_FLEET: file,
    CLARIFY_SYNC_HTTP: `127.0.0.1:${port}`,
    CLARIFY_SYNC_PUBLIC_URL: `http://127.0.0.1:${second}`,
  });
  const leader = await start(env(first));
  const isLed = async () => {
    const [lease] = await rows('SELECT holder FROM globex_sync.lease').catch(() => []);
    return String(lease?.['holder']).split(':').at(-2);
  };
  await expect.poll(isLed, { timeout: 30_000 }).toBe(String(leader.child.pid));
  await start(env(second));
  await expect
    .poll(() => rows(`SELECT target_url, state FROM globex_sync.hook`).catch(() => []), {
      timeout: 30_000,
    })
    .toEqual([{ target_url: `http://127.0.0.1:${second}/w/globex/webhook`, state: 'active' }]);
  await expect
    .poll(() => rows(`SELECT 1 FROM globex_sync.cursor WHERE phase = 'incremental'`))
    .toHaveLength(4);
  const [id = ''] = emulator.store.ids('deals');
  emulator.store.update('deals', id, { name: ['Told elsewhere'] });
  await expect
    .poll(() => rows(`SELECT name FROM globex.deals WHERE id = '${id}'`))
    .toEqual([{ name: 'Told elsewhere' }]);
  expect(await isLed()).toBe(String(leader.child.pid));
  const metrics = await (await fetch(`http://127.0.0.1:${second}/metrics`)).text();
  expect(metrics).toMatch(/webhook_calls_total\{workspace="globex",outcome="noted"\} [1-9]/);
  const unknown = await fetch(`http://127.0.0.1:${second}/w/nobody/webhook`, { method: 'POST' });
  expect(unknown.status).toBe(404);
});
