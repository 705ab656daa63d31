import { expect, test } from 'vitest';
import { push, withBrevo } from './scripted-brevo.ts';

// Who is not shown is not there, says whoever asks: only a list that was seen whole can tell that.

const COUNT = 25;
const shown = (id: number) => ({
  identifiers: { id },
  attributes: { plate: `P${id}` },
  createdAt: '2026-07-01T00:00:00.000Z',
  updatedAt: '2026-07-01T00:00:00.000Z',
});

/** Pages of ten of a list sorted by the last edit, newest first; `edit` happens behind each page. */
function readBack(ids: readonly string[], edit: (list: number[], page: number) => void) {
  const list = Array.from({ length: COUNT }, (_, index) => index + 1);
  let asked = 0;
  return withBrevo(
    ({ query }) => {
      const limit = Number(query.get('limit'));
      if (limit > 10) return { status: 400, body: { code: 'out_of_range', message: 'limit' } };
      const from = (Number(query.get('page_num')) - 1) * limit;
      const records = list.slice(from, from + limit).map(shown);
      asked += 1;
      edit(list, asked);
      return { body: { count: COUNT, records } };
    },
    async ({ remote, schema }) => {
      const object = schema('vehicle');
      return await remote.jobs.readBack({ object, ids, externalIds: [] }, push);
    },
  );
}

const toFront = (list: number[], id: number) => {
  list.splice(list.indexOf(id), 1);
  list.unshift(id);
};

test('whoever moves to a page that was read is looked for again', async () => {
  const back = await readBack(['22'], (list, page) => {
    if (page === 2) toFront(list, 22);
  });
  expect(back.records.map(({ id }) => id)).toEqual(['22']);
});

test('a list that never holds still tells of nobody that he is not there', async () => {
  const restless = await readBack(['99'], (list) => {
    toFront(list, list[14] ?? 0);
  });
  expect(restless).toEqual({ records: [], isWhole: false });
  expect(await readBack(['99'], () => undefined)).toEqual({ records: [], isWhole: true });
});

test('who is found needs no proof', async () => {
  const back = await readBack(['1', '2'], (list) => {
    toFront(list, list[14] ?? 0);
  });
  expect(back).toMatchObject({ records: [{ id: '1' }, { id: '2' }], isWhole: true });
});
