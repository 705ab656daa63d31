import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Blame, RemoteError } from '../../../src/domain/errors.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendInBulk } from '../../../src/push/writing/bulk.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { type Call, failure, fakeRemote, keyOf } from './fake-remote.ts';

// A server that refuses by rules nobody knows, and tells of it as much as servers do: everything that
// it would take alone arrives, everything else is parked with what it says of that alone.

const schema = objectSchema('person', [
  field('key', 'text'),
  field('stage', 'text'),
  field('note', 'text'),
  { ...field('email', 'text'), unique: true },
]);

type Fields = Readonly<Record<string, Json>>;
type Naming =
  | 'all'
  | 'first'
  | 'last'
  | 'one'
  | 'two'
  | 'none'
  | 'next'
  | 'now and then'
  | 'no field'
  | 'half'
  | 'given up';

/** What a record is refused for; null where it is taken. */
type Rule = (fields: Fields) => { readonly field: string; readonly reason: string } | null;

interface Server {
  readonly rule: Rule;
  readonly naming: Naming;
}

function judge({ rule, naming }: Server) {
  let calls = 0;
  return ({ items }: Call): RemoteError | null => {
    calls += 1;
    const found = items.flatMap(({ fields }, position): Blame[] => {
      const complaint = rule(fields);
      return complaint === null ? [] : [{ position, code: 'remote-invalid', ...complaint }];
    });
    if (found.length === 0) return null;
    const blames = items.length === 1 ? found : named(found, naming, { calls, of: items.length });
    const [first] = blames;
    return failure({
      code: 'remote-invalid',
      blames,
      culprit: first?.position,
      field: first?.field,
      reason: first?.reason ?? 'Something in it is not right',
    });
  };
}

function named(
  found: readonly Blame[],
  naming: Naming,
  { calls, of }: { calls: number; of: number },
) {
  switch (naming) {
    case 'all':
      return found;
    case 'first':
      return found.slice(0, 1);
    case 'last':
      return found.slice(-1);
    case 'one':
      return found.slice(calls % found.length).slice(0, 1);
    case 'two':
      return found.slice(0, 2);
    case 'none':
      return [];
    case 'next':
      // Counted from 1: whoever comes after the culprit is named in his place.
      return found.slice(0, 1).map((blame) => ({ ...blame, position: (blame.position + 1) % of }));
    case 'now and then':
      return calls % 3 === 0 ? found : [];
    case 'no field':
      return found.map((blame) => ({ ...blame, field: undefined }));
    case 'half':
      return found.filter((_, index) => (index * 31 + calls * 17) % 2 === 0);
    case 'given up': {
      // Of those that are not to blame it says that they were given up with the others.
      const wrong = new Set(found.map(({ position }) => position));
      const others = Array.from({ length: of }, (_, position) => position);
      const reason = 'given up with the others';
      return [
        ...found,
        ...others
          .filter((position) => !wrong.has(position))
          .map((position) => ({ position, code: 'remote-invalid', field: undefined, reason })),
      ];
    }
  }
}

function change(index: number, fields: Fields): Outgoing {
  const key = String(index);
  const rest = { recordId: key, entries: [BigInt(index)], identity: null, matchOn: null };
  const said = { key, ...fields };
  const state = { changes: {}, attempts: 1, mayHaveArrived: false };
  return { kind: 'update', fields: said, ...state, ...rest };
}

async function send(server: Server, batch: readonly Outgoing[], batchSize = 100) {
  const sent: Sent[] = [];
  const fake = fakeRemote({ batchSize, judge: judge(server) });
  await sendInBulk({ remote: fake.remote, nowMs: () => 0, mayStart: () => true }, schema, batch, {
    priority: 'push',
    signal: new AbortController().signal,
    report: async (some) => void sent.push(...some),
  });
  return { sent, calls: fake.calls, carriedOut: fake.carriedOut };
}

/** Each change ends as it would alone, with the words that it would get alone. */
function expectEnds(rule: Rule, batch: readonly Outgoing[], sent: readonly Sent[]): void {
  const ends = sent.map((one) => {
    const reason = one.kind === 'refused' ? (one.error.reason ?? null) : null;
    return [keyOf(one.change.fields), one.kind, reason];
  });
  const wanted = batch.map(({ fields }) => {
    const complaint = rule(fields);
    return [keyOf(fields), complaint ? 'refused' : 'delivered', complaint?.reason ?? null];
  });
  const byKey = (a: (string | null)[], b: (string | null)[]) => Number(a[0]) - Number(b[0]);
  expect(ends.toSorted(byKey)).toEqual(wanted.toSorted(byKey));
}

const NAMINGS = [
  'all',
  'first',
  'last',
  'one',
  'two',
  'none',
  'next',
  'now and then',
  'no field',
  'half',
  'given up',
] as const;
const COMPLETE: readonly Naming[] = ['all', 'no field'];

const word = fc.constantFrom('a', 'b', 'c', 'd');
const anyRow = fc.record({ stage: word, note: word }, { requiredKeys: [] });
/** Refused are a stage, a note, or what is neither wrong by itself. */
const anyRule = fc
  .record({
    stages: fc.uniqueArray(word, { maxLength: 2 }),
    notes: fc.uniqueArray(word, { maxLength: 1 }),
    pair: fc.option(fc.tuple(word, word)),
  })
  .map(
    ({ stages, notes, pair }): Rule =>
      ({ stage, note }) => {
        if (stages.some((one) => one === stage)) {
          return {
            field: 'stage',
            reason: `no stage is ${typeof stage === 'string' ? stage : ''}`,
          };
        }
        if (notes.some((one) => one === note)) return { field: 'note', reason: 'not such a note' };
        const isPair = pair !== null && stage === pair[0] && note === pair[1];
        return isPair ? { field: 'stage', reason: 'not with this note' } : null;
      },
  );

test('what alone would be taken is delivered, all else is parked with its own reason', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRow, { minLength: 1, maxLength: 150 }),
      anyRule,
      fc.constantFrom(...NAMINGS),
      fc.constantFrom(1, 7, 25, 100),
      async (rows, rule, naming, batchSize) => {
        const batch = rows.map((fields, index) => change(index, fields));
        const { sent, calls, carriedOut } = await send({ rule, naming }, batch, batchSize);
        expectEnds(rule, batch, sent);
        expect([...carriedOut.values()].every((times) => times === 1)).toBe(true);
        const bad = batch.filter(({ fields }) => rule(fields) !== null).length;
        const batches = Math.ceil(batch.length / batchSize);
        if (COMPLETE.includes(naming)) {
          // Once all of them, and once what holds a value that another was refused for; and two alone
          // of whom the same is said.
          const twice = 2 * (2 * batches);
          const said = new Set(batch.flatMap(({ fields }) => rule(fields)?.reason ?? [])).size;
          expect(calls.length).toBeLessThanOrEqual(twice + Math.ceil(bad / batchSize) + 2 * said);
        } else {
          const each = 2 * Math.ceil(Math.log2(Math.min(batch.length, batchSize))) + 1;
          expect(calls.length).toBeLessThanOrEqual(batches + 8 + bad * each);
        }
      },
    ),
    { numRuns: 400 },
  );
});

describe('of 1,500', () => {
  const all = (stageOf: (index: number) => string) =>
    Array.from({ length: 1_500 }, (_, index) => change(index, { stage: stageOf(index) }));
  const rule: Rule = ({ stage }) => {
    const isBad = typeof stage === 'string' && stage.startsWith('bad');
    return isBad ? { field: 'stage', reason: `no stage is ${stage}` } : null;
  };

  for (const naming of COMPLETE) {
    test(`refused by one that names ${naming}, one call tells of a hundred`, async () => {
      for (const stageOf of [() => 'bad', (index: number) => `bad ${index}`]) {
        const batch = all(stageOf);
        const { sent, calls } = await send({ rule, naming }, batch);
        expectEnds(rule, batch, sent);
        expect(calls.length).toBeLessThanOrEqual(15 + 2);
        expect(calls.filter(({ items }) => items.length === 1)).toHaveLength(2);
      }
    });
  }

  for (const naming of NAMINGS) {
    test(`and naming ${naming}, each takes 1.2 at most`, async () => {
      for (const batchSize of [25, 100, 1_000]) {
        const batch = all((index) => `bad ${index}`);
        const { sent, calls } = await send({ rule, naming }, batch, batchSize);
        expectEnds(rule, batch, sent);
        expect(calls.length).toBeLessThanOrEqual(1_800);
      }
    });
  }

  for (const naming of ['all', 'first', 'one'] as const) {
    test(`4,500 good ones are not spoilt by what is refused for one value, naming ${naming}`, async () => {
      const batch = Array.from({ length: 6_000 }, (_, index) =>
        change(index, { stage: index % 4 === 0 ? 'bad' : 'good' }),
      );
      const { sent, calls } = await send({ rule, naming }, batch);
      expectEnds(rule, batch, sent);
      expect(calls.length).toBeLessThanOrEqual(60 + (naming === 'all' ? 30 : 1_550));
    });
  }

  test('500 good ones among them cost a few calls more', async () => {
    const batch = all((index) => (index % 3 === 0 ? 'good' : 'bad'));
    const { sent, calls } = await send({ rule, naming: 'all' }, batch);
    expectEnds(rule, batch, sent);
    expect(calls.length).toBeLessThanOrEqual(40);
  });
});
