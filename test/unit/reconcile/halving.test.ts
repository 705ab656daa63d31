import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cutOf,
  isUnreliable,
  nextTask,
  type Span,
  startHalving,
  takeCount,
  takeGrain,
  takeRead,
  takeSplit,
} from '../../../src/reconcile/halving.ts';

const DAY_MS = 86_400_000;
const BEGIN_MS = Date.UTC(2026, 0, 1);
const WHOLE: Span = { fromMs: BEGIN_MS, toMs: BEGIN_MS + 400 * DAY_MS - 1 };

interface Created {
  readonly id: string;
  readonly atMs: number;
}

/** In the order of creation. */
interface Sides {
  readonly remote: readonly Created[];
  readonly local: readonly Created[];
}

interface Server {
  readonly days: boolean;
  /** What the server says where `count` records match, of `all`. */
  readonly total: (count: number, all: number) => number;
}

const HONEST: Server = { days: false, total: (count) => count };

function within(side: readonly Created[], { fromMs, toMs }: Span): readonly Created[] {
  return side.slice(firstFrom(side, fromMs), firstFrom(side, toMs + 1));
}

function firstFrom(side: readonly Created[], atMs: number): number {
  let [low, high] = [0, side.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((side[middle]?.atMs ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function onOneSide(some: readonly Created[], others: readonly Created[]): string[] {
  const [here, there] = [some, others].map((side) => new Set(side.map(({ id }) => id)));
  const alone = [
    ...some.filter(({ id }) => !there?.has(id)),
    ...others.filter(({ id }) => !here?.has(id)),
  ];
  return alone.map(({ id }) => id);
}

/** The server's side of a span: a server that compares days widens it. */
function listed({ remote }: Sides, server: Server, { fromMs, toMs }: Span): readonly Created[] {
  if (!server.days) return within(remote, { fromMs, toMs });
  const begin = Math.floor(fromMs / DAY_MS) * DAY_MS;
  return within(remote, { fromMs: begin, toMs: Math.floor(toMs / DAY_MS) * DAY_MS + DAY_MS - 1 });
}

/** Runs a search to its end, as the caller does. */
function search(sides: Sides, { leaf, server = HONEST }: { leaf: number; server?: Server }) {
  const count = (span: Span) => ({
    remote: server.total(listed(sides, server, span).length, sides.remote.length),
    local: within(sides.local, span).length,
  });
  const found = new Set<string>();
  let counts = 0;
  let recordsRead = 0;
  let halving = startHalving([{ span: WHOLE, tally: null }], leaf);
  for (let task = nextTask(halving); task !== null; task = nextTask(halving)) {
    if (isUnreliable(halving)) break;
    if (counts > 20_000) throw new Error('the search does not end');
    const { span } = task;
    switch (task.kind) {
      case 'count':
        counts += 1;
        halving = takeCount(halving, count(span));
        break;
      case 'split': {
        counts += 1;
        const rows = within(sides.local, span);
        const cutMs = cutOf(task, rows[Math.floor(rows.length / 2)]?.atMs ?? null);
        expect(cutMs).toBeGreaterThan(span.fromMs);
        expect(cutMs).toBeLessThanOrEqual(span.toMs);
        halving = takeSplit(halving, cutMs, count({ fromMs: span.fromMs, toMs: cutMs - 1 }));
        break;
      }
      case 'grain':
        counts += 1;
        halving = takeGrain(halving, server.days ? 'days' : 'instants');
        break;
      case 'read': {
        const remote = listed(sides, server, span);
        const differing = onOneSide(remote, within(sides.local, span));
        recordsRead += remote.length;
        for (const id of differing) found.add(id);
        halving = takeRead(halving, differing.length);
        break;
      }
    }
  }
  return { found, counts, recordsRead, halving };
}

/** Creations in a few days, many of them at one instant. */
const instants = fc.oneof(
  fc.integer({ min: WHOLE.fromMs, max: WHOLE.toMs }),
  fc.integer({ min: 0, max: 5 * DAY_MS }).map((ms) => BEGIN_MS + 30 * DAY_MS + ms),
  fc.constantFrom(BEGIN_MS, BEGIN_MS + 1, BEGIN_MS + 31 * DAY_MS, BEGIN_MS + 31 * DAY_MS + 7),
);

const records = fc.array(
  fc.record({
    atMs: instants,
    on: fc.constantFrom('both', 'both', 'both', 'both', 'one', 'other'),
  }),
  { maxLength: 120 },
);
const leaves = fc.integer({ min: 1, max: 12 });

type Records = readonly { readonly atMs: number; readonly on: string }[];

function sidesOf(given: Records, only: { readonly one: string; readonly other: string }): Sides {
  const all = given
    .map(({ atMs, on }, index) => {
      const side = on === 'one' ? only.one : on === 'other' ? only.other : 'both';
      return { id: String(index), atMs, side };
    })
    .toSorted((a, b) => a.atMs - b.atMs);
  return {
    remote: all.filter(({ side }) => side !== 'local'),
    local: all.filter(({ side }) => side !== 'remote'),
  };
}

const difference = ({ remote, local }: Sides) => new Set(onOneSide(remote, local));

describe.each([false, true])('where a server compares whole days: %s', (days) => {
  const server = { ...HONEST, days };

  test.each(['local', 'remote'])('everything on the %s side alone is found', (side) => {
    fc.assert(
      fc.property(records, leaves, (given, leaf) => {
        const sides = sidesOf(given, { one: side, other: 'both' });
        const { found, halving } = search(sides, { leaf, server });
        expect(found).toEqual(difference(sides));
        expect(halving.doubts).toBe(0);
      }),
    );
  });

  test('of both kinds at once, every span that was not read agrees in number', () => {
    fc.assert(
      fc.property(records, leaves, (given, leaf) => {
        const sides = sidesOf(given, { one: 'local', other: 'remote' });
        const { found, halving } = search(sides, { leaf, server });
        const left = [...difference(sides)].filter((id) => !found.has(id));
        const missing = sides.remote.filter(({ id }) => left.includes(id)).length;
        expect(missing * 2).toBe(left.length);
        expect(halving.doubts).toBe(0);
      }),
    );
  });
});

test('one and the other hide each other where the counts agree', () => {
  const remote = [{ id: 'a', atMs: BEGIN_MS }];
  const local = [{ id: 'b', atMs: BEGIN_MS + 5 }];
  expect(search({ remote, local }, { leaf: 1 }).found.size).toBe(0);
});

test('whatever a server says of its totals, the search ends', () => {
  const total = fc.constantFrom<Server['total']>(
    () => 0,
    (_, all) => all,
    (count) => Math.min(count, 7),
    (count) => count + 3,
    (count) => (count * 7919) % 13,
  );
  fc.assert(
    fc.property(records, leaves, total, fc.boolean(), (given, leaf, says, days) => {
      const sides = sidesOf(given, { one: 'local', other: 'remote' });
      search(sides, { leaf, server: { days, total: says } });
    }),
  );
});

function evenly(size: number): readonly Created[] {
  const stepMs = Math.floor((400 * DAY_MS) / size);
  return Array.from({ length: size }, (_, n) => ({ id: String(n), atMs: BEGIN_MS + n * stepMs }));
}

test('a server whose totals take no account of the filter costs one reading', () => {
  const local = evenly(2_000);
  const server: Server = { days: false, total: (_, everything) => everything };
  const sides = { remote: local.slice(1), local };
  const { found, recordsRead } = search(sides, { leaf: 50, server });
  expect(found).toEqual(difference(sides));
  expect(recordsRead).toBeLessThanOrEqual(2_000);
});

test('a server that only estimates is found out', () => {
  const local = evenly(20_000);
  const server: Server = { days: false, total: (count) => count - (count % 7) };
  const { halving, recordsRead } = search({ remote: local, local }, { leaf: 50, server });
  expect(isUnreliable(halving)).toBe(true);
  expect(recordsRead).toBeLessThan(4_000);
});

test.each([
  [20_000, 5],
  [300_000, 5],
])('among %i records, %i deletions cost a few counts and a page each', (size, deletions) => {
  const local = evenly(size);
  const gone = new Set(
    Array.from({ length: deletions }, (_, n) =>
      String(Math.floor(((n + 0.37) * size) / deletions)),
    ),
  );
  const sides = { remote: local.filter(({ id }) => !gone.has(id)), local };
  const { found, counts, recordsRead } = search(sides, { leaf: 500 });
  expect(found).toEqual(gone);
  expect(recordsRead).toBeLessThanOrEqual(deletions * 500);
  expect(counts).toBeLessThanOrEqual(2 + deletions * (Math.ceil(Math.log2(size / 500)) + 1));
});

test('where differences stand dense, nothing is counted that reading tells as cheaply', () => {
  const local = evenly(200_000);
  const sides = { remote: local.filter((_, n) => n % 1_000 !== 500), local };
  const { found, counts, recordsRead } = search(sides, { leaf: 500 });
  expect(found.size).toBe(200);
  expect(counts + recordsRead / 500).toBeLessThanOrEqual(1.1 * 400);
});
