import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/crm/clarify/capabilities.ts';
import type { Remote } from '../../../src/domain/remote.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendSingly } from '../../../src/push/writing/single.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { type Call, failure, fakeRemote } from './fake-remote.ts';

// Where all else is one record a call, deletions may be many.

const schema = objectSchema('person', [field('slug', 'text', { unique: true })]);
const { signal } = new AbortController();

function deletion(id: number, slug: string | null = null): Outgoing {
  return {
    kind: 'delete',
    recordId: `r-${id}`,
    entries: [BigInt(id)],
    fields: {},
    changes: slug === null ? {} : { slug: { base: slug, value: null } },
    identity: null,
    matchOn: null,
    attempts: 1,
    mayHaveArrived: false,
  };
}

function take(id: number, slug: string): Outgoing {
  const changes = { slug: { base: null, value: slug } };
  return { ...deletion(id), kind: 'update', fields: { slug }, changes };
}

async function send(
  changes: readonly Outgoing[],
  judge: (call: Call) => ReturnType<typeof failure> | null = () => null,
  there: readonly string[] = [],
) {
  const { remote, calls } = fakeRemote({ batchSize: 3, judge });
  const bulk: Remote = {
    ...remote,
    capabilitiesOf: () => ({ ...CAPABILITIES, writing: { kind: 'single', removals: 'bulk' } }),
    async delete(request, options) {
      await remote.delete(request, options);
      return there;
    },
  };
  const sent: Sent[] = [];
  const sending = { remote: bulk, nowMs: () => 0, mayStart: () => true };
  await sendSingly(sending, schema, changes, {
    priority: 'push',
    signal,
    report: async (some) => {
      sent.push(...some);
    },
  });
  const of = ({ change, kind }: Sent) => [change.recordId, kind] as const;
  const called = calls.map(({ kind, items }) => [kind, ...items.map(({ key }) => key)].join(' '));
  return { called, sent: Object.fromEntries(sent.map(of)) };
}

test('deletions go first, as many a call as it takes, and one alone by itself', async () => {
  const { called, sent } = await send([take(9, 'x'), ...[1, 2, 3, 4].map((id) => deletion(id))]);
  expect(called[0]).toBe('delete r-1 r-2 r-3');
  expect(called.slice(1).toSorted()).toEqual(['delete r-4', 'update r-9']);
  expect(new Set(Object.values(sent))).toEqual(new Set(['delivered']));
});

test('a call of several that is refused is taken apart, and one refused alone harms no other', async () => {
  const { called, sent } = await send(
    [1, 2, 3].map((id) => deletion(id)),
    ({ items }) => (items.some(({ key }) => key === 'r-2') ? failure({}) : null),
  );
  expect(called.toSorted()).toEqual(
    ['delete r-1 r-2 r-3', 'delete r-1', 'delete r-2', 'delete r-3'].toSorted(),
  );
  expect(sent).toEqual({ 'r-1': 'delivered', 'r-2': 'refused', 'r-3': 'delivered' });
});

test('whoever waits for a value that a record still holds goes on waiting', async () => {
  const changes = [take(9, 'x'), deletion(1, 'x'), deletion(2)];
  expect((await send(changes, () => null, ['r-1'])).sent).toEqual({
    'r-1': 'failed',
    'r-2': 'delivered',
    'r-9': 'waits',
  });
  expect((await send(changes)).called).toEqual(['delete r-1 r-2', 'update r-9']);
});

test('one that fails is tried again later, all of it', async () => {
  const away = failure({ disposition: 'retry', status: 503 });
  const { called, sent } = await send([deletion(1), deletion(2)], () => away);
  expect(called).toHaveLength(1);
  expect(sent).toEqual({ 'r-1': 'failed', 'r-2': 'failed' });
});
