import { afterEach, expect, test } from 'vitest';
import { createClarifyRemote } from '../../../../src/crm/clarify/remote.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';
import {
  type Emulator,
  type EmulatorOptions,
  startCheckedEmulator,
} from '../../../support/checked-emulator.ts';
import { instantClock, pull, push } from './scripted-server.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function connect(options: EmulatorOptions) {
  const emulator = await startCheckedEmulator({ sizes: { person: 60, c_project: 5 }, ...options });
  stops.push(() => emulator.stop());
  return { emulator, ...(await open(emulator)) };
}

async function open(emulator: Emulator) {
  const remote = createClarifyRemote({
    baseUrl: emulator.url,
    workspace: emulator.workspace,
    apiKey: emulator.apiKey,
    allowancePercent: 80,
    clock: instantClock(),
  });
  stops.push(() => remote.stop());
  const objects = await remote.discover(pull);
  const object = (name: string): ObjectSchema => {
    const found = objects.find((one) => one.object === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return { remote, object };
}

const walk = { orderBy: 'created', direction: 'asc', limit: 25 } as const;
const dialects = ['current', 'classic'] as const;

test.each(dialects)(
  '%s: every record is read, field by field as the server holds it',
  async (dialect) => {
    const { emulator, remote, object } = await connect({ dialect });
    const person = object('person');
    const ids: string[] = [];
    for (let more = true; more; ) {
      const page = await remote.readPage({ object: person, ...walk, offset: ids.length }, pull);
      ids.push(...page.records.map(({ id }) => id));
      for (const record of page.records) {
        const held = emulator.store.get('person', record.id)?.attributes ?? {};
        const names = Object.keys(held).filter((name) => !name.startsWith('_'));
        expect(Object.keys(record.fields).toSorted()).toEqual(names.toSorted());
        expect(record.updatedAt).toBe(held._updated_at);
      }
      more = page.more;
    }
    expect(new Set(ids)).toEqual(new Set(emulator.store.ids('person')));
  },
);

test.each(dialects)(
  '%s: records are created, changed in every list field, and deleted',
  async (dialect) => {
    const { emulator, remote, object } = await connect({ dialect });
    const person = object('person');
    const records = [{ email_addresses: ['A@x.example'] }, { email_addresses: ['b@x.example'] }];
    const matchOn = 'email_addresses';
    const created = await remote.create({ object: person, records, matchOn }, push);
    const again = await remote.create({ object: person, records, matchOn }, push);
    const ids = created.map(({ id }) => id);
    expect(again.map(({ id }) => id)).toEqual(ids);

    const project = object('c_project');
    const lists = project.fields.filter(({ kind }) => kind === 'texts').map(({ name }) => name);
    expect(lists.length).toBeGreaterThan(1);
    const [id = ''] = emulator.store.ids('c_project');
    const cleared = Object.fromEntries(lists.map((name) => [name, []]));
    await remote.update({ object: project, records: [{ id, fields: cleared }] }, push);
    const read = await remote.readRecord({ object: project, id }, pull);
    for (const name of lists) expect(read?.fields[name] ?? []).toEqual([]);

    await remote.delete({ object: person, ids: [...ids, 'unknown'] }, push);
    for (const gone of ids) expect(emulator.store.get('person', gone)).toBeNull();
  },
);

test.each(dialects)(
  '%s: a create that arrived without an answer is not sent twice',
  async (dialect) => {
    const { emulator, remote, object } = await connect({ dialect });
    const before = emulator.store.count('task');
    emulator.faults.add({ method: 'POST', kind: 'reset-after-write' });
    const create = { object: object('task'), records: [{ title: 'Call back' }] };
    await expect(remote.create(create, push)).rejects.toMatchObject({ ambiguous: true });
    expect(emulator.store.count('task')).toBe(before + 1);
  },
);

test('every kind of failure on the way is got over by a read', async () => {
  const { emulator, remote, object } = await connect({});
  const path = 'person/resources';
  const retryAfterForm = 'date';
  emulator.faults.add({
    path,
    count: 1,
    kind: 'status',
    status: 429,
    retryAfter: 3,
    retryAfterForm,
  });
  emulator.faults.add({ path, count: 1, kind: 'html', status: 502 });
  emulator.faults.add({ path, count: 1, kind: 'truncated' });
  emulator.faults.add({ path, count: 1, kind: 'malformed' });
  emulator.faults.add({ path, count: 1, kind: 'reset-before-write' });
  const page = await remote.readPage({ object: object('person'), ...walk, offset: 0 }, pull);
  expect(page.records).toHaveLength(25);
  expect(remote.stats().find(({ endpoint }) => endpoint.includes(path))?.requests).toBe(6);
});

test('whatever the server leaves open, the client takes it as it comes', async () => {
  const { emulator, remote, object } = await connect({
    switches: {
      schemaForm: 'bare',
      pageMax: 100,
      bulkRecordsMax: 10,
      bulkDelete: '405',
      bulkAnswerOrder: 'shuffled',
      deletedFeed: 'missing',
      omitNulls: true,
      ignoresUnknownTopLevelKeys: false,
      updatedAtUntilEdit: 'absent',
    },
  });
  const person = object('person');
  const page = await remote.readPage({ object: person, ...walk, limit: 500, offset: 0 }, pull);
  expect(page.records).toHaveLength(60);
  expect(remote.limits.pageSize).toBe(100);
  const since = { sinceMs: 0, offset: 0, limit: 100 };
  expect(await remote.readDeletions({ object: person, ...since }, pull)).toBeNull();
  const ids = emulator.store.ids('person');
  const updates = ids.slice(0, 20).map((id) => ({ id, fields: { job_title: 'Changed' } }));
  const update = remote.update({ object: person, records: updates }, push);
  await expect(update).rejects.toMatchObject({ code: 'remote-too-large' });
  await remote.update(
    { object: person, records: updates.slice(0, remote.limits.batchSizeOf('person')) },
    push,
  );
  await remote.delete({ object: person, ids: ids.slice(0, 3) }, push);
  expect(emulator.store.count('person')).toBe(57);
});
