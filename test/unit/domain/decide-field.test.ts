import { expect, test } from 'vitest';
import { decideField, type FieldVerdict } from '../../../src/domain/decide-field.ts';
import type { FieldChanges, PendingEntry } from '../../../src/domain/merge-record.ts';

function entry(id: bigint, changes: FieldChanges, state: PendingEntry['state'] = 'parked') {
  return { id, op: 'update', state, changes, writtenAtMs: 0 } as const;
}

const stage = { base: 'Base', value: 'Mine' };
const amount = { base: 1, value: 2 };

function decide(verdict: FieldVerdict, waiting: readonly PendingEntry[], ...held: bigint[]) {
  return decideField('stage', waiting, { held: new Set(held), verdict, remote: 'Theirs' });
}

test('the local value goes, measured against what the CRM holds now', () => {
  expect(decide({ take: 'local' }, [entry(1n, { stage })], 1n)).toEqual({
    entries: [
      {
        id: 1n,
        changes: { stage: { base: 'Theirs', value: 'Mine' } },
        state: 'pending',
        parked: {},
      },
    ],
    released: 1n,
    newerEdit: false,
  });
});

test('other fields of the entry stay parked, whichever side is taken', () => {
  const waiting = [entry(1n, { stage, amount })];
  expect(decide({ take: 'value', value: 'Both' }, waiting, 1n).entries).toEqual([
    {
      id: 1n,
      changes: { stage: { base: 'Theirs', value: 'Both' } },
      state: 'pending',
      parked: { amount },
    },
  ]);
  expect(decide({ take: 'remote' }, waiting, 1n)).toEqual({
    entries: [{ id: 1n, changes: { amount }, state: 'parked', parked: {} }],
    released: null,
    newerEdit: false,
  });
});

test('an entry that has nothing left is cancelled', () => {
  expect(decide({ take: 'remote' }, [entry(1n, { stage })], 1n).entries).toEqual([
    { id: 1n, changes: null, state: 'cancelled', parked: {} },
  ]);
});

test('a newer edit stands, and lies on the remote value where the older one is given up', () => {
  const newer = entry(2n, { stage: { base: 'Mine', value: 'Later' }, amount }, 'pending');
  const { entries, newerEdit } = decide({ take: 'remote' }, [entry(1n, { stage }), newer], 1n);
  expect(newerEdit).toBe(true);
  expect(entries).toEqual([
    { id: 1n, changes: null, state: 'cancelled', parked: {} },
    {
      id: 2n,
      changes: { stage: { base: 'Theirs', value: 'Later' }, amount },
      state: 'pending',
      parked: {},
    },
  ]);
  const kept = decide({ take: 'local' }, [entry(1n, { stage }), newer], 1n);
  expect(kept.entries.map(({ id }) => id)).toEqual([1n]);
});

test('of several that hold the field the last one goes, once', () => {
  const last = entry(2n, { stage: { base: 'Base', value: 'Last' } });
  expect(decide({ take: 'local' }, [entry(1n, { stage }), last], 1n, 2n)).toMatchObject({
    entries: [
      { id: 1n, state: 'superseded' },
      { id: 2n, changes: { stage: { base: 'Theirs', value: 'Last' } }, state: 'pending' },
    ],
    released: 2n,
  });
});

test('where nothing waits there is nothing to carry over', () => {
  const deletion = { ...entry(3n, { stage }, 'pending'), op: 'delete' } as const;
  expect(decide({ take: 'local' }, [deletion])).toEqual({
    entries: [],
    released: null,
    newerEdit: false,
  });
});
