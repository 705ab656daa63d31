import { afterEach, beforeEach, expect, test } from 'vitest';
import { backfillAll } from '../../src/app/backfill-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { SAMPLE_CAMPAIGN } from '../../src/emulator/clarify/sample-data/fill-extras.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** What commands read of what stands beside the records. */

let workspace: TestWorkspace;
const attached = { attachments: null, fields: {}, history: false, delete: 'push' } as const;

beforeEach(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 10, company: 12, deal: 10, task: 0, meeting: 0 } },
    config: {
      objects: { company: attached, person: attached },
      tables: { settings: true, lists: true, campaigns: [SAMPLE_CAMPAIGN], everyMs: 3_600_000 },
    },
  });
});
afterEach(() => workspace.stop());

/** Units that were read, by the table they are in. */
async function readings(): Promise<Record<string, unknown>> {
  const rows = await workspace.sql(
    `SELECT concat_ws(' ', part, nullif(object, '')) AS part, count(read_at)::int AS read FROM clarify_sync.side_reading
      WHERE part <> 'list_member' GROUP BY 1 HAVING count(read_at) > 0`,
  );
  return Object.fromEntries(rows.map(({ part, read }) => [String(part), read]));
}

const ALL = {
  setting: 1,
  list: 1,
  campaign_recipient: 1,
  'attachment company': 12,
  'attachment person': 10,
};

test('a backfill reads all of it, and says how far it is', async () => {
  const { session, signal, sql } = workspace;
  const shown = new Map<string, number>();
  await backfillAll(session, { signal, onProgress: ({ object, read }) => shown.set(object, read) });
  expect(await readings()).toEqual(ALL);
  const [users] = await sql('SELECT count(*)::int AS n FROM clarify.user');
  expect(users?.n).toBeGreaterThan(0);
  expect(shown.get('company attachments')).toBe(12);
  expect(shown.get('campaigns')).toBe(1);
});

test.each([['backfill', backfillAll] as const, ['sync', syncOnce] as const])(
  'a %s of one object reads what is of its records, and nothing else',
  async (_, run) => {
    const { session, signal } = workspace;
    await run(session, { signal, objects: ['company'] });
    expect(await readings()).toEqual({ 'attachment company': 12 });
  },
);
