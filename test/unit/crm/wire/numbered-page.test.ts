import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberedPage } from '../../../../src/crm/wire/numbered-page.ts';
import { acceptScanPage, nextScanRequest, startScan } from '../../../../src/domain/scan/scan.ts';

test('a numbered page holds the position that is asked for, and is no longer than it may be', () => {
  const offsets = fc.integer({ min: 0, max: 200_000 });
  const limits = fc.integer({ min: 1, max: 1_000 });
  fc.assert(
    fc.property(offsets, limits, (wanted, limit) => {
      const { number, size, offset } = numberedPage(wanted, limit);
      expect(offset).toBe((number - 1) * size);
      expect(size).toBeLessThanOrEqual(limit);
      expect(offset).toBeLessThanOrEqual(wanted);
      expect(wanted).toBeLessThan(offset + size);
    }),
  );
});

/** Of a list that stands still and tells no total, as companies are; its last page is a short one. */
function requestsFor(total: number, most: number): number {
  let state = startScan({ startedAtMs: 1e12, limit: most, isFiltered: false });
  for (let requests = 0; ; requests += 1) {
    const request = nextScanRequest(state);
    if (request === null) {
      expect(state.verdict).toBe('ok');
      return requests;
    }
    const { size, offset } = numberedPage(request.offset, request.limit);
    const length = Math.max(0, Math.min(size, total - offset));
    const records = Array.from({ length }, (_, n) => {
      return { id: `${offset + n}`, version: '', createdMs: offset + n, updatedMs: 2 * offset + n };
    });
    state = acceptScanPage(state, { records, offset, total: null, more: length === size }).state;
  }
}

test.each([
  [1_000, 16],
  [3_000, 50],
  [10_000, 50],
  [15_000, 100],
])('%d records are read to their end in pages of %d, however many there are', (total, most) => {
  expect(requestsFor(total, most)).toBeLessThanOrEqual(6 + (2.5 * total) / most);
});
