import { expect, test } from 'vitest';
import { createPace } from '../../../src/push/pace.ts';

/** Claims of records that are sent at so many a second. @returns their sizes. */
function claims(perSecond: number, count: number): readonly number[] {
  const pace = createPace(1_000);
  return Array.from({ length: count }, () => {
    const { size } = pace;
    pace.went(size, (size * 1_000) / perSecond);
    return size;
  });
}

test('claims grow to what is sent within a second, and no further', () => {
  expect(claims(10_000, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(claims(2_000, 3)).toEqual([1_000, 2_000, 2_000]);
});

test('where sending is slow less is looked at before', () => {
  expect(claims(400, 2)).toEqual([1_000, 400]);
  expect(claims(10, 3)).toEqual([1_000, 100, 100]);
});

test('the last claim of a push, which is not full, says nothing of larger ones', () => {
  const pace = createPace(1_000);
  pace.went(3, 1);
  expect(pace.size).toBe(1_000);
  pace.went(3, 60_000);
  expect(pace.size).toBe(100);
});
