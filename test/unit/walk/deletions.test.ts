import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptDeletions,
  deletionsSince,
  nextDeletionsRequest,
  startDeletions,
} from '../../../src/domain/walk/deletions.ts';
import { randomFrom } from './model-server.ts';

const NOW_MS = Date.UTC(2026, 8, 14, 12, 0, 0);
const SINCE_MS = NOW_MS - 3_600_000;

interface Feed {
  readonly order: 'oldest' | 'newest' | 'shuffled';
  readonly ignoresOffset?: boolean;
  readonly seed: number;
  readonly before: number;
  /** Deletions between any two requests, until there are none left. */
  readonly growth: readonly number[];
  readonly limit: number;
}

function read(feed: Feed): { verdict: string; missed: number; requests: number } {
  const random = randomFrom(feed.seed);
  const entries: { id: string; deletedAtMs: number; rank: number }[] = [];
  const grow = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const id = String(entries.length);
      entries.push({ id, deletedAtMs: SINCE_MS + entries.length * 1_000, rank: entries.length });
    }
  };
  grow(feed.before);
  const growth = [...feed.growth];
  const handed = new Set<string>();
  let state = startDeletions({ sinceMs: SINCE_MS, limit: feed.limit, startedAtMs: NOW_MS });
  for (let requests = 1; requests < 1_000; requests += 1) {
    const request = nextDeletionsRequest(state);
    if (request === null) throw new Error('no request, and never done');
    if (feed.order === 'shuffled') for (const entry of entries) entry.rank = random();
    const sign = feed.order === 'newest' ? -1 : 1;
    const sorted = entries.toSorted((left, right) => sign * (left.rank - right.rank));
    const offset = feed.ignoresOffset ? 0 : request.offset;
    const deletions = sorted.slice(offset, offset + request.limit);
    const more = request.offset + deletions.length < sorted.length;
    const step = acceptDeletions(state, { deletions, more });
    state = step.state;
    for (const index of step.accepted) handed.add(deletions[index]?.id ?? 'none');
    if (step.verdict !== null) {
      expect(step.watermarkMs === null).toBe(step.verdict === 'incomplete');
      const missed = entries.slice(0, feed.before).filter(({ id }) => !handed.has(id)).length;
      return { verdict: step.verdict, missed, requests };
    }
    grow(growth.shift() ?? 0);
  }
  throw new Error('a reading without end');
}

const feeds = fc.record({
  order: fc.constantFrom('oldest' as const, 'newest' as const, 'shuffled' as const),
  seed: fc.integer(),
  before: fc.integer({ min: 0, max: 40 }),
  growth: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 20 }),
  limit: fc.integer({ min: 1, max: 12 }),
});

describe('the deletions feed', () => {
  it('is read whole, whatever its order, while it grows', () => {
    fc.assert(
      fc.property(feeds, (feed) => {
        const { verdict, missed } = read(feed);
        if (verdict === 'ok') expect(missed).toBe(0);
        if (feed.order !== 'shuffled') expect(verdict).toBe('ok');
      }),
      { numRuns: 500 },
    );
  });

  it('takes one request on a quiet day', () => {
    const feed = { order: 'newest', seed: 1, before: 3, growth: [], limit: 500 } as const;
    expect(read(feed)).toEqual({ verdict: 'ok', missed: 0, requests: 1 });
  });

  it('is incomplete where the server ignores the offset', () => {
    const feed = { order: 'oldest', seed: 1, before: 30, growth: [], limit: 10 } as const;
    expect(read({ ...feed, ignoresOffset: true }).verdict).toBe('incomplete');
  });

  it('is incomplete where there is always more', () => {
    let state = startDeletions({ sinceMs: SINCE_MS, limit: 2, startedAtMs: NOW_MS });
    const page = { deletions: [{ id: 'a', deletedAtMs: NOW_MS }], more: true };
    let verdict: string | null = null;
    for (let requests = 0; verdict === null && requests < 100; requests += 1) {
      const step = acceptDeletions(state, page);
      ({ state, verdict } = step);
    }
    expect(verdict).toBe('incomplete');
    expect(nextDeletionsRequest(state)).toBeNull();
  });

  it('hands over a deletion once, and a second deletion of the same record too', () => {
    const state = startDeletions({ sinceMs: SINCE_MS, limit: 5, startedAtMs: NOW_MS });
    const deletions = [
      { id: 'a', deletedAtMs: SINCE_MS },
      { id: 'a', deletedAtMs: SINCE_MS + 1_000 },
      { id: 'a', deletedAtMs: SINCE_MS },
    ];
    expect(acceptDeletions(state, { deletions, more: true }).accepted).toEqual([0, 1]);
  });
});

describe('deletionsSince', () => {
  it('steps back a minute and a second, and never trusts a watermark from the future', () => {
    expect(deletionsSince(NOW_MS - 10_000, NOW_MS)).toBe(NOW_MS - 71_000);
    expect(deletionsSince(NOW_MS + 9_000_000, NOW_MS)).toBe(NOW_MS - 61_000);
    expect(deletionsSince(0, NOW_MS)).toBe(0);
  });
});
