import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorkspace } from '../support/workspace.ts';
import { lastDocument, runCli, startCli } from './cli-process.ts';

const DEALS = 2_000;
/** A batch. */
const LOST = 64;
const FEED = 'GET /objects/deal/records/{id}/activities';

test('killed in the middle, it reads no more than a batch of feeds again', async () => {
  const none = { company: 0, person: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  const folder = await mkdtemp(join(tmpdir(), 'activities-'));
  const file = join(folder, 'sync.yaml');
  await writeFile(file, 'objects: { deal: { activities: true } }\n');
  const switches = { ratePerMinute: 1_000_000 };
  const workspace = await openWorkspace({
    emulator: { sizes: { ...none, deal: DEALS }, switches },
  });
  try {
    const { emulator, database, sql } = workspace;
    const env = {
      CLARIFY_API_URL: emulator.url,
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_WORKSPACE: emulator.workspace,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_CONFIG: file,
      CLARIFY_SYNC_HTTP: 'off',
    };
    const requests = () => emulator.stats().endpoints[FEED]?.requests ?? 0;
    const killed = startCli(['backfill', 'deal', '--json'], { env });
    while (requests() < DEALS / 3) await new Promise((resolve) => setImmediate(resolve));
    killed.child.kill('SIGKILL');
    expect((await killed.ended).code).toBeNull();
    const [stands] = await sql(
      'SELECT count(read_at)::int AS read FROM clarify_sync.activity_feed',
    );
    expect(stands?.['read']).toBeGreaterThanOrEqual(DEALS / 3 - LOST);
    expect(stands?.['read']).toBeLessThan(DEALS / 2);

    const status = async () => lastDocument(await runCli(['status', '--json'], { env }));
    expect(await status()).toMatchObject({
      activities: [{ object: 'deal', records: DEALS, read: stands?.['read'], failed: 0 }],
    });
    expect((await runCli(['status'], { env })).stdout).toMatch(/deal: activities of \d+ of 2,000/);
    const resumed = await runCli(['backfill', 'deal', '--json'], { env });
    expect(resumed.code).toBe(0);
    expect(requests()).toBeLessThanOrEqual(DEALS + LOST);
    expect(await status()).toMatchObject({
      activities: [{ object: 'deal', records: DEALS, read: DEALS, waiting: 0, failed: 0 }],
    });
    const [told] = await sql(
      'SELECT count(DISTINCT record_id)::int AS records FROM clarify.deal_activity',
    );
    expect(told).toEqual({ records: DEALS });
  } finally {
    await workspace.stop();
    await rm(folder, { recursive: true });
  }
}, 240_000);
