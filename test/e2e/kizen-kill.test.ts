import pg from 'pg';
import { expect, test } from 'vitest';
import { startKizen } from '../../src/emulator/kizen/emulator.ts';
import { createTestDatabase } from '../support/database.ts';
import { type RunningCli, startCli } from './cli-process.ts';

// Invariants 2, 4 and 8 where an insert cannot be repeated: the real service, killed at any instant.

const DEALS = 40;

interface Shown {
  readonly fields: Readonly<
    Record<string, { readonly name: string; readonly value: { readonly name?: string } | string }>
  >;
}

test('killed while it creates, moves and archives, it does each once', async () => {
  const emulator = await startKizen({
    sizes: { companies: 20, client_client: 20, deals: 6, projects: 12 },
    switches: { names: 'free', visibilityDelayMs: 300, lateShare: 0.5 },
  });
  const database = await createTestDatabase();
  const env = {
    CLARIFY_SYNC_CRM: 'kizen',
    KIZEN_API_KEY: emulator.apiKey,
    KIZEN_USER_ID: emulator.userId,
    KIZEN_BUSINESS_ID: emulator.businessId,
    KIZEN_API_URL: emulator.url,
    DATABASE_URL: database.url,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
  };
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  let daemon: RunningCli | null = null;
  const count = async (text: string) =>
    Number((await user.query<{ count: string }>(text)).rows[0]?.count);
  try {
    const first = await startCli(['sync'], { env }).ended;
    expect(first.code).toBe(0);
    await user.query('BEGIN');
    await user.query(
      `INSERT INTO kizen.deals (name, stage, discount)
       SELECT 'Deal no. ' || n, CASE n % 3 WHEN 0 THEN 'Won' WHEN 1 THEN 'Proposal' END, n
         FROM generate_series(1, ${DEALS}) AS n`,
    );
    await user.query(
      `INSERT INTO kizen.client_client (first_name, last_name) VALUES ('No', 'Address')`,
    );
    await user.query(
      `UPDATE kizen.companies SET employees = 7 WHERE id IN (SELECT id FROM kizen.companies LIMIT 10)`,
    );
    await user.query(
      `DELETE FROM kizen.projects WHERE id IN (SELECT id FROM kizen.projects LIMIT 3)`,
    );
    await user.query('COMMIT');
    for (const livesMs of [4_000, 5_500, 3_200]) {
      daemon = startCli(['run'], { env });
      await new Promise((resolve) => setTimeout(resolve, livesMs));
      daemon.child.kill('SIGKILL');
      await daemon.ended;
    }
    daemon = startCli(['run'], { env });
    await expect
      .poll(
        () =>
          count(
            `SELECT count(*) FROM kizen_sync.outbox WHERE state IN ('pending', 'sending', 'parked')`,
          ),
        { timeout: 150_000, interval: 1_000 },
      )
      .toBe(0);
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    daemon = null;

    const stages = new Map<string, string>();
    const twice: string[] = [];
    for (const record of emulator.store.all('deals') as unknown as Shown[]) {
      const fields = new Map(Object.values(record.fields).map((one) => [one.name, one.value]));
      const named = fields.get('name');
      const name = typeof named === 'string' ? named : '';
      const stage = fields.get('stage');
      if (stages.has(name)) twice.push(name);
      stages.set(name, typeof stage === 'object' ? (stage.name ?? '') : '');
    }
    expect(twice).toEqual([]);
    const wanted = Array.from({ length: DEALS }, (_, n) => [
      `Deal no. ${n + 1}`,
      ['Won', 'Proposal', 'Lead'][(n + 1) % 3],
    ]);
    expect(wanted.map(([name]) => [name, stages.get(name ?? '')])).toEqual(wanted);
    expect(emulator.store.count('client_client')).toBe(21);
    expect(emulator.store.count('projects')).toBe(9);
    expect(emulator.mails()).toBe(0);
    expect(await count(`SELECT count(*) FROM kizen.deals`)).toBe(6 + DEALS);
  } finally {
    daemon?.child.kill('SIGKILL');
    await user.end();
    await database.drop();
    await emulator.stop();
  }
}, 300_000);
