import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createNudge } from '../../../src/app/daemon/nudge.ts';
import { Schedule } from '../../../src/app/daemon/schedule.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function nudged() {
  const pulls: (readonly string[] | null)[] = [];
  const nudge = createNudge({
    pull: (objects) => pulls.push(objects === null ? null : [...objects]),
    monotonicMs: () => Date.now(),
  });
  return { nudge, pulls };
}

test('the first is followed at once, a thousand after it together', async () => {
  const { nudge, pulls } = nudged();
  nudge.nudge('deal');
  await vi.advanceTimersByTimeAsync(0);
  expect(pulls).toEqual([['deal']]);
  for (let n = 0; n < 1_000; n += 1) nudge.nudge(n % 2 === 0 ? 'deal' : 'person');
  await vi.advanceTimersByTimeAsync(4_999);
  expect(pulls).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(pulls).toEqual([['deal'], ['deal', 'person']]);
});

test('one that names nothing means everything', async () => {
  const { nudge, pulls } = nudged();
  nudge.nudge('deal');
  nudge.nudge(null);
  nudge.nudge('person');
  await vi.advanceTimersByTimeAsync(0);
  expect(pulls).toEqual([null]);
});

test('what was not followed when it stops never is', async () => {
  const { nudge, pulls } = nudged();
  nudge.nudge(null);
  nudge.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(pulls).toEqual([]);
});

test('a job that runs when it is asked for runs once more after that, and once only', async () => {
  const runs: (() => void)[] = [];
  const run = async () => await new Promise<void>((resolve) => runs.push(resolve));
  const schedule = new Schedule([{ name: 'deal', expression: '0 0 1 1 *', run }]);
  schedule.now('deal');
  expect(runs).toHaveLength(0);
  schedule.start();
  expect(runs).toHaveLength(1);
  schedule.now('deal');
  schedule.now('deal');
  schedule.now('unknown');
  expect(runs).toHaveLength(1);
  runs[0]?.();
  await vi.waitFor(() => expect(runs).toHaveLength(2));
  runs[1]?.();
  await vi.advanceTimersByTimeAsync(10);
  expect(runs).toHaveLength(2);
  schedule.now('deal');
  expect(runs).toHaveLength(3);
  schedule.now('deal');
  const stopped = schedule.stop();
  runs[2]?.();
  await stopped;
  expect(runs).toHaveLength(3);
});
