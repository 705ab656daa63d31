import { expect, test } from 'vitest';
import { needsPerson, nextForLeftOver } from '../../../src/cli/left-over.ts';

const nothing = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };

test('nothing left: nothing to say', () => {
  expect(needsPerson(nothing)).toBe(false);
  expect(nextForLeftOver(nothing, true)).toBeNull();
});

test('parked, blocked and open conflicts need a person, pending changes do not', () => {
  expect(needsPerson({ ...nothing, pending: 4 })).toBe(false);
  for (const name of ['blocked', 'parked', 'openConflicts'] as const) {
    expect(needsPerson({ ...nothing, [name]: 1 })).toBe(true);
  }
});

test('names the command that shows what is left', () => {
  expect(nextForLeftOver({ ...nothing, openConflicts: 1, parked: 1 }, true)).toBe(
    '1 open conflict: see `clarify-sync conflicts list`',
  );
  expect(nextForLeftOver({ ...nothing, parked: 2, blocked: 1 }, true)).toBe(
    '2 changes parked, 1 change blocked: see `clarify-sync outbox list`',
  );
  expect(nextForLeftOver({ ...nothing, pending: 3 }, true)).toBe(
    '3 changes not sent yet: run `clarify-sync push`',
  );
  expect(nextForLeftOver({ ...nothing, pending: 3 }, false)).toContain('CLARIFY_SYNC_PUSH=on');
});
