import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { collectWhenQuiet } from '../../../src/cli/collect-when-quiet.ts';

const MINUTE_MS = 60_000;
const SPARE = 10 * 2 ** 20;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function rig(spareBytes: number) {
  const state = { processorMs: 5_000, spareBytes, collected: 0 };
  const end = collectWhenQuiet({
    processorMs: () => state.processorMs,
    spareHeapBytes: () => state.spareBytes,
    collect() {
      state.collected += 1;
      state.spareBytes = 0;
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
