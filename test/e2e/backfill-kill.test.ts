import { expect, test } from 'vitest';
import { differences } from '../support/agreement.ts';
import { openWorkspace } from '../support/workspace.ts';
import { startCli } from './cli-process.ts';

const PEOPLE = 60_000;

test('killed at a third, it reads at most a fifth again, and every row is equal (invariant 8)', async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  const workspace = await openWorkspace({ emulator: { sizes: { ...none, person: PEOPLE } } });
  try {
    const { emulator, database, sql } = workspace;
    const env = {
      CLARIFY_API_URL: emulator.url,
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_WORKSPACE: emulator.workspace,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: 'off',
    };
    emulator.resetStats();
    const killed = startCli(['backfill', 'person', '--json'], { env });
    while (emulator.stats().recordsRead < PEOPLE / 3) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    killed.child.kill('SIGKILL');
    expect((await killed.ended).code).toBeNull();
    const [stands] = await sql('SELECT count(*)::int AS rows FROM clarify.person');
    expect(stands?.['rows']).toBeGreaterThan(PEOPLE / 6);
    expect(stands?.['rows']).toBeLessThan(PEOPLE / 2);

    const resumed = startCli(['backfill', 'person', '--json'], { env });
    expect(await resumed.ended).toMatchObject({ code: 0 });
    expect(emulator.stats().recordsRead).toBeLessThanOrEqual(1.2 * PEOPLE);
    expect(await differences(workspace)).toEqual([]);
  } finally {
    await workspace.stop();
  }
}, 240_000);
