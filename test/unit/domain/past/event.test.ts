import { expect, test } from 'vitest';
import { newestFirst, type PastEvent } from '../../../../src/domain/past/event.ts';

test('a creation that is told value by value is one event, over with the last of them', () => {
  const born = (field: string, atMs: number): PastEvent => ({
    atMs,
    by: null,
    kind: 'create',
    isTold: true,
    changes: [{ field, within: [], value: 1, was: null }],
  });
  const [only, ...others] = newestFirst([born('a', 10), born('b', 30), born('c', 20)]);
  expect(others).toEqual([]);
  expect(only?.atMs).toBe(30);
  expect(only?.changes.map(({ field }) => field).toSorted()).toEqual(['a', 'b', 'c']);
});
