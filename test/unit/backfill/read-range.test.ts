import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutRanges } from '../../../src/backfill/plan-ranges.ts';
import { readRange } from '../../../src/backfill/read-range.ts';
import type { BackfillRange } from '../../../src/db/backfill/ranges.ts';
import { TEMPLATE } from '../../../src/db/control/schemas.ts';
import { ListedRemote, mirror } from './listed-remote.ts';

const START_MS = Date.UTC(2026, 0, 5, 22);
const NOW_MS = START_MS + 30 * 86_400_000;
const signal = new AbortController().signal;
const unused = () => {
  throw new Error('no database, and no links, in this test');
};

function depsOf(remote: ListedRemote) {
  const statements = {
    query: unused,
    transaction: unused,
    single: unused,
    repeated: unused,
    repeatedSingle: unused,
  };
  const db = { ...statements, schemas: TEMPLATE, close: unused, clock: null };
  const linkRefusals = { has: () => false, add: unused, of: () => [] };
  return { db, remote, linkRefusals, links: [], policyOf: unused, nowMs: () => NOW_MS };
}

/** Reads a range as a process does that is killed after so many pages, and started again. */
async function readWhole(
  remote: ListedRemote,
  bounds: { readonly from: string | null; readonly before: string | null },
  pagesUntilKill: number,
): Promise<string[]> {
  const handed: string[] = [];
  let range: BackfillRange = {
    ...bounds,
    position: 0,
    watermark: null,
    done: false,
    read: 0n,
    stamping: 'unknown',
  };
  for (let killed = 0; killed < 100; killed += 1) {
    let pages = 0;
    for await (const page of readRange(depsOf(remote), mirror, range, {
      signal,
      priority: 'backfill',
      onRecords: (records) => handed.push(...records.map(({ id }) => id)),
    })) {
      range = { ...range, watermark: page.watermark ?? range.watermark };
      if (page.verdict !== null) {
        expect(page.problem).toBeNull();
        return handed;
      }
      pages += 1;
      if (pages >= pagesUntilKill) break;
    }
  }
  throw new Error('a range without end');
}

const spread = fc.oneof(
  fc.integer({ min: 0, max: 200_000_000 }),
  fc.integer({ min: 0, max: 5 }).map((n) => n * 3_600_000),
);

test('ranges hand over every record that stays, killed and resumed, in every mode (invariant 1)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(spread, { maxLength: 120 }),
      fc.array(spread, { maxLength: 4 }),
      fc.record({
        pageSize: fc.constantFrom(20, 33, 50),
        filter: fc.constantFrom('instants', 'days'),
        ties: fc.constantFrom('stable', 'reversed'),
      }),
      fc.boolean(),
      fc.integer({ min: 3, max: 9 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 119 })),
      async (ages, cutAges, modes, byDay, pagesUntilKill, victims) => {
        const remote = new ListedRemote(
          ages.map((age) => START_MS + age),
          modes,
        );
        remote.meanwhile = () => {
          const { value } = victims.next();
          if (Number(value) % 4 === 0) remote.records.delete(String(value));
        };
        const cuts = cutAges.map((age) => START_MS + age);
        const handed: string[] = [];
        for (const bounds of cutRanges(null, cuts, byDay)) {
          handed.push(...(await readWhole(remote, bounds, pagesUntilKill)));
        }
        const missing = [...remote.records.keys()].filter((id) => !handed.includes(id));
        expect(missing).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

test.each(['instants', 'days'] as const)(
  'progress counts each record once where filters compare %s, also in a group larger than pages',
  async (filter) => {
    const instants = Array.from({ length: 700 }, (_, n) => START_MS + (n < 300 ? 0 : n * 60_000));
    const remote = new ListedRemote(instants, { pageSize: 50, filter });
    let progress = 0;
    const range = { position: 0, from: null, before: null, watermark: null, done: false };
    const onRecords = (records: readonly unknown[]) => {
      progress += records.length;
    };
    const options = { signal, priority: 'backfill', onRecords } as const;
    const whole: BackfillRange = { ...range, read: 0n, stamping: 'unknown' };
    for await (const page of readRange(depsOf(remote), mirror, whole, options)) {
      progress -= page.again;
    }
    expect(progress).toBe(700);
  },
);

test('a range that was killed begins at its watermark, and costs a page more', async () => {
  const remote = new ListedRemote(
    Array.from({ length: 1_000 }, (_, n) => START_MS + n * 1_000),
    { pageSize: 50 },
  );
  await readWhole(remote, { from: null, before: null }, 10);
  expect(remote.handedOut).toBeLessThan(1_000 * 1.1);
});

test('a range ends with its last record where the server goes on to the end of the day', async () => {
  const remote = new ListedRemote(
    Array.from({ length: 100 }, (_, n) => START_MS + n * 60_000),
    { pageSize: 20, filter: 'days' },
  );
  const before = new Date(START_MS + 10 * 60_000).toISOString();
  const handed = await readWhole(remote, { from: null, before }, 100);
  expect(handed.map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(remote.handedOut).toBe(20);
});
