import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DatabaseGroup } from '../../src/app/fleet/database-group.ts';
import { Fleet } from '../../src/app/fleet/fleet.ts';
import { fleetFromOptions } from '../../src/app/fleet/options.ts';
import type { WorkspaceWork } from '../../src/app/fleet/workspace.ts';
import { logFor } from '../../src/app/log.ts';
import type { Session } from '../../src/app/session.ts';
import { schemasOf } from '../../src/db/control/schemas.ts';
import { migrateControl } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// How many workspaces a process is given at a time is bounded by how many it gets going: those that
// wait for a CRM are not to keep it from its share.

const NAMES = Array.from({ length: 30 }, (_, n) => `w${n}`);

let database: TestDatabase;
const fleets: Fleet[] = [];

beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterEach(async () => {
  for (const fleet of fleets.splice(0)) await fleet.stop();
  await database.drop();
});

function workIn(group: DatabaseGroup, crm: 'answers' | 'hangs'): WorkspaceWork {
  const ended = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
  return {
    prepare: async (config) => void (await migrateControl(group.bind(schemasOf(config.schema)))),
    prove: async () => {},
    async open(_config, _log, signal) {
      if (crm === 'hangs') await ended(signal);
      return { stop: async () => {} } as Session;
    },
    async serve(_session, { signal, onReady }) {
      onReady();
      await ended(signal);
    },
  };
}

async function begin(crm: 'answers' | 'hangs'): Promise<Fleet> {
  const { url } = database;
  const entry = { workspace: 'demo', apiKey: 'key' };
  const workspaces = Object.fromEntries(NAMES.map((name) => [name, entry]));
  const fleet = new Fleet({
    log: logFor(undefined),
    workIn: (group) => workIn(group, crm),
    embedded: null,
    onBug(error) {
      throw error;
    },
  });
  fleets.push(fleet);
  await fleet.follow(await fleetFromOptions({ database: { url }, workspaces }));
  return fleet;
}

const led = (fleet: Fleet) => fleet.workspaces().filter(({ hold }) => hold.epoch !== null).length;

test('a process whose workspaces wait for their CRM is given its share all the same', async () => {
  const first = await begin('answers');
  await expect.poll(() => led(first), { timeout: 60_000 }).toBe(NAMES.length);
  const second = await begin('hangs');
  await expect.poll(() => [led(first), led(second)], { timeout: 30_000 }).toEqual([15, 15]);
}, 120_000);
