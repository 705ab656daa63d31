import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INTERCEPTED } from '../../../src/domain/errors.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendInBulk } from '../../../src/push/writing/bulk.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { type FakeRemote, failure, fakeRemote } from './fake-remote.ts';

// Something before the API, such as a firewall, refuses calls and says of nobody that it means him.

const schema = objectSchema('person', [field('key', 'text')]);
const firewall = { code: INTERCEPTED, disposition: 'retry', status: 403 } as const;
const blocks = (keys: readonly number[]) => {
  const bad = new Set(keys.map(String));
  return fakeRemote({
    batchSize: 100,
    judge: ({ items }) => (items.some(({ key }) => bad.has(key)) ? failure(firewall) : null),
  });
};

function changes(count: number, attempts = 2): readonly Outgoing[] {
  return Array.from({ length: count }, (_, index) => {
    const key = String(index);
    const rest = { recordId: key, entries: [BigInt(index)], identity: null, matchOn: null };
    return {
      kind: 'update',
      fields: { key },
      changes: {},
      attempts,
      mayHaveArrived: false,
      ...rest,
    };
  });
}

async function send({ remote }: FakeRemote, batch: readonly Outgoing[]): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  await sendInBulk({ remote, nowMs: () => 0, mayStart: () => true }, schema, batch, {
    priority: 'push',
    signal: new AbortController().signal,
    report: async (some) => void sent.push(...some),
  });
  return sent;
}

const keysOf = (sent: readonly Sent[], kind: Sent['kind']) =>
  sent.flatMap((one) => (one.kind === kind ? [one.change.recordId] : [])).toSorted();

test('intercepts what one record holds: all others arrive at once, in a few calls each', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 250 }),
      fc.uniqueArray(fc.nat(249), { minLength: 1, maxLength: 2 }),
      async (count, some) => {
        const bad = some.filter((index) => index < count);
        const fake = blocks(bad);
        const sent = await send(fake, changes(count));
        expect(keysOf(sent, 'failed')).toEqual(bad.map(String).toSorted());
        expect(keysOf(sent, 'delivered')).toHaveLength(count - bad.length);
        expect([...fake.carriedOut.values()].every((times) => times === 1)).toBe(true);
        // Down to the one, and up again.
        const each = 2 * Math.ceil(Math.log2(100)) + 4;
        expect(fake.calls.length).toBeLessThanOrEqual(Math.ceil(count / 100) + bad.length * each);
      },
    ),
  );
});

test('mostly lets it through a moment later: the first time a batch waits whole', async () => {
  const fake = blocks([3]);
  const sent = await send(fake, changes(100, 1));
  expect(keysOf(sent, 'failed')).toHaveLength(100);
  expect(fake.calls).toHaveLength(1);
});

test('lets nobody through: that is found out in a few calls, and all wait', async () => {
  const fake = fakeRemote({ batchSize: 100, judge: () => failure(firewall) });
  const sent = await send(fake, changes(1_000));
  expect(keysOf(sent, 'failed')).toHaveLength(1_000);
  expect(fake.calls.length).toBeLessThanOrEqual(10 + 4 * 12);
});
