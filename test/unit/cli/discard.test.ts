import { expect, test } from 'vitest';
import { rebase } from '../../../src/app/decisions/discard-change.ts';

const entry = (id: bigint, changes: Record<string, { base: number; value: number }>) => {
  return { id, op: 'update', state: 'pending', changes, writtenAtMs: 0 } as const;
};

test('the next edit of a field takes over the base of the one given up', () => {
  const rebased = rebase({ amount: { base: 1, value: 2 }, size: { base: 7, value: 8 } }, [
    entry(2n, { amount: { base: 2, value: 3 }, stage: { base: 0, value: 5 } }),
    entry(3n, { amount: { base: 3, value: 4 } }),
    entry(4n, { stage: { base: 5, value: 6 } }),
  ]);
  expect(rebased).toEqual([
    {
      id: 2n,
      state: 'pending',
      changes: { amount: { base: 1, value: 3 }, stage: { base: 0, value: 5 } },
      parked: {},
    },
  ]);
});

test('… also where there was nothing beneath', () => {
  const [rewrite] = rebase({ amount: { base: null, value: 2 } }, [
    entry(2n, { amount: { base: 2, value: 3 } }),
  ]);
  expect(rewrite?.changes).toEqual({ amount: { base: null, value: 3 } });
});
