import { afterEach, expect, test, vi } from 'vitest';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendInBulk } from '../../../src/push/writing/bulk.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { fakeRemote } from './fake-remote.ts';

afterEach(() => vi.restoreAllMocks());

// Invariant 4: what a record's age tells of a create does not depend on how this machine's clock is set.
test('a create that the CRM normalised is known although this machine’s clock was set forwards', async () => {
  const startedMs = Date.parse('2026-09-01T12:00:00.000Z');
  vi.spyOn(Date, 'now').mockReturnValue(startedMs + 3_600_000);
  const { remote } = fakeRemote({
    batchSize: 25,
    answer: (records) =>
      records.map((record) => ({
        ...record,
        fields: { key: 'as the CRM has it' },
        createdAt: '2026-09-01T12:00:01.000Z',
      })),
  });
  const create: Outgoing = {
    recordId: 'local:1',
    kind: 'create',
    entries: [1n],
    identity: null,
    matchOn: null,
    fields: { key: 'as it was sent' },
    changes: { key: { base: null, value: 'as it was sent' } },
    attempts: 1,
    mayHaveArrived: false,
  };
  const told: Sent[] = [];
  await sendInBulk(
    { remote, nowMs: () => startedMs, mayStart: () => true },
    objectSchema('person', [field('key', 'text')]),
    [create],
    {
      priority: 'push',
      signal: new AbortController().signal,
      report: async (sent) => void told.push(...sent),
    },
  );
  expect(told.map(({ kind }) => kind)).toEqual(['delivered']);
});
