import { expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import { mergeRecord, type PendingEntry } from '../../../src/domain/merge-record.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { field } from '../../support/fields.ts';

// An edit whose answer was lost waits again, and its value comes back like anybody's.

/** Edits of one field of a row, oldest first, a second apart. */
const edits = (...changes: readonly { readonly base: Json; readonly value: Json }[]) =>
  changes.map((a, index): PendingEntry => {
    const id = BigInt(index + 1);
    return { id, op: 'update', state: 'pending', changes: { a }, writtenAtMs: (index + 1) * 1_000 };
  });

/** Merges what waits with a record that shows a value and was edited after all of them. */
function meet(entries: readonly PendingEntry[], shown: Json) {
  const record: RemoteRecord = {
    id: 'X',
    fields: { a: shown },
    createdAt: null,
    updatedAt: new Date(60_000).toISOString(),
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
  };
  const fields = new Map([['a', field('a', 'text')]]);
  return mergeRecord(record, entries, { fields, policyOf: () => 'newest' });
}

// It arrived after the second was written.
test.each([
  ['w', 'another value'],
  ['u', 'what was there before'],
])('what was written after it is sent: %s, %s', (value) => {
  const waiting = edits({ base: 'u', value: 'v' }, { base: 'v', value });
  expect(meet(waiting, 'v')).toMatchObject({
    conflicts: [],
    keep: ['a'],
    entries: [{ id: 1n, changes: null, state: 'done' }],
  });
});

test('what a later edit was made over is known to it, whatever came before', () => {
  const waiting = edits({ base: 'u', value: 'w' }, { base: 'v', value: 'u' });
  expect(meet(waiting, 'v')).toMatchObject({
    conflicts: [],
    keep: ['a'],
    entries: [{ id: 1n, changes: null, state: 'done' }],
  });
});

test('a stranger’s value is in conflict with all of them, as before', () => {
  const waiting = edits({ base: 'u', value: 'v' }, { base: 'v', value: 'w' });
  expect(meet(waiting, 'x')).toMatchObject({
    conflicts: [{ base: 'u', local: 'w', remote: 'x', resolution: 'remote' }],
    entries: [{ state: 'cancelled' }, { state: 'cancelled' }],
  });
});

test('the echo of the first of two quick edits does not cover the second', () => {
  expect(meet(edits({ base: 'v', value: 'w' }), 'v')).toMatchObject({
    conflicts: [],
    keep: ['a'],
    entries: [],
  });
});
