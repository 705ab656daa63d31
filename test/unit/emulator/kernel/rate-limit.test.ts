import { expect, test } from 'vitest';
import { createRateLimiter } from '../../../../src/emulator/kernel/rate-limit.ts';

const minute = (limit: number) => ({ limit, windowMs: 60_000 });

test('allows so many in any sixty seconds, for each endpoint by itself', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  expect(limiter.take('a', minute(2))).toMatchObject({
    allowed: true,
    remaining: 1,
    resetSeconds: 60,
  });
  now = 20_000;
  expect(limiter.take('a', minute(2))).toMatchObject({
    allowed: true,
    remaining: 0,
    resetSeconds: 40,
  });
  expect(limiter.take('a', minute(2))).toMatchObject({
    allowed: false,
    remaining: 0,
    resetSeconds: 40,
  });
  expect(limiter.take('b', minute(2))).toMatchObject({ allowed: true, remaining: 1 });
  now = 60_000;
  expect(limiter.take('a', minute(2))).toMatchObject({
    allowed: true,
    remaining: 0,
    resetSeconds: 20,
  });
  expect(limiter.take('a', minute(2)).allowed).toBe(false);
  now = 80_000;
  expect(limiter.take('a', minute(2)).allowed).toBe(true);
});

test('forgets old requests and still counts right', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  for (let i = 0; i < 20_000; i += 1) {
    now += 60;
    expect(limiter.take('a', minute(1000)).allowed).toBe(true);
  }
  expect(limiter.take('a', minute(1000)).remaining).toBe(0);
});

test('never tells of more than the minute, whatever fractions the clock has', () => {
  for (let now = 0.1; now < 1_000_000; now += 997.3) {
    const { resetSeconds } = createRateLimiter(() => now).take('a', minute(2));
    expect(resetSeconds).toBe(60);
  }
});

test('counts by the second for whoever says so', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  const second = { limit: 2, windowMs: 1_000 };
  expect(limiter.take('reads', second)).toMatchObject({ allowed: true, resetSeconds: 1 });
  expect(limiter.take('reads', second).allowed).toBe(true);
  now = 999;
  expect(limiter.take('reads', second)).toMatchObject({ allowed: false, resetSeconds: 1 });
  now = 1_000;
  expect(limiter.take('reads', second).allowed).toBe(true);
});

test('counts against several budgets at once, or against none', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  const second = { bucket: 'contacts', limit: 2, windowMs: 1_000 };
  const hour = { bucket: 'contacts', limit: 3, windowMs: 3_600_000 };
  expect(limiter.takeAll([second, hour])).toMatchObject([{ remaining: 1 }, { remaining: 2 }]);
  limiter.takeAll([second, hour]);
  const refused = limiter.takeAll([second, hour]);
  expect(refused.map(({ allowed }) => allowed)).toEqual([false, true]);
  expect(refused).toMatchObject([{ remaining: 0 }, { remaining: 1 }]);
  now = 1_000;
  expect(limiter.takeAll([second, hour])).toMatchObject([{ allowed: true }, { remaining: 0 }]);
  expect(limiter.takeAll([second, hour])).toMatchObject([
    { allowed: true, remaining: 1 },
    { allowed: false, remaining: 0, resetSeconds: 3_599 },
  ]);
});

test('a fixed window begins with its first request and ends as a whole', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  const hour = { limit: 2, windowMs: 3_600_000, fixed: true };
  expect(limiter.take('a', hour)).toMatchObject({ remaining: 1, resetSeconds: 3_600 });
  now = 3_000_000;
  expect(limiter.take('a', hour)).toMatchObject({ remaining: 0, resetSeconds: 600 });
  expect(limiter.take('a', hour).allowed).toBe(false);
  now = 3_600_000;
  expect(limiter.take('a', hour)).toMatchObject({ remaining: 1, resetSeconds: 3_600 });
  expect(limiter.take('a', hour)).toMatchObject({ allowed: true, remaining: 0 });
});
