import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fault } from '../../src/emulator/kernel/faults.ts';
import { seededRandom } from '../../src/emulator/kernel/random.ts';
import { startDaemon } from '../support/daemon.ts';
import { type KizenWorkspace, nothingLeft, openKizen } from '../support/kizen-workspace.ts';

// The daemon, while people on both sides edit whatever they like and Kizen is late, short of words and
// fails: in the end both sides hold the same, and nothing was made twice (invariants 1 to 4 and 7).

const STORM_MS = 25_000;
const FAULTS = ['reset-after-write', 'reset-before-write', 'html', 'truncated'] as const;
const random = seededRandom('kizen storm');
let workspace: KizenWorkspace;

beforeAll(async () => {
  const object = { fields: {}, history: false, delete: 'push', pull: '* * * * * *' } as const;
  workspace = await openKizen({
    sizes: { companies: 25, client_client: 40, deals: 20, projects: 4 },
    switches: {
      visibilityDelayMs: 1_500,
      archiveDelayMs: 500,
      lateShare: 0.5,
      partialShare: 0.05,
      pageMax: 30,
      names: 'free',
      tieOrder: 'shuffled',
      numbers: 'decimal strings',
      relationWrites: 'bare id',
      timeFilters: 'seconds',
      relationBumps: 'written',
    },
    config: {
      massDelete: { rows: 1_000, percent: 100 },
      objects: { companies: object, client_client: object, deals: object },
    },
  });
  await workspace.sync();
}, 60_000);

afterAll(async () => {
  await workspace.stop();
});

/** One thing that somebody does. */
async function step(n: number): Promise<void> {
  const { emulator, sql } = workspace;
  const { store, faults } = emulator;
  const any = (object: string) => {
    const ids = store.ids(object);
    return ids[random.int(ids.length)] ?? '';
  };
  const one = (table: string) =>
    `(SELECT id FROM kizen.${table} ORDER BY md5(id || '${n}') LIMIT 1)`;
  const stage = ['Won', 'Lost', 'Lead', 'Proposal'][random.int(4)];
  switch (random.int(11)) {
    case 0:
      await sql(`INSERT INTO kizen.deals (name, stage) VALUES ($1, $2)`, [`Local ${n}`, stage]);
      return;
    case 1:
      store.create('deals', { name: `Remote ${n}`, stage: 'Qualified' });
      return;
    case 2:
      await sql(
        `UPDATE kizen.deals SET discount = ${n / 4}, stage = 'Proposal' WHERE id = ${one('deals')}`,
      );
      return;
    case 3:
      store.update('deals', any('deals'), { next_step: `Step ${n}`, stage: 'Lost' });
      return;
    case 4:
      await sql(
        `UPDATE kizen.companies SET employees = ${n}, labels = '{vip,tag ${n}}' WHERE id = ${one('companies')}`,
      );
      return;
    case 5:
      store.update('companies', any('companies'), { employees: n, name: `Name ${n}` });
      return;
    case 6:
      await sql(
        `INSERT INTO kizen.client_client_deals (client_client_id, deals_id)
         VALUES (${one('client_client')}, ${one('deals')}) ON CONFLICT DO NOTHING`,
      );
      return;
    case 7:
      if (n % 3 === 0) store.archive('client_client', any('client_client'));
      else store.update('client_client', any('client_client'), { company: any('companies') });
      return;
    case 8:
      if (n % 4 === 0) await sql(`DELETE FROM kizen.deals WHERE id = ${one('deals')}`);
      return;
    case 9:
      await sql(
        `UPDATE kizen.client_client SET lead_score = ${n}, company = ${one('companies')}
          WHERE id = ${one('client_client')}`,
      );
      return;
    default: {
      const fault: Fault = { kind: FAULTS[random.int(FAULTS.length)] ?? 'html', count: 1 };
      if (n % 4 === 0) faults.add(fault);
    }
  }
}

test('both sides come to hold the same, whatever happens on both', {
  timeout: 240_000,
}, async () => {
  const daemon = await startDaemon(workspace);
  try {
    const endMs = Date.now() + STORM_MS;
    for (let n = 1; Date.now() < endMs; n += 1) {
      await step(n);
      await new Promise((resolve) => setTimeout(resolve, 60 + random.int(200)));
    }
    workspace.emulator.faults.clear();
  } finally {
    await daemon.stop();
  }
  await expect
    .poll(
      async () => {
        await workspace.ageRows();
        const { left } = await workspace.sync();
        return { left, found: await workspace.differences() };
      },
      { timeout: 180_000, interval: 2_000 },
    )
    .toEqual({ left: nothingLeft, found: [] });
  const { store } = workspace.emulator;
  const born = store
    .all('deals')
    .flatMap((record) => /"Local \d+"/.exec(JSON.stringify(record)) ?? []);
  expect(new Set(born).size).toBe(born.length);
});
