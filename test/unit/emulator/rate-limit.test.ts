import { expect, test } from 'vitest';
import { createRateLimiter } from '../../../src/emulator/rate-limit.ts';

test('allows so many in any sixty seconds, for each endpoint by itself', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  expect(limiter.take('a', 2)).toMatchObject({ allowed: true, remaining: 1, resetSeconds: 60 });
  now = 20_000;
  expect(limiter.take('a', 2)).toMatchObject({ allowed: true, remaining: 0, resetSeconds: 40 });
  expect(limiter.take('a', 2)).toMatchObject({ allowed: false, remaining: 0, resetSeconds: 40 });
  expect(limiter.take('b', 2)).toMatchObject({ allowed: true, remaining: 1 });
  now = 60_000;
  expect(limiter.take('a', 2)).toMatchObject({ allowed: true, remaining: 0, resetSeconds: 20 });
  expect(limiter.take('a', 2).allowed).toBe(false);
  now = 80_000;
  expect(limiter.take('a', 2).allowed).toBe(true);
});

test('forgets old requests and still counts right', () => {
  let now = 0;
  const limiter = createRateLimiter(() => now);
  for (let i = 0; i < 20_000; i += 1) {
    now += 60;
    expect(limiter.take('a', 1000).allowed).toBe(true);
  }
  expect(limiter.take('a', 1000).remaining).toBe(0);
});

test('never tells of more than the minute, whatever fractions the clock has', () => {
  for (let now = 0.1; now < 1_000_000; now += 997.3) {
    const { resetSeconds } = createRateLimiter(() => now).take('a', 2);
    expect(resetSeconds).toBe(60);
  }
});
