import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

/** An account whose clock the test moves, with jobs that take two seconds. */
async function slowly(switches: object = {}) {
  const clock = { ms: NOON };
  const emulator = await brevo({ clock: () => clock.ms, switches: { jobMs: 2_000, ...switches } });
  const status = async (id: number) => at((await emulator.get(`/processes/${id}`)).body, 'status');
  const plates = async () =>
    column(at((await emulator.records('vehicle')).body, 'records'), 'attributes', 'plate');
  const batch = (...names: readonly string[]) =>
    emulator.upsert(
      'vehicle',
      ...names.map((plate) => ({ identifiers: { ext_id: plate }, attributes: { plate } })),
    );
  return { ...emulator, clock, status, plates, batch };
}

test('a job is queued, then at work, then done; half-way, half of it is seen', async () => {
  const { clock, status, plates, batch, switches } = await slowly({ queueMs: 1_000 });
  await batch('a', 'b', 'c', 'd');
  expect(await status(1)).toBe('queued');
  clock.ms += 1_000;
  expect(await status(1)).toBe('in_process');
  switches.jobStatus = 'processing';
  expect(await status(1)).toBe('processing');
  expect(await plates()).toEqual([]);
  clock.ms += 1_000;
  expect(await plates()).toEqual(['a', 'b']);
  expect(await status(1)).toBe('processing');
  clock.ms += 1_000;
  expect(await status(1)).toBe('completed');
  expect(await plates()).toEqual(['a', 'b', 'c', 'd']);
});

test('jobs wait for each other, or overtake', async () => {
  const { clock, status, batch, switches } = await slowly();
  await batch('a');
  await batch('b');
  clock.ms += 2_000;
  expect([await status(1), await status(2)]).toEqual(['completed', 'in_process']);
  clock.ms += 2_000;
  expect(await status(2)).toBe('completed');
  switches.jobOrder = 'parallel';
  for (const name of 'cdefgh') await batch(name);
  const done = async () => await Promise.all([3, 4, 5, 6, 7, 8].map(status));
  clock.ms += 1_500;
  const half = await done();
  expect(new Set(half)).toEqual(new Set(['completed', 'in_process']));
  // One that came later was done before one that came earlier.
  expect(half.lastIndexOf('completed')).toBeGreaterThan(half.indexOf('in_process'));
  clock.ms += 1_500;
  expect(new Set(await done())).toEqual(new Set(['completed']));
});

test.each(['failed', 'cancelled'] as const)('a %s job has done half, or nothing', async (as) => {
  const { clock, status, plates, batch, admin, switches } = await slowly({ jobEnds: as });
  await batch('a', 'b');
  clock.ms += 2_000;
  expect(await status(1)).toBe(as);
  expect(await plates()).toEqual(['a']);
  switches.brokenJobs = 'nothing';
  await batch('c', 'd');
  clock.ms += 2_000;
  expect(await status(2)).toBe(as);
  expect(await plates()).toEqual(['a']);
  Object.assign(switches, { jobEnds: 'completed', brokenJobs: 'half' });
  await batch('e', 'f');
  expect(await admin('end-jobs', { as })).toEqual({ ids: [3] });
  expect(await status(3)).toBe(as);
  expect(await plates()).toEqual(['a', 'e']);
});

test('a completed job may have dropped records, and lists may not show the rest yet', async () => {
  const { clock, status, plates, batch, switches } = await slowly({ visibilityDelayMs: 30_000 });
  await batch('a', 'b');
  clock.ms += 2_000;
  expect(await status(1)).toBe('completed');
  expect(await plates()).toEqual([]);
  clock.ms += 30_000;
  expect(await plates()).toEqual(['a', 'b']);
  Object.assign(switches, { visibilityDelayMs: 0, dropShare: 1 });
  await batch('c');
  clock.ms += 2_000;
  expect(await status(2)).toBe('completed');
  expect(await plates()).toEqual(['a', 'b']);
});

test('processes come ten at a time, 50 at most, newest first', async () => {
  const { get, batch } = await slowly({ jobMs: 0 });
  for (let i = 0; i < 12; i += 1) await batch('a');
  const { body } = await get('/processes');
  expect(at(body, 'count')).toBe(12);
  expect(column(at(body, 'processes'), 'id')).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  const rest = at((await get('/processes?sort=asc&limit=50&offset=11')).body, 'processes');
  expect(rest).toEqual([{ id: 12, name: expect.any(String), status: 'completed' }]);
  expect((await get('/processes?limit=51')).status).toBe(400);
  expect((await get('/processes/first')).status).toBe(400);
});
