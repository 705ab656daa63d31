import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as Rules from '../../../src/domain/scan/rules.ts';
import * as rules from '../../../src/domain/scan/rules.ts';
import * as scanAsItIs from '../../../src/domain/scan/scan.ts';
import type * as TieOrder from '../../../src/domain/walk/tie-order.ts';
import { LostRecord, type ScanModule } from './history.ts';
import { alike, hourly, ids, type Made, playMade } from './made-to-measure.ts';

const RULES = '../../../src/domain/scan/rules.ts';
const TIE_ORDER = '../../../src/domain/walk/tie-order.ts';

/** The scan, with some of its rules replaced. */
async function broken(
  without: Partial<typeof Rules>,
  tieOrder: Partial<typeof TieOrder> = {},
): Promise<ScanModule> {
  vi.resetModules();
  vi.doMock(RULES, () => ({ ...rules, ...without }));
  vi.doMock(TIE_ORDER, async (original) => ({
    ...(await original<typeof TieOrder>()),
    ...tieOrder,
  }));
  return await import('../../../src/domain/scan/scan.ts');
}

/** Takes a pass that its order proves for the whole. */
function withoutFront(scan: ScanModule): ScanModule {
  return {
    ...scan,
    acceptScanPage(before, page) {
      const step = scan.acceptScanPage(before, page);
      const ends = step.state.isCovered && step.state.verdict === null;
      return ends ? { ...step, state: { ...step.state, verdict: 'ok' } } : step;
    },
  };
}

afterEach(() => {
  vi.doUnmock(RULES);
  vi.doUnmock(TIE_ORDER);
  vi.resetModules();
});

interface Case {
  readonly title: string;
  readonly made: Made;
  readonly without: Partial<typeof Rules>;
  readonly tieOrder?: Partial<typeof TieOrder>;
  readonly wrap?: (scan: ScanModule) => ScanModule;
  /** Of the scan as it is. */
  readonly verdict: 'ok' | 'incomplete';
}

/** Fifty that differ, then as many as two pages of one time. */
const groupBehindOthers = [...hourly(50).map((ageMs) => ageMs + 86_400_000), ...alike(100)];

/** 1 was edited half a minute ago and is shown once its new place has been read. */
const lateToTheFront: Made = {
  modes: { order: 'updated', direction: 'desc' },
  agesMs: [...hourly(20), ...Array.from({ length: 20 }, (_, i) => 20_000 - i * 100)],
  limit: 8,
  after: {
    4: (server) => server.touch(['1'], { agoMs: 28_000 }),
    12: (server) => server.remove(ids(21, 38)),
  },
};

const lost: readonly Case[] = [
  {
    title: 'whoever has moved ties no page',
    // 21 to 28 slide towards the beginning, and behind them 19 and 20 stand where they stood.
    made: {
      modes: { order: 'updated' },
      agesMs: hourly(28),
      limit: 8,
      after: {
        3: (server) => {
          server.remove(ids(11, 18));
          server.touch(ids(19, 20));
        },
      },
    },
    without: { isUnmoved: () => true },
    verdict: 'ok',
  },
  {
    title: 'a page that ties on by no time has to be in order',
    made: { modes: { ties: 'shuffled' }, agesMs: groupBehindOthers, limit: 40 },
    without: { standsBefore: () => true },
    verdict: 'incomplete',
  },
  {
    title: 'an order takes evidence',
    made: {
      modes: { ties: 'shuffled' },
      agesMs: [...hourly(20).map((ageMs) => ageMs + 86_400_000), ...alike(6)],
      limit: 4,
    },
    without: { orderSuffices: () => true },
    verdict: 'incomplete',
  },
  {
    title: 'an order is broken by a record out of place',
    made: { modes: { ties: 'shuffled' }, agesMs: groupBehindOthers, limit: 40 },
    without: {},
    tieOrder: { continuation: () => ({ kind: 'follows', shared: 20 }) },
    verdict: 'incomplete',
  },
  {
    title: 'a list that is in no order is known by that',
    made: { modes: { order: 'none' }, agesMs: hourly(400), limit: 100, seed: 1 },
    without: { mayTurnRound: () => true },
    verdict: 'incomplete',
  },
  {
    title: 'a count takes everybody',
    made: { modes: { ties: 'shuffled', total: 'true' }, agesMs: alike(24), limit: 12 },
    without: { countSuffices: () => true },
    verdict: 'ok',
  },
  {
    title: 'a count leaves out those that joined since',
    made: {
      modes: { ties: 'shuffled', total: 'true' },
      agesMs: alike(24),
      limit: 12,
      after: { 1: (server) => server.create(3) },
      seed: 12,
    },
    without: { mayHaveJoined: () => false },
    verdict: 'ok',
  },
  {
    title: 'the front is looked at, for edits may move records there',
    // 3 moves from behind the pages read to before them, and 20 leaves a gap for it.
    made: {
      modes: { order: 'updated', direction: 'desc' },
      agesMs: hourly(20),
      limit: 8,
      after: {
        1: (server) => {
          server.touch(['3']);
          server.remove(['20']);
        },
      },
    },
    without: {},
    wrap: withoutFront,
    verdict: 'ok',
  },
  {
    title: 'the front reaches to behind whoever is shown late',
    made: lateToTheFront,
    without: { boundsTheFront: () => true },
    verdict: 'ok',
  },
  {
    title: 'nor does it reach to whoever was edited lately where the last edit may come first',
    made: lateToTheFront,
    without: { mayBeNewestFirst: () => false },
    verdict: 'ok',
  },
  {
    title: 'the front is seen by one page alone',
    // 1 comes to the front, is put off the first page of it, and is back there for the second.
    made: {
      modes: { order: 'updated', direction: 'desc' },
      agesMs: hourly(30),
      limit: 8,
      after: {
        1: (server) => server.touch(['1']),
        4: (server) => server.touch(ids(2, 11)),
        6: (server) => server.touch(['1']),
        8: (server) => server.remove(ids(2, 9)),
      },
    },
    without: { isOneLook: () => true },
    verdict: 'ok',
  },
  {
    title: 'one answer holds the list only if it begins at the beginning',
    made: {
      modes: { order: 'updated', direction: 'desc' },
      agesMs: hourly(12),
      limit: 8,
      after: { 1: (server) => server.touch(['1']) },
    },
    without: { isOneAnswer: ({ more }) => !more },
    verdict: 'ok',
  },
  {
    title: 'one answer holds the list only if nothing comes behind it',
    made: { modes: {}, agesMs: hourly(12), limit: 8 },
    without: { isOneAnswer: ({ offset }) => offset === 0 },
    verdict: 'ok',
  },
  {
    title: 'whoever was pushed back does not stand where it stood',
    made: { modes: { ignoresOffset: true, endsByOffset: true }, agesMs: hourly(30), limit: 8 },
    without: { isBackAgain: () => false },
    verdict: 'incomplete',
  },
  {
    title: 'nor while others are edited and deleted, the first one with them',
    made: {
      modes: { ignoresOffset: true, endsByOffset: true },
      agesMs: hourly(10),
      limit: 8,
      after: {
        1: (server) => {
          server.remove(['1']);
          server.touch(ids(2, 4));
        },
      },
    },
    without: { isBackAgain: () => false },
    verdict: 'incomplete',
  },
];

const doubtful: readonly Case[] = [
  {
    title: 'pages overlap',
    made: { modes: {}, agesMs: hourly(30), limit: 8 },
    without: { overlapOf: () => 0 },
    verdict: 'ok',
  },
  {
    title: 'and two pages of them, from the first page of a pass on',
    made: { modes: {}, agesMs: alike(60), limit: 40 },
    without: { overlapOf: (pageLength) => rules.overlapOf(pageLength, false) },
    verdict: 'ok',
  },
  {
    title: 'short pages of equal times overlap more',
    made: { modes: {}, agesMs: alike(60), limit: 12 },
    without: { overlapOf: (pageLength) => rules.overlapOf(pageLength, false) },
    verdict: 'ok',
  },
];

const same = (scan: ScanModule): ScanModule => scan;

describe('without this rule a record is lost, in a history made for it', () => {
  it.each(lost)('$title', async ({ made, without, tieOrder, wrap = same, verdict }) => {
    expect(playMade(made, scanAsItIs).verdict).toBe(verdict);
    const scan = await broken(without, tieOrder);
    expect(() => playMade(made, wrap(scan))).toThrow(LostRecord);
  });
});

describe('without this rule a quiet list is not proven', () => {
  it.each(doubtful)('$title', async ({ made, without, verdict }) => {
    expect(playMade(made, scanAsItIs).verdict).toBe(verdict);
    expect(playMade(made, await broken(without)).verdict).toBe('incomplete');
  });
});

describe('a list in no order', () => {
  it('is proven by its count', () => {
    const modes = { order: 'none', total: 'true' } as const;
    expect(playMade({ modes, agesMs: hourly(400), limit: 100 }, scanAsItIs).verdict).toBe('ok');
  });
});

describe('the rules', () => {
  it('have each a history of their own', () => {
    const named = [...lost, ...doubtful].flatMap(({ without }) => Object.keys(without));
    const functions = Object.entries(rules).flatMap(([name, value]) =>
      typeof value === 'function' ? [name] : [],
    );
    expect(new Set(named)).toEqual(new Set(functions));
  });
});
