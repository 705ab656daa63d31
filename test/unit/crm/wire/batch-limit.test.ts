import { expect, test } from 'vitest';
import { createBatchLimit, createBatchLimits } from '../../../../src/crm/wire/batch-limit.ts';
import { RemoteError, type RemoteErrorOptions } from '../../../../src/domain/errors.ts';

const sizes = { title: 'Clarify', first: 100, most: 500, likelyCap: 25 };
const batch = (records: number) => ({ endpoint: 'PATCH /x', records, bytes: records * 10 });
const error = (options: Partial<RemoteErrorOptions> & { readonly code: string }) =>
  new RemoteError('scripted', { disposition: 'park', status: 422, ...options });
const QUICK = 50;
const SLOW = 4_000;

/** Sends batches of the size it has by then. @returns the sizes. */
function sizesOf(limit: ReturnType<typeof createBatchLimit>, count: number, tookMs = QUICK) {
  return Array.from({ length: count }, () => {
    const { size } = limit;
    limit.succeeded(batch(size), tookMs);
    return size;
  });
}

test('batches begin at 100 and double while calls succeed soon, up to a page', () => {
  expect(sizesOf(createBatchLimit(sizes), 5)).toEqual([100, 200, 400, 500, 500]);
});

test('what takes a while stays as it is, what takes long is halved, and grows back', () => {
  const limit = createBatchLimit(sizes);
  expect(sizesOf(limit, 2, 2_000)).toEqual([100, 100]);
  expect(sizesOf(limit, 3, SLOW)).toEqual([100, 50, 25]);
  expect(sizesOf(limit, 3)).toEqual([13, 26, 52]);
});

test('what is not answered at all is sent in smaller batches', () => {
  const limit = createBatchLimit(sizes);
  const lost = error({
    code: 'remote-timeout',
    disposition: 'retry',
    status: null,
    ambiguous: true,
  });
  expect(limit.refused(batch(100), lost)).toBe(lost);
  expect(limit.size).toBe(50);
});

test('a small batch that succeeds proves nothing of larger ones', () => {
  const limit = createBatchLimit(sizes);
  limit.succeeded(batch(3), QUICK);
  expect(limit.size).toBe(100);
});

test('the cap that a server names by refusing is learned by one refusal, and is what it took', () => {
  const limit = createBatchLimit(sizes);
  sizesOf(limit, 1);
  expect(limit.refused(batch(200), error({ code: 'remote-too-large' })).code).toBe(
    'remote-too-large',
  );
  expect(sizesOf(limit, 4)).toEqual([100, 100, 100, 100]);
});

test('one that takes less than it did is learned anew', () => {
  const limit = createBatchLimit(sizes);
  sizesOf(limit, 2);
  limit.refused(batch(150), error({ code: 'remote-too-large' }));
  expect(limit.size).toBe(25);
});

test('a refusal that names nobody is no cap where as many were taken before', () => {
  const limit = createBatchLimit(sizes);
  sizesOf(limit, 2);
  const invalid = error({ code: 'remote-invalid' });
  expect(limit.refused(batch(200), invalid)).toBe(invalid);
  expect(limit.size).toBe(400);
});

test('beyond that it may be one: as many as were taken tell, and the size comes back', () => {
  const limit = createBatchLimit(sizes);
  sizesOf(limit, 2);
  const invalid = error({ code: 'remote-invalid' });
  expect(limit.refused(batch(400), invalid).code).toBe('remote-too-large');
  expect(limit.size).toBe(200);
  expect(limit.refused(batch(200), invalid)).toBe(invalid);
  expect(limit.size).toBe(400);
});

test('a body that was too large is not tried again, and others grow', () => {
  const limit = createBatchLimit(sizes);
  sizesOf(limit, 2);
  const tooLarge = error({ code: 'remote-too-large', status: 413 });
  expect(limit.refused(batch(400), tooLarge).code).toBe('remote-too-large');
  expect(sizesOf(limit, 1)).toEqual([200]);
  expect(() => limit.check(batch(400))).toThrow('400 records are more than Clarify takes at once');
  expect(limit.size).toBe(200);
  expect(() => limit.check({ ...batch(400), bytes: 1_000 })).not.toThrow();
});

test('each object has its own, and a cap by dialect is of all of them', () => {
  const limits = createBatchLimits(sizes);
  sizesOf(limits.of('person'), 2);
  expect([limits.of('person').size, limits.of('deal').size]).toEqual([400, 100]);
  limits.cap(25);
  expect(['person', 'deal', 'task'].map((object) => limits.of(object).size)).toEqual([25, 25, 25]);
});
