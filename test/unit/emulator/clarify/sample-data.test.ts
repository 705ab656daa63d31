import { expect, test } from 'vitest';
import { uniqueKeys } from '../../../../src/emulator/clarify/object-state.ts';
import { connect, textOf } from './api-client.ts';

const sizes = {
  person: 300,
  company: 40,
  deal: 60,
  task: 20,
  meeting: 20,
  meeting_recording: 5,
  message: 10,
  c_project: 15,
};

test('the same seed gives the same workspace, another seed another', async () => {
  const clockAt = (iso: string) => () => Date.parse(iso);
  const [one, two, other] = await Promise.all([
    connect({ sizes, seed: 7, clock: clockAt('2026-10-01T09:00:00.000Z') }),
    connect({ sizes, seed: 7, clock: clockAt('2026-12-24T18:00:00.000Z') }),
    connect({ sizes, seed: 8, clock: clockAt('2026-10-01T09:00:00.000Z') }),
  ]);
  const person = one.emulator.store.all('person');
  expect(two.emulator.store.all('person')).toEqual(person);
  expect(other.emulator.store.all('person')).not.toEqual(person);
  const [deal = ''] = one.emulator.store.ids('deal');
  expect(two.emulator.store.linked('deal', deal, 'people')).toEqual(
    one.emulator.store.linked('deal', deal, 'people'),
  );
});

test('an object’s records do not depend on how many of another there are later', async () => {
  const [few, many] = await Promise.all([
    connect({ sizes: { ...sizes, deal: 1 } }),
    connect({ sizes: { ...sizes, deal: 100 } }),
  ]);
  expect(few.emulator.store.all('person')).toEqual(many.emulator.store.all('person'));
});

test('unique values are unique, links lead somewhere, and timestamps lie in the past', async () => {
  const { emulator } = await connect({ sizes });
  const { store } = emulator;
  for (const [object, field] of [
    ['person', 'email_addresses'],
    ['company', 'domains'],
    ['deal', 'name'],
    ['c_project', 'code'],
  ] as const) {
    const keys = store
      .all(object)
      .flatMap(({ attributes }) => uniqueKeys(attributes[field] ?? null));
    expect(keys.length).toBeGreaterThan(0);
    expect(new Set(keys).size).toBe(keys.length);
  }
  const companies = new Set(store.ids('company'));
  const linked = store
    .all('person')
    .map(({ attributes }) => attributes.company_id)
    .filter((id) => id !== null);
  expect(linked.length).toBeGreaterThan(100);
  expect(linked.every((id) => companies.has(textOf(id)))).toBe(true);
  expect(store.ids('deal').some((id) => store.linked('deal', id, 'people').length > 1)).toBe(true);
  const stamps = store
    .all('person')
    .map(({ attributes }) => [textOf(attributes._created_at), textOf(attributes._updated_at)]);
  const now = new Date().toISOString();
  for (const [created = '', updated = ''] of stamps) {
    expect(created <= updated && updated <= now).toBe(true);
  }
  const untouched = stamps.filter(([created, updated]) => created === updated).length;
  expect(untouched).toBeGreaterThan(50);
  expect(untouched).toBeLessThan(200);
});

test.each(['current', 'classic'] as const)(
  'sample records pass the server’s own checks: %s',
  async (dialect) => {
    const { emulator, call } = await connect({ dialect, sizes, switches: { bulkRecordsMax: 0 } });
    const { store } = emulator;
    for (const object of store.objects()) {
      const writable = store
        .all(object)
        .filter(({ attributes }) => !textOf(attributes.event_id ?? '').startsWith('cal-'));
      expect(writable.length).toBeGreaterThan(0);
      const data = writable.map(({ id, type, attributes }) => ({
        type,
        id,
        attributes: Object.fromEntries(
          Object.entries(attributes).filter(([name]) => !name.startsWith('_')),
        ),
      }));
      const answer = await call('PATCH', `/objects/${object}/records`, { data });
      expect(answer.body.errors).toBeUndefined();
      expect(answer.body.data.map(({ attributes }) => attributes)).toEqual(
        writable.map(({ id }) => store.get(object, id)?.attributes),
      );
    }
  },
);
