import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planPage } from '../../../../src/crm/kizen/page-plan.ts';
import {
  acceptScanPage,
  answerCount,
  nextScanRequest,
  startScan,
} from '../../../../src/domain/scan/scan.ts';

/** How many requests a whole list takes, in pages as a server of numbered pages gives them. */
function requestsFor(total: number, most: number): number {
  const seen = new Set<number>();
  let state = startScan({ startedAtMs: 1e12, limit: most, isFiltered: false });
  for (let requests = 0; ; requests += 1) {
    const request = nextScanRequest(state);
    if (request === null) {
      expect(state.verdict).toBe('ok');
      expect(seen.size).toBe(total);
      return requests;
    }
    const { page, size, offset } = planPage(request.offset, request.limit);
    expect(offset).toBe((page - 1) * size);
    expect(offset).toBeLessThanOrEqual(request.offset);
    expect(size).toBeLessThanOrEqual(request.limit);
    const ids = Array.from(
      { length: Math.max(0, Math.min(size, total - offset)) },
      (_, n) => offset + n,
    );
    for (const one of ids) seen.add(one);
    const records = ids.map((n) => ({ id: `${n}`, version: '', createdMs: n, updatedMs: 2 * n }));
    const step = acceptScanPage(state, { records, offset, total, more: offset + size < total });
    // All of them have been seen by the end of any pass.
    state = step.asksCount
      ? answerCount(
          step.state,
          step.state.totals.map(() => seen.size),
        )
      : step.state;
  }
}

test('ten thousand records are read in twelve requests', () => {
  expect(requestsFor(10_000, 1_000)).toBeLessThanOrEqual(12);
});

test.each([
  [100_000, 1_000, 112],
  [20_000, 100, 320],
  [60, 7, 40],
])('%d records in pages of %d take no more than %d requests', (total, most, requests) => {
  expect(requestsFor(total, most)).toBeLessThanOrEqual(requests);
});

test('whatever the length of list and pages, every record is read', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 16, max: 1_000 }),
      (total, most) => {
        const requests = requestsFor(total, most);
        expect(requests).toBeLessThanOrEqual(4 + (2.5 * total) / most);
      },
    ),
    { numRuns: 60, seed: 1 },
  );
}, 30_000);
