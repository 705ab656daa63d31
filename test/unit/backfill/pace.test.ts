import fc from 'fast-check';
import { expect, test } from 'vitest';
import { paceOf } from '../../../src/backfill/pace.ts';

test('a kill loses at most 15 percent of twenty pages or more, however many readers there may be', () => {
  const sizes = fc.record({
    pageSize: fc.constantFrom(25, 100, 500),
    pages: fc.integer({ min: 20, max: 5_000 }),
    most: fc.integer({ min: 1, max: 16 }),
  });
  fc.assert(
    fc.property(sizes, ({ pageSize, pages, most }) => {
      const { readers, chunkRecords, ahead } = paceOf(pages * pageSize, {
        pageSize,
        readers: most,
      });
      expect(readers).toBeGreaterThanOrEqual(1);
      expect(readers).toBeLessThanOrEqual(most);
      const chunk = Math.max(pageSize, chunkRecords);
      const underWay = (ahead ? 2 : 1) * chunk + pageSize;
      expect(readers * underWay).toBeLessThanOrEqual(pages * pageSize * 0.15);
      // Whoever holds chunks of a page or two gains nothing by reading ahead.
      if (ahead) expect(chunkRecords).toBeGreaterThanOrEqual(3 * pageSize);
    }),
  );
});

test.each([
  [null, { readers: 1, chunkRecords: 0, ahead: false }],
  [0, { readers: 1, chunkRecords: 0, ahead: false }],
  [5_000, { readers: 1, chunkRecords: 375, ahead: false }],
  [20_000, { readers: 3, chunkRecords: 500, ahead: false }],
  [50_000, { readers: 4, chunkRecords: 1_375, ahead: false }],
  [100_000, { readers: 4, chunkRecords: 1_625, ahead: true }],
  [200_000, { readers: 4, chunkRecords: 3_500, ahead: true }],
  [1_000_000, { readers: 4, chunkRecords: 3_500, ahead: true }],
])('of %s records', (total, pace) => {
  expect(paceOf(total, { pageSize: 500, readers: 4 })).toEqual(pace);
});
