import { expect, test } from 'vitest';
import type { Json } from '../../../../src/domain/json.ts';
import { type Fields, isObject } from '../../../../src/emulator/kernel/fields.ts';
import { type ApiAnswer, connect, textOf } from './api-client.ts';

const sizes = { company: 8, person: 30, deal: 40, task: 8, meeting: 8, message: 4, c_project: 8 };
const objects = ['company', 'person', 'deal', 'task', 'meeting', 'message', 'c_project'];

interface Told {
  readonly _id: string;
  readonly type: string;
  readonly _created_at: string;
  readonly actor: { readonly _id: string };
  readonly object: {
    readonly data?: Fields;
    readonly diff?: readonly Difference[];
  };
}

interface Difference {
  readonly path: readonly (string | number)[];
  readonly val?: Json;
  readonly oldVal?: Json;
}

/** Oldest first. */
function eventsOf({ body }: ApiAnswer): Told[] {
  const told: unknown[] = body.data.flatMap(({ attributes: { data } }) => data);
  return (told as Told[]).toReversed();
}

test.each(['current', 'classic'] as const)(
  'what a feed tells leads from the creation to what is there: %s',
  async (dialect) => {
    const { emulator, get } = await connect({
      dialect,
      sizes,
      switches: { activityTypes: 'colon' },
    });
    let edits = 0;
    for (const object of objects) {
      for (const { id, attributes } of emulator.store.all(object)) {
        const [born, ...changes] = eventsOf(
          await get(`/objects/${object}/records/${id}/activities`),
        );
        expect(born?.type).toBe('clarify:create');
        expect(born?._created_at).toBe(attributes._created_at);
        expect(born?.actor._id).toBe(attributes._created_by);
        const newest = changes.at(-1);
        expect(newest?._created_at ?? attributes._created_at).toBe(attributes._updated_at);
        if (newest !== undefined) expect(newest.actor._id).toBe(attributes._updated_by);
        const times = [born, ...changes].map((event) => event?._created_at ?? '');
        expect(new Set(times).size).toBe(times.length);
        expect(times).toEqual(times.toSorted());
        const shown = changes.reduce<Json>((fields, { object: { diff = [] } }) => {
          edits += 1;
          return diff.reduce(applied, fields);
        }, born?.object.data ?? null);
        const own = Object.entries(attributes).filter(([name]) => !name.startsWith('_'));
        expect(shown).toEqual(Object.fromEntries(own));
      }
    }
    expect(edits).toBeGreaterThan(100);
  },
);

test('deals go through stages, mostly forwards, and people become customers', async () => {
  const { emulator, get } = await connect({ sizes: { ...sizes, deal: 120, person: 60 } });
  const moves = async (object: string, field: string) => {
    const feeds = emulator.store.ids(object).map(async (id) => {
      const events = eventsOf(await get(`/objects/${object}/records/${id}/activities`));
      return events.flatMap(({ object: { diff = [] } }) =>
        diff.filter(({ path }) => path[0] === field).map(({ val, oldVal }) => [oldVal, val]),
      );
    });
    return (await Promise.all(feeds)).flat();
  };
  const order = ['Discovery', 'Proposal', 'Negotiation', 'Won'];
  const stages = (await moves('deal', 'stage')).map((move) =>
    move.map((stage) => order.indexOf(textOf(stage ?? null))),
  );
  const backwards = stages.filter(([was = 0, is = 0]) => is >= 0 && is < was);
  expect(stages.length).toBeGreaterThan(100);
  expect(backwards.length).toBeGreaterThan(10);
  expect(backwards.length).toBeLessThan(stages.length / 3);
  expect(await moves('person', 'lifecycle')).toContainEqual(['Qualified', 'Customer']);
});

test('what was told before an edit is told the same after it', async () => {
  const { call, emulator, get } = await connect({ sizes });
  const { store } = emulator;
  const { id } = store.all('deal').find(({ attributes }) => attributes._updated_by !== null) ?? {};
  const feed = `/objects/deal/records/${id}/activities`;
  const before = eventsOf(await get(feed));
  store.update('deal', id ?? '', { amount: 7 });
  store.stampMany('deal', [id ?? ''], Date.now());
  await call('PATCH', `/objects/deal/records/${id}`, {
    data: { type: 'deal', id, attributes: { amount: 8 } },
  });
  const after = eventsOf(await get(feed));
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.slice(before.length)).toMatchObject([
    { object: { diff: [{ path: ['amount'], val: 7 }] } },
    { object: { diff: [{ path: ['amount'], val: 8, oldVal: 7 }] } },
  ]);
});

function applied(value: Json, { path: [key, ...deeper], val = null }: Difference): Json {
  if (key === undefined) return val;
  if (Array.isArray(value)) {
    const items = value.toSpliced(
      Number(key),
      1,
      applied(value[Number(key)] ?? null, { path: deeper, val }),
    );
    // An item that was taken off the end leaves nothing there.
    return items.filter((item) => item !== null);
  }
  const fields = isObject(value) ? value : {};
  return { ...fields, [key]: applied(fields[String(key)] ?? null, { path: deeper, val }) };
}

test('a change of the fields takes nobody’s past away', async () => {
  const { emulator, get } = await connect({ sizes });
  const [deal] = emulator.store.all('deal');
  const tell = async () => eventsOf(await get(`/objects/deal/records/${deal?.id}/activities`));
  const before = await tell();
  expect(before.length).toBeGreaterThan(0);
  emulator.store.addField('deal', { name: 'score', form: { kind: 'text' } });
  emulator.store.removeField('deal', 'score');
  expect(await tell()).toEqual(before);
});
