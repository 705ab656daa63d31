import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RemoteError } from '../../../src/domain/errors.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendInBulk } from '../../../src/push/writing/bulk.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { type Call, type FakeRemote, failure, fakeRemote, keyOf } from './fake-remote.ts';

const schema = objectSchema('person', [field('key', 'text')]);
const KINDS = ['create', 'update', 'delete'] as const;

function change(index: number, rest: Partial<Outgoing> = {}): Outgoing {
  const key = String(index);
  const fields = { key };
  const identity = { recordId: key, entries: [BigInt(index)], identity: null, matchOn: null };
  const mayHaveArrived = false;
  return { kind: 'update', fields, changes: {}, attempts: 1, mayHaveArrived, ...identity, ...rest };
}

function changes(count: number, rest: Partial<Outgoing> = {}): readonly Outgoing[] {
  return Array.from({ length: count }, (_, i) => change(i, rest));
}

interface Run {
  readonly sent: readonly Sent[];
  readonly error: unknown;
}

async function send(
  { remote }: FakeRemote,
  batch: readonly Outgoing[],
  deps: {
    readonly mayStart?: () => boolean;
    readonly report?: (sent: readonly Sent[]) => Promise<void>;
    readonly beforeAttempt?: (timeoutMs: number) => void;
    readonly nowMs?: () => number;
  } = {},
): Promise<Run> {
  const sent: Sent[] = [];
  const { mayStart = () => true, beforeAttempt } = deps;
  const report = async (some: readonly Sent[]) => {
    await deps.report?.(some);
    sent.push(...some);
  };
  const options = { priority: 'push', signal: new AbortController().signal, report } as const;
  try {
    await sendInBulk(
      { remote, nowMs: deps.nowMs ?? (() => 0), mayStart },
      schema,
      batch,
      beforeAttempt ? { ...options, beforeAttempt } : options,
    );
    return { sent, error: null };
  } catch (error) {
    return { sent, error };
  }
}

const keysOf = (sent: readonly Sent[], kind: Sent['kind']) =>
  sent.filter((one) => one.kind === kind).map((one) => keyOf(one.change.fields));
const inOrder = (keys: Iterable<string>) => [...keys].toSorted((a, b) => Number(a) - Number(b));
const keys = (batch: readonly Outgoing[]) => batch.map(({ fields }) => keyOf(fields));

/** Refuses every call that contains one of these, naming one of them or none. */
function refuse(bad: ReadonlySet<string>, pointer: boolean) {
  return ({ items }: Call): RemoteError | null => {
    const culprit = items.findIndex(({ key }) => bad.has(key));
    return culprit < 0 ? null : failure(pointer ? { culprit } : {});
  };
}

const anyBatch = fc.integer({ min: 1, max: 120 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    bad: fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 6 }),
    batchSize: fc.constantFrom(1, 7, 25, 100),
    kind: fc.constantFrom(...KINDS),
  }),
);

describe('isolating what the CRM refuses', () => {
  test('by halving: within 2·log2 n requests each, and all else arrives exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatch, async ({ count, bad, batchSize, kind }) => {
        const badKeys = new Set(bad.map(String));
        const fake = fakeRemote({ batchSize, judge: refuse(badKeys, false) });
        const batch = changes(count, { kind });
        const { sent, error } = await send(fake, batch);
        expect(error).toBeNull();
        expect(inOrder(keysOf(sent, 'refused'))).toEqual(inOrder(badKeys));
        expect(inOrder(keysOf(sent, 'delivered'))).toEqual(
          keys(batch).filter((key) => !badKeys.has(key)),
        );
        expect(inOrder(fake.carriedOut.keys())).toEqual(inOrder(keysOf(sent, 'delivered')));
        expect([...fake.carriedOut.values()].every((times) => times === 1)).toBe(true);
        const batches = Math.ceil(count / batchSize);
        const each = 2 * Math.ceil(Math.log2(Math.min(count, batchSize)));
        expect(fake.calls.length).toBeLessThanOrEqual(batches + badKeys.size * each);
      }),
    );
  });

  test('what is left of a refused batch once all else was taken is not asked about again', async () => {
    const fake = fakeRemote({ batchSize: 128, judge: refuse(new Set(['127']), false) });
    const { sent } = await send(fake, changes(128));
    expect(keysOf(sent, 'refused')).toEqual(['127']);
    expect(fake.calls.map(({ items }) => items.length)).toEqual([128, 64, 32, 16, 8, 4, 2, 1, 1]);
  });

  test('by the pointer: k bad ones take k + 1 rounds, and one request each', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatch, async ({ count, bad, kind }) => {
        const badKeys = new Set(bad.map(String));
        const fake = fakeRemote({ batchSize: 200, judge: refuse(badKeys, true) });
        const { sent } = await send(fake, changes(count, { kind }));
        expect(inOrder(keysOf(sent, 'refused'))).toEqual(inOrder(badKeys));
        expect(sent.length).toBe(count);
        expect([...fake.carriedOut.values()].every((times) => times === 1)).toBe(true);
        expect(fake.calls.length).toBeLessThanOrEqual(2 * badKeys.size + 1);
      }),
    );
  });

  test('a pointer that names nobody of the batch is no pointer', async () => {
    const judge = ({ items }: Call) =>
      items.some(({ key }) => key === '3') ? failure({ culprit: 99 }) : null;
    const { sent } = await send(fakeRemote({ batchSize: 100, judge }), changes(10));
    expect(keysOf(sent, 'refused')).toEqual(['3']);
    expect(keysOf(sent, 'delivered')).toHaveLength(9);
  });

  test('a unique value may move from one record to the next, in the order it was written', async () => {
    for (const pointer of [true, false]) {
      let holder = '0';
      const judge = ({ items }: Call) => {
        // '5' takes the value that '0' gives up; '9' is refused for reasons of its own.
        const culprit = items.findIndex(
          ({ key }) => key === '9' || (key === '5' && holder === '0'),
        );
        if (culprit >= 0) return failure(pointer ? { culprit } : {});
        if (items.some(({ key }) => key === '0')) holder = 'nobody';
        return null;
      };
      const { sent } = await send(fakeRemote({ batchSize: 100, judge }), changes(10));
      expect(keysOf(sent, 'refused')).toEqual(['9']);
    }
  });

  test('one of two creates that clash is delivered', async () => {
    const seen = new Set<unknown>();
    const judge = ({ items }: Call) => {
      const culprit = items.findIndex(
        ({ key }) => key === '7' && (items.length > 1 || seen.has('twin')),
      );
      if (culprit >= 0) return failure({ culprit });
      if (items.some(({ key }) => key === '2')) seen.add('twin');
      return null;
    };
    const { sent } = await send(
      fakeRemote({ batchSize: 100, judge }),
      changes(9, { kind: 'create' }),
    );
    expect(keysOf(sent, 'refused')).toEqual(['7']);
  });

  test('a record that is not there is told from one that is refused', async () => {
    const judge = ({ items }: Call) => {
      const gone = items.findIndex(({ key }) => key === '4');
      if (gone >= 0) return failure({ status: 404, culprit: gone });
      return items.some(({ key }) => key === '6') ? failure({ status: 422 }) : null;
    };
    const { sent } = await send(fakeRemote({ batchSize: 100, judge }), changes(10));
    expect([keysOf(sent, 'gone'), keysOf(sent, 'refused')]).toEqual([['4'], ['6']]);
  });

  test('a record at which the server fails does not hold up its batch for ever', async () => {
    const judge = ({ items }: Call) =>
      items.some(({ key }) => key === '42')
        ? failure({ disposition: 'retry', status: 500, ambiguous: true })
        : null;
    for (const kind of KINDS) {
      let left = changes(100, { kind });
      let stuck = 0;
      for (let attempts = 1; left.length > 1 && attempts < 12; attempts += 1) {
        const fake = fakeRemote({ batchSize: 100, judge });
        const { sent } = await send(
          fake,
          left.map((one) => ({ ...one, attempts })),
        );
        if (attempts <= 3) expect(fake.calls).toHaveLength(1);
        left = sent.filter(({ kind: end }) => end !== 'delivered').map((one) => one.change);
        stuck = attempts;
      }
      expect(keys(left)).toEqual(['42']);
      expect(stuck).toBeLessThan(12);
    }
  });

  test('what is new goes in full batches beside what keeps failing', async () => {
    const fake = fakeRemote({ batchSize: 100 });
    const old = changes(20, { attempts: 9 });
    const { sent } = await send(fake, [...old, ...changes(120).slice(20)]);
    expect(sent).toHaveLength(120);
    expect(
      fake.calls
        .map(({ items }) => items.length)
        .toSorted((a, b) => b - a)
        .slice(0, 2),
    ).toEqual([100, 1]);
  });
});

describe('when no good answer comes', () => {
  const lost = failure({ disposition: 'retry', status: null, ambiguous: true });

  test('a create that nothing identifies is unclear, and not sent again', async () => {
    const fake = fakeRemote({ batchSize: 100, after: () => lost });
    const { sent } = await send(fake, changes(5, { kind: 'create' }));
    expect(keysOf(sent, 'unclear')).toHaveLength(5);
    expect(fake.calls).toHaveLength(1);
  });

  test('what can be repeated without harm has failed, and may be', async () => {
    for (const rest of [
      { kind: 'create', matchOn: 'key' },
      { kind: 'update' },
      { kind: 'delete' },
    ] as const) {
      const { sent } = await send(
        fakeRemote({ batchSize: 100, after: () => lost }),
        changes(5, rest),
      );
      expect(keysOf(sent, 'failed')).toHaveLength(5);
    }
  });

  test('a create that did not arrive has failed', async () => {
    const judge = () => failure({ disposition: 'retry', status: 429 });
    const { sent } = await send(
      fakeRemote({ batchSize: 100, judge }),
      changes(3, { kind: 'create' }),
    );
    expect(keysOf(sent, 'failed')).toHaveLength(3);
  });

  test('a create whose record the answer does not name is unclear; an update is looked for', async () => {
    const answer = () => [];
    const created = await send(
      fakeRemote({ batchSize: 100, answer }),
      changes(2, { kind: 'create' }),
    );
    expect(keysOf(created.sent, 'unclear')).toHaveLength(2);
    const updated = await send(fakeRemote({ batchSize: 100, answer }), changes(2));
    expect(updated.sent).toMatchObject([{ record: { id: '0' } }, { record: { id: '1' } }]);
  });

  test('every change is reported once, and none is carried out twice, whatever happens', async () => {
    const verdict = fc.constantFrom('ok', 'ok', 'ok', 'refuse', 'point', 'lose', 'limit', 'gone');
    await fc.assert(
      fc.asyncProperty(
        anyBatch,
        fc.infiniteStream(verdict),
        async ({ count, batchSize, kind }, verdicts) => {
          const judge = (): RemoteError | null => {
            switch (verdicts.next().value) {
              case 'refuse':
                return failure({});
              case 'point':
                return failure({ culprit: 0 });
              case 'gone':
                return failure({ status: 404 });
              case 'limit':
                return failure({ disposition: 'retry', status: 429 });
              default:
                return null;
            }
          };
          const after = () => (verdicts.next().value === 'lose' ? lost : null);
          const fake = fakeRemote({ batchSize, judge, after });
          const { sent, error } = await send(fake, changes(count, { kind }));
          expect(error).toBeNull();
          expect(inOrder(sent.map((one) => keyOf(one.change.fields)))).toEqual(
            keys(changes(count)),
          );
          expect([...fake.carriedOut.values()].every((times) => times === 1)).toBe(true);
          for (const key of keysOf(sent, 'delivered')) expect(fake.carriedOut.get(key)).toBe(1);
          for (const end of ['refused', 'gone'] as const) {
            for (const key of keysOf(sent, end)) expect(fake.carriedOut.has(key)).toBe(false);
          }
        },
      ),
    );
  });
});

describe('stopping', () => {
  const denied = failure({ disposition: 'halt', status: 401 });

  test('an error that stops everything leaves the rest unsent and unreported', async () => {
    const judge = ({ items }: Call) => (items.some(({ key }) => key === '30') ? denied : null);
    const fake = fakeRemote({ batchSize: 10, judge });
    const { sent, error } = await send(fake, changes(2_000));
    expect(error).toBe(denied);
    expect(fake.calls.length).toBeLessThan(10);
    expect(inOrder(keysOf(sent, 'delivered'))).toEqual(inOrder(fake.carriedOut.keys()));
  });

  test('what is under way is reported before the error comes out, and nothing else is sent', async () => {
    let release = (): void => undefined;
    let deny = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const isDenied = new Promise<void>((resolve) => {
      deny = resolve;
    });
    const isFirst = (call: Call) => call.items[0]?.key === '0';
    const fake = fakeRemote({
      batchSize: 10,
      gate: (call) => (isFirst(call) ? held : Promise.resolve()),
      judge: (call) => {
        // Refused as a whole, it would be halved: but by then there is nothing to send any more.
        if (isFirst(call)) return failure({});
        deny();
        return denied;
      },
    });
    let ended = false;
    const run = send(fake, changes(20)).finally(() => {
      ended = true;
    });
    await isDenied;
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    release();
    const { sent, error } = await run;
    expect(error).toBe(denied);
    expect(sent).toEqual([]);
    expect(fake.calls).toHaveLength(2);
  });

  test('a report that cannot be written stops the sending', async () => {
    const fake = fakeRemote({ batchSize: 10 });
    const broken = new Error('no database');
    const { error } = await send(fake, changes(500), { report: () => Promise.reject(broken) });
    expect(error).toBe(broken);
    expect(fake.calls.length).toBeLessThanOrEqual(4);
  });

  test('once nothing may start, what is left has failed without having been sent', async () => {
    let left = 2;
    const fake = fakeRemote({ batchSize: 10 });
    const { sent } = await send(fake, changes(50), { mayStart: () => left-- > 0 });
    expect(sent).toHaveLength(50);
    expect(inOrder(keysOf(sent, 'delivered'))).toEqual(inOrder(fake.carriedOut.keys()));
    expect(keysOf(sent, 'failed').length).toBeGreaterThan(0);
  });

  test('the lease is looked at again right before a request leaves', async () => {
    const asked: number[] = [];
    let leads = true;
    const fake = fakeRemote({ batchSize: 10 });
    const { sent } = await send(fake, changes(5, { kind: 'create' }), {
      // The lease runs out while the request waits for the allowance.
      mayStart: () => {
        const mayNow = leads;
        leads = false;
        return mayNow;
      },
      beforeAttempt: (timeoutMs) => void asked.push(timeoutMs),
    });
    expect(fake.calls).toEqual([]);
    expect(keysOf(sent, 'failed')).toHaveLength(5);
    expect(asked).toEqual([]);
  });

  test('the caller hears of each attempt as well', async () => {
    const asked: number[] = [];
    const beforeAttempt = (timeoutMs: number) => void asked.push(timeoutMs);
    await send(fakeRemote({ batchSize: 2 }), changes(4), { beforeAttempt });
    expect(asked).toHaveLength(2);
  });
});
