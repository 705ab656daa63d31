import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { confirmUpdates, leftOut } from '../../../src/push/confirm-answers.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { failure, fakeRemote } from './fake-remote.ts';

const schema = objectSchema('person', [
  field('title', 'text'),
  field('note', 'text'),
  field('name', 'json'),
]);
const signal = new AbortController().signal;
const options = { priority: 'push', signal } as const;

type Fields = Readonly<Record<string, Json>>;

function record(id: string, fields: Fields): RemoteRecord {
  const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
  return { id, fields, ...system, mergedIds: [], links: {} };
}

/** An edit of the title from `old` to `new`, unless told otherwise. */
function edit(id: string, rest: Partial<Outgoing> = {}, base: Json = 'old'): Outgoing {
  const fields = rest.fields ?? { title: 'new' };
  const changes = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, { base, value }]),
  );
  const common = {
    entries: [1n],
    identity: null,
    matchOn: null,
    attempts: 1,
    mayHaveArrived: false,
  };
  return { kind: 'update', recordId: id, fields, changes, ...common, ...rest };
}

/** What is found out where the CRM holds these records, and its answer told of some. */
async function confirm(
  changes: readonly Outgoing[],
  held: readonly RemoteRecord[],
  answer: readonly RemoteRecord[] = [],
) {
  const fake = fakeRemote({ batchSize: 100 });
  const byId = new Map(held.map((one) => [one.id, one]));
  const remote = {
    ...fake.remote,
    readPage: async () => {
      fake.looks.push('page');
      return { records: [...held], total: held.length, more: false };
    },
    readRecord: async ({ id }: { id: string }) => {
      fake.looks.push(id);
      return byId.get(id) ?? null;
    },
  };
  const told = new Map(
    changes.flatMap((change) => {
      const found = answer.find(({ id }) => id === change.recordId);
      return found ? [[change, found] as const] : [];
    }),
  );
  const sent = await confirmUpdates(remote, schema, { changes, told }, options);
  return { kinds: sent.map(({ kind }) => kind), sent, looks: fake.looks };
}

describe('an update is done only where its record shows it', () => {
  test('the answer that shows it is enough', async () => {
    const found = record('a', { title: 'new' });
    expect(await confirm([edit('a')], [], [found])).toMatchObject({
      sent: [{ kind: 'delivered', record: found }],
      looks: [],
    });
  });

  test.each<[string, RemoteRecord[]]>([
    ['does not hold it', []],
    ['holds another', [record('b', { title: 'new' })]],
    ['shows what was there before', [record('a', { title: 'old' })]],
    ['has no such field', [record('a', { note: 'x' })]],
  ])('an answer that %s is not: the record is read again', async (_name, answer) => {
    const applied = await confirm([edit('a')], [record('a', { title: 'new' })], answer);
    expect(applied).toMatchObject({ kinds: ['delivered'], looks: ['a'] });
    const passedOver = await confirm([edit('a')], [record('a', { title: 'old' })], answer);
    expect(passedOver).toMatchObject({
      sent: [{ kind: 'failed', error: { code: 'push-unconfirmed', ambiguous: false } }],
    });
    const deleted = await confirm([edit('a')], [], answer);
    expect(deleted.kinds).toEqual(['gone']);
  });

  test('one field of two that is passed over is not all of it', async () => {
    const both = edit('a', { fields: { title: 'new', note: 'new' } });
    const half = record('a', { title: 'new', note: 'old' });
    expect((await confirm([both], [half], [half])).kinds).toEqual(['failed']);
  });

  test.each<[string, Fields, Fields, Json]>([
    ['what the CRM made of a value', { title: ' new ' }, { title: 'new' }, 'old'],
    ['parts that it added', { name: { first: 'A' } }, { name: { first: 'A', full: 'A' } }, null],
    ['what somebody wrote since', { title: 'new' }, { title: 'newer' }, 'old'],
    ['nothing, where it was cleared', { title: null }, {}, 'old'],
    ['what was there, where it was sent again', { title: 'old' }, { title: 'old' }, 'old'],
  ])('%s counts as taken', async (_name, fields, shown, base) => {
    const told = Object.keys(shown).length === 0 ? [] : [record('a', shown)];
    const { kinds } = await confirm([edit('a', { fields }, base)], [record('a', shown)], told);
    expect(kinds).toEqual(['delivered']);
  });

  test('one that is taken time and again, and never shows, is for a person', async () => {
    const tired = edit('a', { attempts: 8 });
    expect((await confirm([tired], [record('a', { title: 'old' })])).kinds).toEqual(['refused']);
  });

  test('where it cannot be read either it is sent again', async () => {
    const { remote } = fakeRemote({ batchSize: 100 });
    const broken = {
      ...remote,
      readRecord: () => Promise.reject(failure({ disposition: 'retry', status: 503 })),
    };
    const changes = [edit('a')];
    const sent = await confirmUpdates(broken, schema, { changes, told: new Map() }, options);
    expect(sent).toMatchObject([{ kind: 'failed', error: { code: 'push-unconfirmed' } }]);
  });

  test('whatever is applied and whatever is told, each change ends as it stands', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ applied: fc.boolean(), told: fc.boolean() }), { maxLength: 100 }),
        async (cases) => {
          const changes = cases.map((_one, index) => edit(`r${index}`));
          const held = cases.map(({ applied }, index) =>
            record(`r${index}`, { title: applied ? 'new' : 'old' }),
          );
          const answer = held.filter((_one, index) => cases[index]?.told);
          const { kinds, looks } = await confirm(changes, held, answer.toReversed());
          expect(kinds).toEqual(cases.map(({ applied }) => (applied ? 'delivered' : 'failed')));
          // What is applied is found in one page; each other is asked for once.
          const lost = cases.filter(({ applied }) => !applied).length;
          const untold = cases.filter(({ applied, told }) => applied && !told).length;
          expect(looks.length).toBeLessThanOrEqual(lost + Math.min(untold, 3) + 1);
        },
      ),
    ));
});

test('what a create brought and its record lacks is left to be sent', () => {
  const create = edit('local:1', { kind: 'create', fields: { title: 'new', note: 'x' } });
  const made = (fields: Fields) => leftOut(schema, create, record('a', fields));
  expect(made({ title: 'new', note: 'x' })).toEqual({});
  expect(made({ title: 'NEW', note: null })).toEqual({ note: { base: null, value: 'x' } });
  // A field that is not told of is unknown.
  expect(made({ title: 'new' })).toEqual({});
});

test('an earlier value of our own, whose answer was lost, is no sign that this one was taken', async () => {
  // Two edits went out as one: the first had been sent before, and had arrived.
  const change = edit('1', { fields: { title: 'second' }, attempts: 2 });
  const held = [record('1', { title: 'first' })];
  const remote = {
    ...fakeRemote({ batchSize: 100 }).remote,
    readRecord: async () => held[0] ?? null,
  };
  const told = new Map<Outgoing, RemoteRecord>();
  const [sent] = await confirmUpdates(remote, schema, { changes: [change], told }, options);
  expect(sent?.kind).toBe('failed');
});
