import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHintReader, type HintReader } from '../../src/app/daemon/hints.ts';
import type { HintsRead } from '../../src/app/hooks/read-hints.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import { lookAgain } from '../../src/db/position/hints.ts';
import { SyncError } from '../../src/domain/errors.ts';
import { CERTAIN_MS } from '../../src/domain/hint.ts';
import { type AttioWorkspace, openAttio } from '../support/attio.ts';
import { startDaemon } from '../support/daemon.ts';

// Where the CRM calls nobody, hints are looked for twice a minute alone: whatever is due and could not be
// read is not left until then.

let workspace: AttioWorkspace;
let session: Session;
let lease: { epoch: bigint | null; readonly remainingMs: () => number };
let reader: HintReader | null;
let told: { readonly object: string; readonly read: HintsRead; readonly atMs: number }[];

beforeEach(async () => {
  workspace = await openAttio({ sizes: { companies: 2, people: 2, deals: 1, projects: 1 } });
  session = await workspace.open({ hookUrl: null });
  await pullAll(session, { signal: new AbortController().signal, priority: 'pull' });
  lease = { epoch: 1n, remainingMs: () => 10_000 };
  reader = null;
  told = [];
});
afterEach(async () => {
  await reader?.stop();
  await workspace.stop();
});

async function start(more: Partial<Session> = {}): Promise<void> {
  const changed: Session = Object.create(session, Object.getOwnPropertyDescriptors(more));
  const onHalt = (error: unknown) => expect.unreachable(String(error));
  const onRead = (object: string, read: HintsRead) => {
    told.push({ object, read, atMs: performance.now() });
  };
  reader = createHintReader(changed, lease, { onHalt, onRead });
  await reader.start();
}

/** So many, told of long enough ago. */
const hint = (object: string, count = 1) =>
  workspace.sql(
    `INSERT INTO attio_sync.hint (object, id, kind, noted_at, due_at)
     SELECT $1, gen_random_uuid(), 'changed', clock_timestamp() - interval '1 hour', clock_timestamp()
       FROM generate_series(1, $2)`,
    [object, count],
  );

const hints = () => workspace.sql('SELECT object FROM attio_sync.hint');

/** Half of what they are looked for by themselves. */
const SOON = { timeout: 15_000 };

test('what failed is read again seconds later, and holds up nothing else', async () => {
  await hint('deals');
  const { readRecords = () => expect.unreachable('Attio reads by ids') } = session.remote;
  let fails = 1;
  const remote: Session['remote'] = Object.create(session.remote, {
    readRecords: {
      value: async (...call: Parameters<typeof readRecords>) => {
        fails -= 1;
        if (fails >= 0) {
          throw new SyncError('not now', { code: 'remote-unavailable', disposition: 'retry' });
        }
        return await readRecords(...call);
      },
    },
  });
  await start({ remote });
  await expect.poll(() => fails).toBe(0);
  await expect.poll(hints, SOON).toEqual([]);
});

test('more than is looked at together is looked at one part after another', async () => {
  await hint('people', 1_200);
  await start();
  await expect.poll(hints, SOON).toEqual([]);
  expect(told.map(({ read }) => read.hints)).toEqual([500, 500, 200]);
});

test('whoever comes to lead looks seconds later', async () => {
  lease.epoch = null;
  await hint('companies');
  await start();
  expect(told).toEqual([]);
  lease.epoch = 1n;
  await expect.poll(hints, SOON).toEqual([]);
});

test('what is doubted is read when it is certain, and not when somebody happens to look', async () => {
  await hint('deals');
  const daemon = await startDaemon({ session });
  try {
    // From now on nothing is due.
    await expect.poll(hints, SOON).toEqual([]);
    const [deal] = await workspace.sql('SELECT id FROM attio.deals');
    const since = new Date(Date.now() - CERTAIN_MS + 3_000).toISOString();
    await session.db.transaction((tx) =>
      lookAgain(tx, 'deals', [{ id: String(deal?.['id']), since }]),
    );
    await expect.poll(hints, SOON).toEqual([]);
  } finally {
    await daemon.stop();
  }
});
