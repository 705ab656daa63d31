import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { collectWhenQuiet } from '../../../src/cli/collect-when-quiet.ts';

const MINUTE_MS = 60_000;
const SPARE = 10 * 2 ** 20;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function rig(spareBytes: number, keptBytes = 0) {
  const state = { processorMs: 5_000, spareBytes, collected: 0 };
  const end = collectWhenQuiet({
    processorMs: () => state.processorMs,
    spareHeapBytes: () => state.spareBytes,
    collect() {
      state.collected += 1;
      state.spareBytes = keptBytes;
    },
  });
  return { state, end };
}

test('collects after a quiet minute, and not again before there is something to give back', () => {
  const { state } = rig(SPARE);
  vi.advanceTimersByTime(3 * MINUTE_MS);
  expect(state.collected).toBe(1);
  state.spareBytes = SPARE;
  vi.advanceTimersByTime(MINUTE_MS);
  expect(state.collected).toBe(2);
});

test('what a collection could not give back is no reason for another', () => {
  const { state } = rig(SPARE, SPARE);
  vi.advanceTimersByTime(10 * MINUTE_MS);
  expect(state.collected).toBe(1);
  state.spareBytes = 2 * SPARE;
  vi.advanceTimersByTime(MINUTE_MS);
  expect(state.collected).toBe(2);
});

test('leaves alone who works', () => {
  const { state } = rig(SPARE);
  for (let minute = 0; minute < 5; minute++) {
    state.processorMs += 20_000;
    vi.advanceTimersByTime(MINUTE_MS);
  }
  expect(state.collected).toBe(0);
  vi.advanceTimersByTime(MINUTE_MS);
  expect(state.collected).toBe(1);
});

test('looks no more once it is ended', () => {
  const { state, end } = rig(SPARE);
  end();
  vi.advanceTimersByTime(5 * MINUTE_MS);
  expect(state.collected).toBe(0);
});
