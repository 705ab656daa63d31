import { afterEach, expect, test } from 'vitest';
import { createAttioRemote } from '../../../../src/crm/attio/remote.ts';
import { equalValues } from '../../../../src/domain/equal.ts';
import type { Json } from '../../../../src/domain/json.ts';
import { type EmulatorOptions, startAttio } from '../../../../src/emulator/attio/emulator.ts';
import { instantClock, pull, push } from '../clarify/scripted-server.ts';

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one.stop();
});

async function connected(options: EmulatorOptions = {}) {
  const emulator = await startAttio({
    sizes: { companies: 12, people: 40, deals: 9, projects: 6 },
    seed: 7,
    ...options,
  });
  const remote = createAttioRemote({
    baseUrl: emulator.url,
    apiKey: emulator.apiKey,
    allowancePercent: 80,
    clock: instantClock(),
  });
  running.push(emulator, remote);
  const objects = await remote.discover(pull);
  const of = (name: string) => {
    const found = objects.find(({ object }) => object === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return { emulator, remote, objects, of };
}

/** Whatever the sources leave open, each in one of its readings. */
const READINGS: readonly EmulatorOptions['switches'][] = [
  { tieOrder: 'shuffled', referenceOrder: 'shuffled', relationshipForm: 'id', nullClears: false },
  { limitOver: 'refuse', precision: 'ns', archivedValues: 'present', timeFilters: 'seconds' },
  { limitOver: 'honour', conflictStatus: '409', conflictNames: 'record', equalValues: 'renew' },
];

test.each(READINGS)('every record is read, page by page (%o)', async (switches) => {
  const { remote, objects } = await connected({ switches });
  expect(objects.map(({ object }) => object)).toEqual(['people', 'companies', 'deals', 'projects']);
  const counts = new Map<string, number>();
  for (const object of objects) {
    const seen = new Set<string>();
    for (let offset = 0, more = true; more; offset += 7) {
      const request = { object, orderBy: 'created', direction: 'asc', offset, limit: 7 } as const;
      const page = await remote.readPage(request, pull);
      for (const { id } of page.records) seen.add(id);
      more = page.more;
    }
    counts.set(object.object, seen.size);
  }
  expect(Object.fromEntries(counts)).toEqual({ people: 40, companies: 12, deals: 9, projects: 6 });
});

/** One value for each attribute that may be written, as a row would hold it. */
function valuesFor(members: readonly string[], company: string): Readonly<Record<string, Json>> {
  return {
    name: 'Apollo',
    code: 'A-1',
    priority: 4,
    active: true,
    budget: 1234.5678,
    hours: 0.1,
    starts_on: '2026-02-28',
    kickoff: '2026-02-28T23:59:59.999Z',
    tags: ['imported', 'key account'],
    urgency: 'High',
    lead: members[0] ?? null,
    customer: company,
    customer__object: 'companies',
  };
}

test.each(READINGS)('every kind of value is written, shown, cleared (%o)', async (switches) => {
  const { remote, of } = await connected({ switches });
  const object = of('projects');
  const members = ((await remote.readUsers(pull)) ?? []).map(({ id }) => id);
  const page = { orderBy: 'created', direction: 'asc', offset: 0, limit: 1 } as const;
  const [company] = (await remote.readPage({ ...page, object: of('companies') }, pull)).records;
  const fields = valuesFor(members, company?.id ?? '');
  const same = (shown: Readonly<Record<string, Json>>, sent: Readonly<Record<string, Json>>) =>
    Object.keys(sent).filter((name) => {
      const field = object.fields.find((one) => one.name === name);
      if (field === undefined) throw new Error(`no ${name}`);
      return !equalValues(field, shown[name] ?? null, sent[name] ?? null);
    });
  const [made] = await remote.create({ object, records: [fields], matchOn: 'code' }, push);
  if (made === undefined) throw new Error('nothing was made');
  expect(same(made.fields, fields)).toEqual([]);
  expect(made.fields['budget__currency']).toBe('EUR');
  const [again] = await remote.create({ object, records: [fields], matchOn: 'code' }, push);
  expect(again?.id).toBe(made.id);
  const cleared = Object.fromEntries(
    Object.keys(fields).flatMap((name) => (name === 'name' ? [] : [[name, null]])),
  );
  const [bare] = await remote.update({ object, records: [{ id: made.id, fields: cleared }] }, push);
  expect(same(bare?.fields ?? {}, cleared)).toEqual([]);
  expect(bare?.fields['name']).toBe('Apollo');
  expect(await remote.delete({ object, ids: [made.id] }, push)).toEqual([]);
  expect(await remote.delete({ object, ids: [made.id] }, push)).toEqual([]);
  expect(await remote.readRecord({ object, id: made.id, certain: true }, pull)).toBeNull();
});

test('a list is set to what is sent and nothing of it is left from before', async () => {
  const { remote, of } = await connected();
  const object = of('people');
  const make = { object, records: [{ email_addresses: ['b@x.example', 'a@x.example'] }] };
  const [made] = await remote.create({ ...make, matchOn: 'email_addresses' }, push);
  const id = made?.id ?? '';
  const records = [{ id, fields: { email_addresses: ['c@x.example', 'a@x.example'] } }];
  const [updated] = await remote.update({ object, records }, push);
  expect(updated?.fields['email_addresses']).toEqual(['c@x.example', 'a@x.example']);
  const clash = { object, records: [{ email_addresses: ['c@x.example'] }] };
  await expect(remote.create(clash, push)).rejects.toMatchObject({ code: 'remote-duplicate' });
});

test('links are a set from either end', async () => {
  const { remote, of } = await connected();
  const page = { orderBy: 'created', direction: 'asc', offset: 0, limit: 3 } as const;
  const people = (await remote.readPage({ ...page, object: of('people') }, pull)).records;
  const [deal] = (await remote.readPage({ ...page, object: of('deals') }, pull)).records;
  const ids = people.map(({ id }) => id);
  const request = {
    object: of('deals'),
    id: deal?.id ?? '',
    field: 'associated_people',
    target: 'people',
  };
  const linked = async (read: { object: typeof request.object; id: string; field: string }) =>
    new Set((await remote.readLinks({ ...read, offset: 0, limit: 500 }, pull)).ids);
  await remote.setLinks({ ...request, ids }, push);
  expect(await linked(request)).toEqual(new Set(ids));
  const back = { object: of('people'), id: ids[0] ?? '', field: 'associated_deals' };
  expect(await linked(back)).toContain(request.id);
  expect(await remote.removeLinks({ ...request, ids: ids.slice(0, 1) }, push)).toBe(true);
  expect(await linked(request)).toEqual(new Set(ids.slice(1)));
  expect(await linked(back)).not.toContain(request.id);
});

test('a link is taken away beside links with records that are deleted', async () => {
  const { emulator, remote, of } = await connected({ switches: { deletedTargets: 'kept' } });
  const { store } = emulator;
  const people = store.ids('people').slice(0, 4);
  const [id = ''] = store.ids('deals');
  const request = { object: of('deals'), id, field: 'associated_people', target: 'people' };
  await remote.setLinks({ ...request, ids: people }, push);
  const [dead = '', ended = '', ...left] = people;
  store.delete('people', [dead]);
  const read = { ...request, offset: 0, limit: 500 };
  expect((await remote.readLinks(read, pull)).ids).toContain(dead);
  expect(await remote.removeLinks({ ...request, ids: [ended] }, push)).toBe(true);
  expect(new Set((await remote.readLinks(read, pull)).ids)).toEqual(new Set(left));
});

test('a key that is revoked on the way halts', async () => {
  const { emulator, remote, of } = await connected();
  emulator.revoke();
  await expect(remote.readRecord({ object: of('people'), id: 'x' }, pull)).rejects.toMatchObject({
    code: 'remote-unauthorized',
    disposition: 'halt',
  });
});
