import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedList } from '../../../../src/emulator/kernel/sorted-list.ts';

const byNumber = (a: number, b: number): number => a - b;

test('stays in order and counts ranks under any edits', () => {
  const edits = fc.array(fc.record({ add: fc.boolean(), item: fc.integer({ min: 0, max: 300 }) }), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 })), edits, (start, script) => {
      const model = new Set(start);
      const list = sortedList(byNumber, [...start]);
      for (const { add, item } of script) {
        if (add && !model.has(item)) {
          list.insert(item);
          model.add(item);
        } else if (!add) {
          expect(list.remove(item)).toBe(model.delete(item));
        }
      }
      const sorted = [...model].toSorted(byNumber);
      expect(list.slice(0, list.size())).toEqual(sorted);
      expect(list.size()).toBe(sorted.length);
      expect(list.rank((item) => item < 150)).toBe(sorted.filter((item) => item < 150).length);
      expect(list.slice(3, 7)).toEqual(sorted.slice(3, 7));
      expect(list.at(5)).toBe(sorted[5]);
    }),
  );
});

test('keeps order across blocks', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => i * 2);
  const list = sortedList(byNumber, [...many]);
  for (let i = 1; i < 6000; i += 2) list.insert(i);
  for (let i = 0; i < 9000; i += 2) list.remove(i);
  const expected = [
    ...Array.from({ length: 3000 }, (_, i) => i * 2 + 1),
    ...many.filter((i) => i >= 9000),
  ].toSorted(byNumber);
  expect(list.slice(0, list.size())).toEqual(expected);
  expect(list.rank((item) => item < 9000)).toBe(3000);
});
