import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PulseLoop, type PulseTarget, type Seen } from '../../src/app/fleet/pulse.ts';
import { bindDatabase, type Database } from '../../src/db/connection/database.ts';
import { openServer, type Server } from '../../src/db/connection/server.ts';
import { shareOf } from '../../src/db/connection/share.ts';
import { schemasOf } from '../../src/db/control/schemas.ts';
import { acquireLease } from '../../src/db/lease/lease.ts';
import { LeaseHold } from '../../src/db/lease/lease-hold.ts';
import { migrateControl } from '../../src/db/migrate.ts';
import type { SyncError } from '../../src/domain/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// What one statement does for all workspaces of a database must let none of them harm another.

const NAMES = ['acme', 'globex', 'north'];
const ME = 'me';

let database: TestDatabase;
let server: Server;
let seen: Map<string, Seen>;
let reach: Map<string, SyncError | null>;
let targets: Map<string, PulseTarget>;
let pulse: PulseLoop;

beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
  server = openServer({ url: database.url, applicationName: 'pulse test', reserved: 2 });
  seen = new Map();
  reach = new Map();
  targets = new Map();
  const options = {
    db: bindDatabase(server, schemasOf('fleet')),
    process: ME,
    facts: () => ({ leads: 0, opening: 0 }),
    onLook(now: ReadonlyMap<string, Seen>) {
      seen = new Map(now);
    },
    onBug(error: unknown) {
      throw error;
    },
  };
  pulse = new PulseLoop(options);
  for (const name of NAMES) await add(name);
  pulse.start();
});
afterEach(async () => {
  await pulse.stop();
  for (const { hold } of targets.values()) hold.letGo();
  await server.close();
  await database.drop();
});

async function add(name: string): Promise<void> {
  const db: Database = bindDatabase(server, schemasOf(name));
  await migrateControl(db);
  const hold = new LeaseHold();
  const target = {
    name,
    schemas: db.schemas,
    db,
    hold,
    able: () => true,
    ready: () => true,
    onReach: (error: SyncError | null) => void reach.set(name, error),
  };
  targets.set(name, target);
  pulse.add(target);
}

async function take(name: string): Promise<void> {
  const target = targets.get(name);
  if (target === undefined) throw new Error(name);
  const end = target.hold.endOf(9_000);
  const lease = await target.db.transaction((tx) => acquireLease(tx, { holder: ME, ttlMs: 9_000 }));
  if (lease !== null) target.hold.hold(lease.epoch, end);
}

const leaderOf = (name: string) => seen.get(name)?.leader;
const remaining = (name: string) => targets.get(name)?.hold.remainingMs() ?? 0;

test('one statement says of all who is alive, and renews what is held', async () => {
  await take('acme');
  await expect.poll(() => NAMES.map(leaderOf)).toEqual([ME, null, null]);
  await expect.poll(() => seen.get('north')?.members).toMatchObject([{ process: ME }]);
  const epoch = targets.get('acme')?.hold.epoch;
  await new Promise((resolve) => setTimeout(resolve, 4_500));
  expect(remaining('acme')).toBeGreaterThan(6_000);
  expect(targets.get('acme')?.hold.epoch).toBe(epoch);
});

test('tables that are locked or gone are one workspace’s trouble: the others keep their leases', async () => {
  for (const name of NAMES) await take(name);
  await expect.poll(() => NAMES.map(leaderOf)).toEqual([ME, ME, ME]);
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  try {
    await user.query('BEGIN; LOCK TABLE acme_sync.lease IN ACCESS EXCLUSIVE MODE');
    await expect
      .poll(() => reach.get('acme')?.code, { timeout: 8_000 })
      .toBe('database-lock-timeout');
    await user.query('DROP SCHEMA IF EXISTS nobody');
    await database.db.query('DROP SCHEMA globex_sync CASCADE');
    await expect.poll(() => reach.get('globex')?.code, { timeout: 8_000 }).toMatch(/^database-/);
    // Longer than a lease lasts: nobody's lock, and no table that is gone, kept it from being renewed.
    await new Promise((resolve) => setTimeout(resolve, 9_500));
    expect(targets.get('north')?.hold.epoch).not.toBeNull();
    expect(targets.get('acme')?.hold.epoch).toBeNull();
    expect(reach.get('north')).toBeNull();
  } finally {
    await user.query('ROLLBACK');
    await user.end();
  }
  await expect.poll(() => reach.get('acme'), { timeout: 8_000 }).toBeNull();
});

test('of shared connections each workspace has its share, and waits in turn', async () => {
  const most = shareOf(server, 3);
  const one = shareOf(most, 2);
  const other = shareOf(most, 2);
  const held = [await one.connect(), await one.connect()];
  let isServed = false;
  const third = one.connect().then((connection) => {
    isServed = true;
    return connection;
  });
  const theirs = await other.connect();
  expect(isServed).toBe(false);
  held[0]?.release();
  (await third).release();
  theirs.release();
  held[1]?.release();
  const all = await Promise.all([one.connect(), other.connect(), other.connect()]);
  for (const connection of all) connection.release();
});
