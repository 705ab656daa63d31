import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect, standingClock, textOf } from './api-client.ts';

const step = fc.record({
  act: fc.constantFrom('create', 'update', 'delete', 'stamp'),
  which: fc.nat({ max: 40 }),
  waitMs: fc.constantFrom(0, 0, 1, 1000),
});

test('lists by time agree with a plain sort, whatever happened before and between', {
  timeout: 30_000,
}, async () => {
  const pages = fc.record({
    offset: fc.nat({ max: 12 }),
    limit: fc.integer({ min: 1, max: 12 }),
    descending: fc.boolean(),
    backMs: fc.nat({ max: 3000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), pages, async (script, page) => {
      const clock = standingClock('2026-03-01T00:00:00.000Z');
      const { emulator, get } = await connect({ clock: clock.read });
      const { store } = emulator;
      try {
        for (const { act, which, waitMs } of script) {
          clock.advance(waitMs);
          const ids = store.ids('task');
          const id = ids[which % Math.max(1, ids.length)];
          if (act === 'create' || id === undefined) store.create('task', { title: String(which) });
          else if (act === 'update') store.update('task', id, { title: `again ${which}` });
          else if (act === 'delete') store.delete('task', id);
          else store.stampMany('task', ids.slice(0, 3), clock.read());
          // Builds the order early in some runs, so that later edits have to keep it.
          if (which === 0) await get('/objects/task/resources', { 'page[limit]': 1 });
        }
        const from = new Date(clock.read() - page.backMs).toISOString();
        const answer = await get('/objects/task/resources', {
          'sortOrder[column]': '_updated_at',
          'sortOrder[dir]': page.descending ? 'DESC' : 'ASC',
          'filter[_updated_at][Is on or after]': from,
          'page[offset]': page.offset,
          'page[limit]': page.limit,
        });
        const expected = store
          .all('task')
          .map(({ id, attributes }) => ({ id, at: textOf(attributes._updated_at) }))
          .filter(({ at }) => at >= from);
        expected.sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1));
        if (page.descending) {
          // Equal timestamps come in the opposite order too.
          expected.reverse();
        }
        expect(answer.body.data.map(({ id }) => id)).toEqual(
          expected.slice(page.offset, page.offset + page.limit).map(({ id }) => id),
        );
        expect(answer.body.meta.total_records).toBe(expected.length);
      } finally {
        await emulator.stop();
      }
    }),
    { numRuns: 60 },
  );
});
