import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RateHeaders } from '../../../../src/crm/wire/rate-headers.ts';
import { createWindowAllowance } from '../../../../src/crm/wire/window-allowance.ts';
import type { Priority } from '../../../../src/domain/remote.ts';

const HOUR = 3_600_000;

function rate(limit: number, remaining: number, resetMs: number): RateHeaders {
  return { limit, remaining, resetMs, retryAfterMs: null };
}

function nothing(): void {}

test('nothing is known before the first answer: one request finds out', () => {
  const share = createWindowAllowance({ percent: 80 }).join(nothing);
  expect(share.waitMs('push', 0)).toBe(0);
  share.start('push', 0);
  expect(share.waitMs('push', 0)).toBe(Number.POSITIVE_INFINITY);
  expect(share.remaining).toBeNull();
});

test('what is left to others is not touched, and reading leaves some to writing', () => {
  const share = createWindowAllowance({ percent: 80 }).join(nothing);
  const ticket = share.start('pull', 0);
  share.answered(ticket, rate(100, 45, HOUR), { refused: false, nowMs: 0 });
  // 20 are others', 16 are kept from reading, 28 from what is in no hurry.
  expect(share.waitMs('push', 0)).toBe(0);
  expect(share.waitMs('pull', 0)).toBe(0);
  expect(share.waitMs('backfill', 0)).toBeGreaterThan(0);
  const again = share.start('push', 0);
  share.answered(again, rate(100, 21, HOUR), { refused: false, nowMs: 0 });
  expect(share.waitMs('push', 0)).toBe(0);
  expect(share.waitMs('pull', 0)).toBeGreaterThan(0);
  const last = share.start('push', 0);
  share.answered(last, rate(100, 20, HOUR), { refused: false, nowMs: 0 });
  expect(share.waitMs('push', 0)).toBe(HOUR);
  expect(share.spentMs?.('push', 0)).toBe(HOUR);
});

test('what is kept melts until the reset, which is when nothing is known again', () => {
  const share = createWindowAllowance({ percent: 80 }).join(nothing);
  const ticket = share.start('pull', 0);
  share.answered(ticket, rate(100, 30, HOUR), { refused: false, nowMs: 0 });
  const waitMs = share.waitMs('backfill', 0);
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThan(HOUR);
  expect(share.waitMs('backfill', waitMs - 1_000)).toBeGreaterThan(0);
  expect(share.waitMs('backfill', waitMs)).toBe(0);
  expect(share.waitMs('backfill', HOUR)).toBe(0);
});

test('a refusal without a word of when lets everybody wait for the reset told before', () => {
  const allowance = createWindowAllowance({ percent: 100 });
  const [one, other] = [allowance.join(nothing), allowance.join(nothing)];
  const first = one.start('push', 0);
  one.answered(first, rate(100, 50, HOUR), { refused: false, nowMs: 0 });
  const second = one.start('push', 60_000);
  const silent = { limit: null, remaining: null, resetMs: null, retryAfterMs: null };
  one.answered(second, silent, { refused: true, nowMs: 60_000 });
  expect(other.waitMs('push', 60_000)).toBe(HOUR - 60_000);
  expect(other.waitMs('push', HOUR)).toBe(0);
});

test('a limit of an hour that holds by the second as well is not used up at once', () => {
  const perSecond = (limit: number) => limit / 3_600;
  const share = createWindowAllowance({ percent: 80, perSecond }).join(nothing);
  const first = share.start('push', 0);
  share.answered(first, rate(36_000, 35_999, HOUR), { refused: false, nowMs: 10 });
  let started = 1;
  while (share.waitMs('push', 20) === 0 && started < 100) {
    share.start('push', 20);
    started += 1;
  }
  expect(started).toBe(8);
  expect(share.waitMs('push', 20)).toBe(980);
});

test('endpoints that turn out to have budgets of their own do not wait for each other', () => {
  const allowance = createWindowAllowance({ percent: 100 });
  const [deals, companies] = [allowance.join(nothing), allowance.join(nothing)];
  const first = deals.start('push', 0);
  deals.answered(first, rate(100, 1, HOUR), { refused: false, nowMs: 0 });
  const probe = companies.start('push', 1_000);
  companies.answered(probe, rate(100, 99, HOUR - 1_000), { refused: false, nowMs: 1_000 });
  const last = deals.start('push', 2_000);
  deals.answered(last, rate(100, 0, HOUR - 2_000), { refused: false, nowMs: 2_000 });
  expect(deals.waitMs('push', 3_000)).toBe(HOUR - 3_000);
  expect(companies.waitMs('push', 3_000)).toBe(0);
});

interface Server {
  arrive(endpoint: number, nowMs: number): { refused: boolean; rate: RateHeaders };
}

/** A budget that starts afresh every hour, of the account or of each endpoint. */
function server(limit: number, isShared: boolean): Server {
  const counted = new Map<string, number>();
  return {
    arrive(endpoint, nowMs) {
      const window = Math.floor(nowMs / HOUR);
      const key = `${isShared ? 'all' : endpoint} ${window}`;
      const before = counted.get(key) ?? 0;
      const refused = before >= limit;
      if (!refused) counted.set(key, before + 1);
      const remaining = limit - (counted.get(key) ?? 0);
      const resetMs = Math.ceil(((window + 1) * HOUR - nowMs) / 1_000) * 1_000;
      return { refused, rate: rate(limit, remaining, resetMs) };
    },
  };
}

test('whoever shares the budget and however, no request is wasted on one that is spent', () => {
  const steps = fc.array(
    fc.record({
      process: fc.integer({ min: 0, max: 1 }),
      endpoint: fc.integer({ min: 0, max: 2 }),
      priority: fc.constantFrom<Priority>('push', 'pull', 'backfill'),
      afterMs: fc.integer({ min: 0, max: 120_000 }),
    }),
    { minLength: 50, maxLength: 400 },
  );
  fc.assert(
    fc.property(steps, fc.boolean(), (sequence, isShared) => {
      const asked = server(20, isShared);
      const processes = [0, 1].map(() => {
        const allowance = createWindowAllowance({ percent: 80 });
        return [0, 1, 2].map(() => allowance.join(nothing));
      });
      let nowMs = 0;
      let refused = 0;
      for (const { process, endpoint, priority, afterMs } of sequence) {
        nowMs += afterMs;
        const share = processes[process]?.[endpoint];
        if (share === undefined || share.waitMs(priority, nowMs) > 0) continue;
        const ticket = share.start(priority, nowMs);
        const answer = asked.arrive(endpoint, nowMs);
        if (answer.refused) refused += 1;
        share.answered(ticket, answer.rate, { refused: answer.refused, nowMs });
      }
      // Each process may learn once in each window that the other one has used it up.
      expect(refused).toBeLessThanOrEqual(2 * (1 + Math.floor(nowMs / HOUR)) * 3);
      expect(refused).toBeLessThan(20);
    }),
  );
});
