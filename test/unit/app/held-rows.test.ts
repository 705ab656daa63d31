import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HeldRows, retryHeldRows } from '../../../src/app/daemon/held-rows.ts';

// What is held is tried again after pauses that double, and what was put aside just now within seconds, whatever has
// been held for how long.

let held: HeldRows;
let stopping: AbortController;
/** When it was tried, in seconds. */
let tried: number[];
let isLeft: boolean;
/** What comes while it is tried. */
let meanwhile: () => void;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  stopping = new AbortController();
  tried = [];
  isLeft = true;
  meanwhile = () => {};
  held = retryHeldRows(stopping.signal, async () => {
    tried.push(Math.round(performance.now() / 100) / 10);
    meanwhile();
    return isLeft;
  });
});
afterEach(async () => {
  stopping.abort();
  await held.stop();
  vi.useRealTimers();
});

const until = (seconds: number) =>
  vi.advanceTimersByTimeAsync(seconds * 1_000 - performance.now() + 1);

test('pauses double, up to a minute, and end with what was held', async () => {
  held.note('person');
  await until(250);
  expect(tried).toEqual([1, 3, 7, 15, 31, 63, 123, 183, 243]);
  isLeft = false;
  await until(1_000);
  expect(tried.at(-1)).toBe(303);
  held.note('person');
  await until(1_002);
  expect(tried.at(-1)).toBe(1_001);
});

test('what is found to wait still changes no pause, and begins one where there is none', async () => {
  held.keep('person');
  meanwhile = () => held.keep('person');
  await until(32);
  expect(tried).toEqual([1, 3, 7, 15, 31]);
});

test('what joins rows that are held for long is tried within a second', async () => {
  held.note('person');
  await until(40);
  expect(tried.at(-1)).toBe(31);
  held.note('person');
  await until(44);
  expect(tried.slice(-2)).toEqual([41, 43]);
});

test('however often others join, nothing is put off', async () => {
  held.note('person');
  await until(35);
  tried = [];
  for (let second = 35; second < 45; second += 0.5) {
    held.note('person');
    await until(second + 0.5);
  }
  expect(tried.length).toBeGreaterThanOrEqual(5);
});

test('what joins just before the next attempt waits no long pause after it', async () => {
  held.note('person');
  await until(62.5);
  held.note('person');
  await until(66);
  expect(tried.slice(-2)).toEqual([63, 65]);
});

test('what joins while it is tried is tried again within a second', async () => {
  held.note('person');
  await until(30);
  isLeft = false;
  meanwhile = () => {
    meanwhile = () => {};
    held.note('person');
  };
  await until(33);
  expect(tried.slice(-2)).toEqual([31, 32]);
});
