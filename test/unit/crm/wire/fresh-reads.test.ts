import { expect, test } from 'vitest';
import { createFreshReads } from '../../../../src/crm/wire/fresh-reads.ts';
import { RemoteError } from '../../../../src/domain/errors.ts';

function counted() {
  let reads = 0;
  return async () => {
    reads += 1;
    return reads;
  };
}

test('changes of one claim share a read, those of another have their own', async () => {
  const fresh = createFreshReads<number>();
  const read = counted();
  const [one, other] = [{}, {}];
  const both = [fresh.read('a', { claim: one }, read), fresh.read('a', { claim: one }, read)];
  expect(await Promise.all(both)).toEqual([1, 1]);
  expect(await fresh.read('a', { claim: other }, read)).toBe(2);
  expect(await fresh.read('b', { claim: other }, read)).toBe(3);
  expect(await fresh.read('a', { claim: other }, read)).toBe(2);
});

test('what belongs to no claim is read each time', async () => {
  const fresh = createFreshReads<number>();
  const read = counted();
  expect(await fresh.read('a', {}, read)).toBe(1);
  expect(await fresh.read('a', {}, read)).toBe(2);
});

test('a claim that takes long reads again after a while', async () => {
  let nowMs = 0;
  const fresh = createFreshReads<number>({ clock: { monotonicMs: () => nowMs }, withinMs: 2_000 });
  const read = counted();
  const claim = {};
  expect(await fresh.read('a', { claim }, read)).toBe(1);
  nowMs = 1_999;
  expect(await fresh.read('a', { claim }, read)).toBe(1);
  nowMs = 2_000;
  expect(await fresh.read('a', { claim }, read)).toBe(2);
});

test('a list that is refused parks nobody: it is tried again', async () => {
  const fresh = createFreshReads<number>();
  const refused = new RemoteError('GET /contacts/attributes: forbidden', {
    code: 'remote-forbidden',
    disposition: 'park',
    status: 403,
  });
  await expect(fresh.read('a', { claim: {} }, () => Promise.reject(refused))).rejects.toMatchObject(
    {
      code: 'remote-forbidden',
      disposition: 'retry',
      status: 403,
    },
  );
});
