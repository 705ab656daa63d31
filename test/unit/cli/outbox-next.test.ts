import { expect, test } from 'vitest';
import { nextForEntry, nextForList } from '../../../src/cli/commands/outbox-next.ts';
import type { OutboxEntry } from '../../../src/db/outbox/review.ts';

function entry(id: bigint, more: Partial<OutboxEntry>): OutboxEntry {
  return {
    id,
    object: 'deal',
    recordId: 'dea_1',
    op: 'update',
    state: 'parked',
    blocked: false,
    blockedBy: null,
    attempts: 1,
    nextAttemptAt: '2026-08-20T10:00:00.000Z',
    lastError: null,
    writtenBy: 'ada',
    createdAt: '2026-08-20T10:00:00.000Z',
    sentAt: null,
    doneAt: null,
    changes: {},
    ...more,
  };
}

const massDelete = { op: 'delete', lastError: 'mass-delete: too many' } as const;

test.each([
  ['remote-invalid: why', '`clarify-sync outbox retry 7` sends it again'],
  ['mass-delete: too many', '`clarify-sync outbox approve 7` lets it go'],
  ['delete-needs-approval', '`clarify-sync outbox approve 7` lets it go'],
  ['conflict-open', '`conflicts resolve`'],
  ['create-ambiguous: several', 'if not, `clarify-sync outbox retry 7` creates it'],
  ['identity-ambiguous: several', 'merge the records in Clarify'],
  ['copied-database', 'the original may have sent it'],
])('parked for %s', (lastError, next) => {
  expect(nextForEntry(entry(7n, { lastError }), 'Clarify')).toContain(next);
});

test('what is done can be undone, links and all else cannot', () => {
  expect(nextForEntry(entry(7n, { state: 'done' }), 'Clarify')).toContain('outbox revert 7');
  expect(nextForEntry(entry(7n, { state: 'done', op: 'link' }), 'Clarify')).toBeNull();
  expect(nextForEntry(entry(7n, { state: 'pending' }), 'Clarify')).toBeNull();
});

test('a list with many deletes says how they go', () => {
  const deletes = [entry(1n, massDelete), entry(2n, massDelete)];
  expect(nextForList(deletes)).toContain('`outbox approve --all`');
  expect(nextForList([...deletes, entry(3n, { lastError: 'remote-invalid' })])).toContain(
    '`outbox approve ID…`',
  );
});

test('any other list begins with its first parked change', () => {
  const pending = entry(1n, { state: 'pending' });
  expect(nextForList([pending, entry(2n, { lastError: 'remote-invalid' })])).toContain('show 2');
  expect(nextForList([pending])).toBeNull();
});

test('what something before the CRM refuses is tried again, and told all the same', () => {
  const intercepted = entry(7n, { state: 'pending', lastError: 'remote-intercepted: (403)' });
  expect(nextForEntry(intercepted, 'Attio')).toContain('such as a firewall');
  expect(nextForList([entry(6n, { state: 'pending' }), intercepted])).toContain('outbox show 7');
});
