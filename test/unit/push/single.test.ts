import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/crm/clarify/capabilities.ts';
import type { Capabilities } from '../../../src/domain/capabilities.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendSingly } from '../../../src/push/writing/single.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { type Call, failure, fakeRemote } from './fake-remote.ts';

// Invariants 4, 9 and 10 where every record is a call of its own.

const schema = objectSchema('person', [
  field('key', 'text'),
  field('slug', 'text', { unique: true }),
]);
const signal = new AbortController().signal;

/** An edit of who has which slug. */
function move(key: string, from: string | null, to: string | null): Outgoing {
  return {
    kind: 'update',
    recordId: key,
    entries: [BigInt(key)],
    fields: { slug: to },
    changes: { slug: { base: from, value: to } },
    identity: null,
    matchOn: null,
    attempts: 1,
    mayHaveArrived: false,
  };
}

type Outcome = 'ok' | 'limit' | 'lose';

/** Records by key, each with the slug it has; one slug is never two records'. */
class ModelServer {
  readonly slugs: Map<string, Json>;
  underWay = 0;
  most = 0;
  readonly fake;

  constructor(
    held: Iterable<readonly [string, string]>,
    script: readonly Outcome[],
    bad: Set<string>,
  ) {
    this.slugs = new Map(held);
    const outcomes = [...script];
    let lost: Outcome = 'ok';
    this.fake = fakeRemote({
      batchSize: 100,
      gate: async () => {
        this.underWay += 1;
        this.most = Math.max(this.most, this.underWay);
        await new Promise(setImmediate);
        this.underWay -= 1;
      },
      judge: ({ items, kind }: Call) => {
        const [item, ...others] = items;
        if (others.length > 0) throw new Error('two records in one call');
        const outcome = outcomes.pop() ?? 'ok';
        lost = outcome;
        if (outcome === 'limit') return failure({ disposition: 'retry', status: 429 });
        if (item === undefined || bad.has(item.key)) return failure({});
        if (kind === 'delete') {
          this.slugs.delete(item.key);
          return null;
        }
        const { slug = null } = item.fields;
        const isTaken = [...this.slugs].some(([key, has]) => has === slug && key !== item.key);
        if (slug !== null && isTaken) return failure({});
        this.slugs.set(item.key, slug);
        return null;
      },
      after: () =>
        lost === 'lose' ? failure({ ambiguous: true, disposition: 'retry', status: null }) : null,
    });
  }

  async send(changes: readonly Outgoing[], mayStart = () => true): Promise<readonly Sent[]> {
    const sent: Sent[] = [];
    await sendSingly({ remote: this.fake.remote, nowMs: () => 0, mayStart }, schema, changes, {
      priority: 'push',
      signal,
      report: async (some) => {
        await new Promise(setImmediate);
        sent.push(...some);
      },
    });
    return sent;
  }
}

const names = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** Slugs handed down a line of records, written in any order; some go, some come. */
const anyHandDown = fc.integer({ min: 1, max: 40 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    steps: fc.array(fc.constantFrom(1, 1, 2, 3), { minLength: count, maxLength: count }),
    order: fc.shuffledSubarray(names(count), { minLength: count, maxLength: count }),
    deleted: fc.subarray(names(count), { maxLength: Math.min(3, count) }),
    script: fc.array(fc.constantFrom<Outcome>('ok', 'ok', 'ok', 'limit', 'lose'), {
      maxLength: 60,
    }),
    bad: fc.subarray(names(count), { maxLength: Math.min(2, count) }),
  }),
);

interface HandDown {
  readonly count: number;
  readonly steps: readonly number[];
  readonly order: readonly string[];
  readonly deleted: readonly string[];
}

/** Record n takes the slug of a record before it, which moves on itself: never a circle. */
function handDown({ count, steps, order, deleted }: HandDown): readonly Outgoing[] {
  const free = new Set(names(count).map((name) => `s${name}`));
  const changes = new Map<string, Outgoing>();
  for (let n = count - 1; n >= 0; n -= 1) {
    const key = String(n);
    if (deleted.includes(key)) {
      changes.set(key, { ...move(key, `s${n}`, null), kind: 'delete', fields: {} });
      continue;
    }
    const wanted = `s${n - (steps[n] ?? 1)}`;
    const to = free.has(wanted) ? wanted : `new ${n}`;
    free.delete(wanted);
    changes.set(key, move(key, `s${n}`, to));
  }
  return order.flatMap((key) => changes.get(key) ?? []);
}

/** Bad ones that are asked about at all: they wait for nobody who stays where he is. */
function refusable(changes: readonly Outgoing[], bad: ReadonlySet<string>): readonly bigint[] {
  const giverOf = (change: Outgoing) =>
    changes.find(({ changes: { slug } }) => slug?.base === (change.fields.slug ?? null));
  const isStuck = (change: Outgoing): boolean => {
    const giver = change.kind === 'delete' ? undefined : giverOf(change);
    return giver !== undefined && (bad.has(giver.recordId) || isStuck(giver));
  };
  return changes.flatMap((change) =>
    bad.has(change.recordId) && !isStuck(change) ? change.entries : [],
  );
}

const kinds = (sent: readonly Sent[]) => new Set(sent.map(({ kind }) => kind));

describe('one record a call', () => {
  test('a unique value reaches the next record, whoever wrote first and however many go at once', async () => {
    await fc.assert(
      fc.asyncProperty(anyHandDown, async (drawn) => {
        const changes = handDown(drawn);
        const server = new ModelServer(
          names(drawn.count).map((n) => [n, `s${n}`] as const),
          [],
          new Set(),
        );
        const sent = await server.send(changes);
        expect(kinds(sent)).toEqual(new Set(['delivered']));
        expect(sent).toHaveLength(changes.length);
        expect(server.fake.calls).toHaveLength(changes.length);
        expect(server.most).toBeLessThanOrEqual(4);
        for (const { recordId, kind, fields } of changes) {
          expect(server.slugs.get(recordId)).toEqual(kind === 'delete' ? undefined : fields.slug);
        }
      }),
    );
  });

  test('whatever fails, nobody is refused a value that is on its way to him', async () => {
    await fc.assert(
      fc.asyncProperty(anyHandDown, async (drawn) => {
        const changes = handDown(drawn);
        const bad = new Set(drawn.bad);
        const server = new ModelServer(
          names(drawn.count).map((n) => [n, `s${n}`] as const),
          drawn.script,
          bad,
        );
        let open = changes;
        const refused = new Set<bigint>();
        const blocked = new Map<Outgoing, bigint>();
        for (let round = 0; open.length > 0; round += 1) {
          expect(round).toBeLessThan(100);
          const sent = await server.send(open);
          expect(sent.map(({ change }) => change.recordId).toSorted()).toEqual(
            open.map(({ recordId }) => recordId).toSorted(),
          );
          const again: Outgoing[] = [];
          for (const one of sent) {
            const { change } = one;
            if (one.kind === 'refused') for (const id of change.entries) refused.add(id);
            if (one.kind === 'failed') again.push(change);
            if (one.kind === 'waits') blocked.set(change, one.waitsFor);
          }
          // As the outbox does: due once what it waits for is done.
          const done = new Set(
            sent.flatMap(({ kind, change }) => (kind === 'delivered' ? change.entries : [])),
          );
          for (const [change, by] of blocked) {
            if (!done.has(by)) continue;
            blocked.delete(change);
            again.push(change);
          }
          open = again;
        }
        expect(refused).toEqual(new Set(refusable(changes, bad)));
        // Who needs what a refused one keeps has to wait, and whoever waits for him.
        const stuck = new Set([...refused, ...[...blocked.keys()].flatMap((one) => one.entries)]);
        for (const by of blocked.values()) expect(stuck).toContain(by);
        for (const { recordId, fields, kind, entries } of changes) {
          if (entries.some((id) => stuck.has(id))) continue;
          expect(server.slugs.get(recordId)).toEqual(kind === 'delete' ? undefined : fields.slug);
        }
      }),
    );
  });

  test('of values that change places one is refused, and the other waits for that', async () => {
    const server = new ModelServer(
      [
        ['1', 'a'],
        ['2', 'b'],
        ['3', 'c'],
      ],
      [],
      new Set(),
    );
    const sent = await server.send([move('1', 'a', 'b'), move('2', 'b', 'a'), move('3', 'c', 'd')]);
    const byId = Object.fromEntries(sent.map(({ kind, change }) => [change.recordId, kind]));
    expect(Object.values(byId).toSorted()).toEqual(['delivered', 'refused', 'waits']);
    expect(byId[3]).toBe('delivered');
  });

  test('many answers are written down together, and each before its lane goes on', async () => {
    const server = new ModelServer([], [], new Set());
    const changes = names(100).map((key) => ({
      ...move(key, null, `s${key}`),
      kind: 'create' as const,
      fields: { key, slug: `s${key}` },
    }));
    let reports = 0;
    await sendSingly(
      { remote: server.fake.remote, nowMs: () => 0, mayStart: () => true },
      schema,
      changes,
      {
        priority: 'push',
        signal,
        report: async () => {
          reports += 1;
          await new Promise((done) => setTimeout(done, 2));
        },
      },
    );
    expect(server.fake.carriedOut.size).toBe(100);
    expect(reports).toBeLessThan(60);
  });

  test('what may not start any more has failed without having been sent', async () => {
    let left = 3;
    const server = new ModelServer([], [], new Set());
    const changes = names(20).map((key) => move(key, null, `s${key}`));
    const sent = await server.send(changes, () => left-- > 0);
    expect(sent).toHaveLength(20);
    expect(server.fake.calls.length).toBeLessThanOrEqual(3);
    expect(sent.filter(({ kind }) => kind === 'delivered')).toHaveLength(server.fake.calls.length);
  });

  test('an error that ends everything comes out once nothing is under way', async () => {
    const denied = failure({ disposition: 'halt', status: 401 });
    const fake = fakeRemote({
      batchSize: 1,
      judge: ({ items }) => (items[0]?.key === '7' ? denied : null),
    });
    const told: string[] = [];
    const sending = { remote: fake.remote, nowMs: () => 0, mayStart: () => true };
    const all = names(50).map((key) => move(key, null, `s${key}`));
    const run = sendSingly(sending, schema, all, {
      priority: 'push',
      signal,
      report: async (some) => void told.push(...some.map(({ change }) => change.recordId)),
    });
    await expect(run).rejects.toBe(denied);
    expect(told).not.toContain('7');
    expect(fake.calls.length).toBeLessThan(15);
    expect(told.toSorted()).toEqual([...fake.carriedOut.keys()].toSorted());
  });
});

describe('a CRM that passes over what does not suit it', () => {
  const silent: Capabilities = {
    ...CAPABILITIES,
    writing: { kind: 'single', dropsSilently: true },
  };

  test.each([
    ['shows it', { slug: 'new' }, 1, 'delivered'],
    ['shows what was there, for it may be late', { slug: 'old' }, 1, 'failed push-unconfirmed'],
    ['shows what was there still', { slug: 'old' }, 3, 'refused not-kept'],
    ['makes something of it', { slug: 'NEW' }, 1, 'delivered'],
  ])('%s', async (_how, shown, attempts, expected) => {
    const fake = fakeRemote({
      batchSize: 100,
      answer: (records) => records.map((record) => ({ ...record, fields: shown })),
    });
    const told: string[] = [];
    const report = async (sent: readonly Sent[]) => {
      for (const one of sent) {
        const why = 'error' in one ? ` ${one.error.code}` : '';
        told.push(`${one.kind}${why}`);
      }
    };
    const remote = { ...fake.remote, capabilitiesOf: () => silent };
    const sending = { remote, mayStart: () => true, nowMs: () => 0 };
    await sendSingly(sending, schema, [{ ...move('1', 'old', 'new'), attempts }], {
      report,
      priority: 'push',
      signal,
    });
    expect(told).toEqual([expected]);
    expect(fake.looks).toEqual([]);
  });
});
