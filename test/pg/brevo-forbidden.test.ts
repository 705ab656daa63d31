import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';

// A job that is forbidden, or whose object is not there, is about no record (invariant 10): all wait, say why, and go
// once that is mended. Each such call comes out of a hundred an hour.

const signal = new AbortController().signal;
let brevo: BrevoFixture;

beforeAll(async () => {
  brevo = await openBrevo({
    sizes: { contacts: 5, companies: 2, deals: 0, vehicle: 40, trip: 0 },
    switches: { jobMs: 50 },
  });
  await pullAll(brevo.session, { signal, priority: 'pull' });
});
afterAll(() => brevo.stop());

async function admin(method: string, path: string, body?: object): Promise<unknown> {
  const root = brevo.emulator.url.replace(/\/v3$/, '');
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return await (await fetch(`${root}/_emulator/${path}`, { method, ...sent })).json();
}

async function countJobs(): Promise<number> {
  const { endpoints } = (await admin('GET', 'stats')) as {
    readonly endpoints: Readonly<Record<string, { readonly requests: number }>>;
  };
  return Object.entries(endpoints)
    .filter(([endpoint]) => endpoint.includes('/batch/upsert'))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
}

const states = () =>
  brevo.sql(
    `SELECT state, split_part(last_error, ':', 1) AS code, count(*)::int AS rows
       FROM brevo_sync.outbox GROUP BY 1, 2`,
  );

const ANSWERS = [
  [403, 'remote-forbidden'],
  [404, 'remote-not-found'],
] as const;

test.for(ANSWERS)('a job that is answered with %i parks nobody', async ([status, code]) => {
  await brevo.sql(`UPDATE brevo.vehicle SET seats = $1`, [status]);
  await admin('POST', 'faults', { kind: 'status', status, path: '/objects/vehicle/batch' });
  const before = await countJobs();
  await pushOnce(brevo.session, { signal });
  expect((await countJobs()) - before).toBe(2);
  expect(await states()).toContainEqual({ state: 'pending', code, rows: 40 });
  await admin('DELETE', 'faults');
  await sleep(1_100);
  await brevo.dueNow();
  await pushOnce(brevo.session, { signal });
  expect((await states()).filter(({ state }) => state === 'pending' || state === 'parked')).toEqual(
    [],
  );
  expect((await countJobs()) - before).toBe(3);
});

test.for(ANSWERS)('a job of links that is answered with %i parks none', async ([status, code]) => {
  await brevo.sql('DELETE FROM brevo_sync.outbox');
  await brevo.sql(
    `INSERT INTO brevo.vehicle_owner (vehicle_id, contacts_id)
     SELECT v.id, (SELECT c.id FROM brevo.contacts AS c
                    WHERE NOT EXISTS (SELECT FROM brevo.vehicle_owner AS l WHERE l.vehicle_id = v.id AND l.contacts_id = c.id)
                    ORDER BY c.id LIMIT 1)
       FROM brevo.vehicle AS v ORDER BY v.id LIMIT 30`,
  );
  await admin('POST', 'faults', { kind: 'status', status, path: '/objects/vehicle/batch' });
  const before = await countJobs();
  await pushOnce(brevo.session, { signal });
  expect((await countJobs()) - before).toBe(2);
  expect(await states()).toEqual([{ state: 'pending', code, rows: 30 }]);
  await admin('DELETE', 'faults');
  await sleep(1_100);
  await brevo.dueNow();
  await pushOnce(brevo.session, { signal });
  expect((await countJobs()) - before).toBe(3);
  expect((await states()).filter(({ state }) => state === 'pending' || state === 'parked')).toEqual(
    [],
  );
});
