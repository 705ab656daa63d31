import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import {
  acquireLease,
  holdsLease,
  readLease,
  releaseLease,
  renewLease,
} from '../../src/db/lease/lease.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Database;
const ttlMs = 60_000;
/** Also how long a keeper waits for an answer: on a busy machine one takes more than a few milliseconds. */
const renewEveryMs = 200;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(() => database.drop());
afterEach(async () => {
  await db.query('DELETE FROM clarify_sync.lease');
});

/** As if the holder had been silent for longer than its lease. */
async function letItExpire(): Promise<void> {
  await db.query(
    `UPDATE clarify_sync.lease SET expires_at = clock_timestamp() - interval '1 second'`,
  );
}

test('one of many gets it, and the epoch grows with every change of holder', async () => {
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, i) => acquireLease(db, { holder: `h${i}`, ttlMs })),
  );
  const [first] = claims.filter((lease) => lease !== null);
  expect(claims.filter((lease) => lease !== null)).toHaveLength(1);
  expect(await readLease(db)).toEqual(first);
  expect(await acquireLease(db, { holder: first?.holder ?? '', ttlMs })).toBeNull();
  await letItExpire();
  const second = await acquireLease(db, { holder: 'b', ttlMs });
  expect(second?.epoch).toBe((first?.epoch ?? 0n) + 1n);
  await releaseLease(db, second?.epoch ?? 0n);
  expect(await readLease(db)).toBeNull();
  const third = await acquireLease(db, { holder: 'b', ttlMs });
  expect(third?.epoch).toBe((second?.epoch ?? 0n) + 1n);
});

test('who has lost it neither renews nor releases nor settles', async () => {
  const old = await acquireLease(db, { holder: 'a', ttlMs });
  const epoch = old?.epoch ?? 0n;
  expect(await renewLease(db, epoch, ttlMs)).toBe(true);
  expect(await holdsLease(db, epoch)).toBe(true);
  await letItExpire();
  expect(await renewLease(db, epoch, ttlMs)).toBe(false);
  expect(await holdsLease(db, epoch)).toBe(false);
  const current = await acquireLease(db, { holder: 'b', ttlMs });
  await releaseLease(db, epoch);
  expect(await holdsLease(db, epoch)).toBe(false);
  expect(await holdsLease(db, current?.epoch ?? 0n)).toBe(true);
});

test('nobody takes over while a settlement is under way; renewals go on', async () => {
  const lease = await acquireLease(db, { holder: 'a', ttlMs });
  const epoch = lease?.epoch ?? 0n;
  await db.transaction(async (tx) => {
    expect(await holdsLease(tx, epoch)).toBe(true);
    expect(await renewLease(db, epoch, ttlMs)).toBe(true);
    await letItExpire();
    expect(await acquireLease(db, { holder: 'b', ttlMs })).toBeNull();
  });
  expect(await acquireLease(db, { holder: 'b', ttlMs })).toMatchObject({ epoch: epoch + 1n });
});

test('a leader that is paused within a settlement keeps nobody waiting for long', async () => {
  const lease = await acquireLease(db, { holder: 'a', ttlMs });
  const epoch = lease?.epoch ?? 0n;
  const paused = db.transaction(
    async (tx) => {
      expect(await holdsLease(tx, epoch)).toBe(true);
      await letItExpire();
      const next = () => acquireLease(db, { holder: 'b', ttlMs });
      await expect.poll(next, { timeout: 5_000 }).toMatchObject({ epoch: epoch + 1n });
      await tx.query('SELECT 1');
    },
    { idleTimeoutMs: 200 },
  );
  await expect(paused).rejects.toMatchObject({
    code: 'database-unreachable',
    disposition: 'retry',
  });
});

test('by default that is less than a lease lasts', async () => {
  const [row] = await db.transaction((tx) =>
    tx.query<{ limit: string }>(
      `SELECT current_setting('idle_in_transaction_session_timeout') AS limit`,
    ),
  );
  expect(row?.limit).toBe('8s');
});

test('a keeper leads, renews, and lets the next one in when it stops', async () => {
  const seen: (bigint | null)[] = [];
  const first = new LeaseKeeper(db, {
    holder: 'a',
    renewEveryMs,
    onChange: (epoch) => seen.push(epoch),
  });
  const second = new LeaseKeeper(db, { holder: 'b', renewEveryMs });
  try {
    await Promise.all([first.start(), first.start()]);
    await second.start();
    expect(first.epoch).toBe(1n);
    expect(first.remainingMs()).toBeGreaterThan(9_000);
    expect([second.epoch, second.remainingMs()]).toEqual([null, 0]);
    const expiresAt = (await readLease(db))?.expiresAt ?? '';
    await expect.poll(async () => (await readLease(db))?.expiresAt).not.toBe(expiresAt);
    await first.stop();
    await first.stop();
    expect(first.epoch).toBeNull();
    await expect.poll(() => second.epoch).toBe(2n);
    expect(seen).toEqual([1n, null]);
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
  expect(await readLease(db)).toBeNull();
});

test('a keeper that stands by is there when the lease of a dead one ends', async () => {
  await acquireLease(db, { holder: 'dead', ttlMs: 700 });
  const keeper = new LeaseKeeper(db, { holder: 'next', renewEveryMs: 30_000 });
  await keeper.start();
  expect(keeper.epoch).toBeNull();
  await expect.poll(() => keeper.epoch, { timeout: 5_000 }).not.toBeNull();
  await keeper.stop();
});

test('a keeper that was robbed of the lease says so and tries again', async () => {
  const seen: (bigint | null)[] = [];
  const keeper = new LeaseKeeper(db, {
    holder: 'a',
    renewEveryMs,
    onChange: (epoch) => seen.push(epoch),
  });
  await keeper.start();
  try {
    await letItExpire();
    const other = await acquireLease(db, { holder: 'b', ttlMs });
    // Either the keeper was quicker and has a new epoch, or it stands by.
    await expect.poll(() => seen[1]).toBeNull();
    if (other !== null) await releaseLease(db, other.epoch);
    await expect.poll(() => keeper.epoch).toBeGreaterThan(1n);
  } finally {
    await keeper.stop();
  }
});

test('a keeper that cannot reach the database loses the lease in time, and gets it back', async () => {
  const own = openDatabase({ url: database.url, applicationName: 'cut off', max: 1 });
  const seen: (bigint | null)[] = [];
  const options = { holder: 'a', ttlMs: 2_000, renewEveryMs };
  const keeper = new LeaseKeeper(own, { ...options, onChange: (epoch) => seen.push(epoch) });
  try {
    await keeper.start();
    await db.query(`ALTER TABLE clarify_sync.lease RENAME TO lease_out_of_reach`);
    await db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut off'`,
    );
    await expect.poll(() => seen).toEqual([1n, null]);
    expect([keeper.epoch, keeper.remainingMs()]).toEqual([null, 0]);
    await db.query('ALTER TABLE clarify_sync.lease_out_of_reach RENAME TO lease');
    await expect.poll(() => keeper.epoch).toBe(2n);
  } finally {
    await keeper.stop();
    await own.close();
  }
});

test('what a keeper says lasts no longer than from before it asked', async () => {
  let nowMs = 1_000;
  const slow: Database = {
    ...db,
    transaction(work, options) {
      nowMs += 5_000;
      return db.transaction(work, options);
    },
  };
  const keeper = new LeaseKeeper(slow, {
    holder: 'a',
    ttlMs,
    renewEveryMs: ttlMs,
    monotonicMs: () => nowMs,
  });
  try {
    await keeper.start();
    expect(keeper.remainingMs()).toBe(ttlMs - 5_000);
    nowMs += ttlMs - 5_000;
    expect([keeper.epoch, keeper.remainingMs()]).toEqual([null, 0]);
  } finally {
    await keeper.stop();
  }
});

test('a keeper whose machine slept leads no longer, and goes on where nobody took the lease', async () => {
  let nowMs = 1_000_000;
  const seen: (bigint | null)[] = [];
  const onChange = (epoch: bigint | null) => seen.push(epoch);
  const options = { holder: 'a', renewEveryMs, onChange, nowMs: () => nowMs };
  const keeper = new LeaseKeeper(db, options);
  await keeper.start();
  try {
    // A clock set back prolongs nothing.
    nowMs -= 3_600_000;
    expect(keeper.remainingMs()).toBeLessThanOrEqual(10_000);
    nowMs += 2 * 3_600_000;
    expect([keeper.epoch, keeper.remainingMs()]).toEqual([null, 0]);
    await expect.poll(() => keeper.epoch).toBe(1n);
    expect(seen).toEqual([1n]);
  } finally {
    await keeper.stop();
  }
});

test('a dead leader’s lease is over in time although the database’s clock was set back', async () => {
  await acquireLease(db, { holder: 'dead', ttlMs: 3_600_000 });
  const keeper = new LeaseKeeper(db, { holder: 'next', ttlMs: 400, renewEveryMs });
  await keeper.start();
  try {
    expect(keeper.epoch).toBeNull();
    await expect.poll(() => keeper.epoch, { timeout: 10_000 }).toBe(2n);
  } finally {
    await keeper.stop();
  }
});

test('a lease that moves belongs to somebody alive, however far away its end', async () => {
  const lease = await acquireLease(db, { holder: 'alive', ttlMs: 3_600_000 });
  const keeper = new LeaseKeeper(db, { holder: 'next', ttlMs: 1_500, renewEveryMs });
  await keeper.start();
  try {
    for (let n = 0; n < 30; n += 1) {
      await renewLease(db, lease?.epoch ?? 0n, 3_600_000 - n);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(keeper.epoch).toBeNull();
    }
  } finally {
    await keeper.stop();
  }
});

test('a start that fails leaves nothing behind, and can be tried again', async () => {
  await db.query('ALTER TABLE clarify_sync.lease RENAME TO lease_out_of_reach');
  const keeper = new LeaseKeeper(db, { holder: 'a' });
  try {
    await expect(keeper.start()).rejects.toMatchObject({ code: 'database-statement' });
  } finally {
    await db.query('ALTER TABLE clarify_sync.lease_out_of_reach RENAME TO lease');
  }
  await keeper.start();
  expect(keeper.epoch).not.toBeNull();
  await keeper.stop();
});
