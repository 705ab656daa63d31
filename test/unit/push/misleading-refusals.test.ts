import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Blame, RemoteError } from '../../../src/domain/errors.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendInBulk } from '../../../src/push/writing/bulk.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { type Call, failure, fakeRemote } from './fake-remote.ts';

// Servers that name the wrong records, all of them, or each time others: what they would take alone
// arrives all the same, and the number of calls has a bound (invariants 10, 12).

const schema = objectSchema('person', [field('key', 'text'), field('stage', 'text')]);

type Items = Call['items'];

function change(index: number, stage: string): Outgoing {
  const key = String(index);
  const rest = { recordId: key, entries: [BigInt(index)], identity: null, matchOn: null };
  const state = { changes: {}, attempts: 1, mayHaveArrived: false };
  return { kind: 'update', fields: { key, stage }, ...state, ...rest };
}

const rows = (count: number, stageOf: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => change(index, stageOf(index)));

function blame(position: number, reason: string, about: string | undefined = 'stage'): Blame {
  return { position, code: 'remote-invalid', field: about, reason };
}

function refusal(blames: readonly Blame[]): RemoteError {
  const [first] = blames;
  const { position: culprit, field: about, reason = 'Something in it is not right' } = first ?? {};
  return failure({ code: 'remote-invalid', blames, culprit, field: about, reason });
}

async function send(
  batch: readonly Outgoing[],
  judge: (items: Items, calls: number) => RemoteError | null,
  batchSize = 100,
) {
  const sent: Sent[] = [];
  let calls = 0;
  const fake = fakeRemote({
    batchSize,
    judge({ items }) {
      calls += 1;
      return judge(items, calls);
    },
  });
  await sendInBulk({ remote: fake.remote, nowMs: () => 0, mayStart: () => true }, schema, batch, {
    priority: 'push',
    signal: new AbortController().signal,
    report: async (some) => void sent.push(...some),
  });
  const ended = (kind: Sent['kind']) => sent.filter((one) => one.kind === kind);
  return { sent, calls, delivered: ended('delivered'), refused: ended('refused') };
}

const isBad = ({ stage }: Readonly<Record<string, Json>>) =>
  typeof stage === 'string' && stage.startsWith('bad');

/** Refuses what is bad; of several it says what `told` makes of it. */
function refusing(told: (items: Items, bad: readonly number[], calls: number) => readonly Blame[]) {
  return (items: Items, calls: number): RemoteError | null => {
    const bad = items.flatMap(({ fields }, position) => (isBad(fields) ? [position] : []));
    if (bad.length === 0) return null;
    return refusal(items.length === 1 ? [blame(0, 'no such stage')] : told(items, bad, calls));
  };
}

const everybody = (items: Items) => items.map((_, position) => position);

describe('of 1,500 rows nobody is parked who would be taken', () => {
  const SERVERS = {
    'all are named, most as given up': (items: Items, bad: readonly number[]) =>
      everybody(items).map((at) =>
        bad.includes(at) ? blame(at, 'no such stage') : blame(at, 'given up', undefined),
      ),
    'all are named, in the same words': (items: Items) =>
      everybody(items).map((at) => blame(at, 'no such stage')),
    'all are named, without a field': (items: Items) =>
      everybody(items).map((at) => blame(at, 'no such stage', undefined)),
    'the first is named': () => [blame(0, 'no such stage')],
    'the last is named': (items: Items) => [blame(items.length - 1, 'no such stage')],
    'counted from behind': (items: Items, bad: readonly number[]) =>
      bad.map((at) => blame(items.length - 1 - at, 'no such stage')),
    'one is named who is not in the call': (items: Items) => [
      blame(items.length + 7, 'no such stage'),
    ],
    'some are named by lot': (items: Items, _bad: readonly number[], calls: number) =>
      everybody(items)
        .filter((at) => (at * 31 + calls * 17) % 2 === 0)
        .map((at) => blame(at, 'no such stage')),
    'other words in each call': (_items: Items, bad: readonly number[], calls: number) =>
      bad.map((at) => blame(at, `no such stage (request ${calls})`)),
  };
  const MIXTURES: Readonly<Record<string, (index: number) => string>> = {
    'one is bad': (index) => (index === 77 ? 'bad' : 'good'),
    'every tenth is bad': (index) => (index % 10 === 0 ? 'bad' : 'good'),
    'every tenth is bad in its own way': (index) => (index % 10 === 0 ? `bad ${index}` : 'good'),
    'every other is bad': (index) => (index % 2 === 0 ? 'bad' : 'good'),
  };
  for (const [naming, told] of Object.entries(SERVERS)) {
    test(`by a server where ${naming}`, async () => {
      for (const stageOf of Object.values(MIXTURES)) {
        const batch = rows(1_500, stageOf);
        const { refused, delivered, calls } = await send(batch, refusing(told));
        expect(refused.every((one) => isBad(one.change.fields))).toBe(true);
        expect(refused.length + delivered.length).toBe(1_500);
        expect(calls).toBeLessThanOrEqual(2 * 1_500);
      }
      for (const stageOf of [() => 'bad', (index: number) => `bad ${index}`]) {
        const { refused, calls } = await send(rows(1_500, stageOf), refusing(told));
        expect(refused).toHaveLength(1_500);
        expect(calls).toBeLessThanOrEqual(1.2 * 1_500);
      }
    });
  }
});

describe('what is refused in company alone', () => {
  test('two that want the same of what nobody knows to be unique: one has it', async () => {
    for (const about of ['stage', undefined]) {
      const taken = new Set<Json | undefined>();
      const batch = rows(200, (index) => `stage ${index % 100}`);
      const { delivered, refused, calls } = await send(batch, (items) => {
        const stages = items.map(({ fields }) => fields['stage']);
        const clashes = stages.flatMap((stage, at) => {
          const isTwice = stages.some((other, index) => index !== at && other === stage);
          return isTwice || taken.has(stage) ? [blame(at, 'there is one already', about)] : [];
        });
        if (clashes.length > 0) return refusal(clashes);
        for (const stage of stages) taken.add(stage);
        return null;
      });
      expect(delivered).toHaveLength(100);
      expect(refused).toHaveLength(100);
      expect(calls).toBeLessThanOrEqual(2 * 200);
    }
  });

  test('too many together of what each alone is taken: all arrive', async () => {
    const { delivered, calls } = await send(
      rows(500, () => 'full'),
      (items) => {
        if (items.length === 1) return null;
        return refusal(everybody(items).map((at) => blame(at, 'too many of that stage')));
      },
    );
    expect(delivered).toHaveLength(500);
    expect(calls).toBeLessThanOrEqual(2 * 500 + 30);
  });
});

test('whoever is named, in whatever words: two calls a record and a few more at most', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('good', 'fine', 'bad', 'bad too'), { minLength: 1, maxLength: 150 }),
      fc.infiniteStream(fc.nat()),
      fc.constantFrom(1, 7, 25, 100),
      async (stages, lots, batchSize) => {
        const batch = stages.map((stage, index) => change(index, stage));
        const lot = (most: number) => (lots.next().value ?? 0) % most;
        const told = (items: Items, bad: readonly number[]) => {
          const says = lot(4);
          if (says === 0) return [];
          return everybody(items).flatMap((at) => {
            if (says === 3 || lot(3) > 0) return [];
            // Of others it may say anything, but not that they hold what they do not.
            const own = bad.includes(at) ? 'no such stage' : 'given up';
            return [blame(at + lot(2) * 200, own, lot(2) === 0 ? undefined : 'stage')];
          });
        };
        const { refused, delivered, calls } = await send(batch, refusing(told), batchSize);
        expect(refused.every((one) => isBad(one.change.fields))).toBe(true);
        expect(refused.length + delivered.length).toBe(batch.length);
        const batches = Math.ceil(batch.length / batchSize);
        expect(calls).toBeLessThanOrEqual(2 * batch.length + 3 * batches);
      },
    ),
    { numRuns: 300 },
  );
});
