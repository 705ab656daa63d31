import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PulseLoop } from '../../../src/app/fleet/pulse.ts';
import type { Database } from '../../../src/db/connection/database.ts';
import { DatabaseSyncError } from '../../../src/db/connection/database-error.ts';
import { schemasOf } from '../../../src/db/control/schemas.ts';
import { LeaseHold } from '../../../src/db/lease/lease-hold.ts';

const LOCKED = 'w137';
const NAMES = Array.from({ length: 200 }, (_, n) => `w${n}`);
/** Far away, or a busy machine: what each statement takes. */
const ANSWER_MS = 20;

const lockTimeout = () =>
  new DatabaseSyncError('locked', '55P03', { code: 'database-lock-timeout', disposition: 'retry' });

test('one of 200 workspaces whose tables are locked costs a few statements, and no other its beat', async () => {
  let statements = 0;
  const single = async (text: string) => {
    statements += 1;
    await sleep(ANSWER_MS);
    if (text.includes(`"${LOCKED}_sync".`)) throw lockTimeout();
    return [...text.matchAll(/\.beat\(/g)].map(() => ({
      renewed: false,
      epoch: null,
      members: [],
    }));
  };
  let resolve = (_seen: number) => {};
  const promise = new Promise<number>((done) => {
    resolve = done;
  });
  const db = { single } as unknown as Database;
  const pulse = new PulseLoop({
    db,
    process: 'me',
    facts: () => ({ leads: 0, opening: 0 }),
    onLook: (seen) => resolve(seen.size),
    onBug(error) {
      throw error;
    },
  });
  for (const name of NAMES) {
    pulse.add({
      name,
      schemas: schemasOf(name),
      db,
      hold: new LeaseHold(),
      able: () => true,
      ready: () => true,
      onReach: () => {},
    });
  }
  pulse.start();
  expect(await promise).toBe(NAMES.length - 1);
  expect(statements).toBeLessThanOrEqual(25);
  await pulse.stop();
});
