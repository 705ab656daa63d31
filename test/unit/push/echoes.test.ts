import { expect, test } from 'vitest';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { createEchoes } from '../../../src/push/echoes.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';

const change: Outgoing = {
  kind: 'update',
  recordId: 'p1',
  entries: [1n],
  fields: { job_title: 'Pushed' },
  changes: {},
  identity: null,
  matchOn: null,
  attempts: 1,
  mayHaveArrived: false,
};

function record(fields: RemoteRecord['fields'], others: Partial<RemoteRecord> = {}): RemoteRecord {
  return {
    id: 'p1',
    fields,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-09-01T00:00:00.000Z',
    createdBy: 'user_1',
    updatedBy: 'user_2',
    mergedIds: [],
    links: {},
    ...others,
  };
}

const fields = { job_title: 'Pushed', name: { first_name: 'A', last_name: 'B' }, tags: ['x', 'y'] };

function isEcho(told: RemoteRecord, answer: RemoteRecord = record(fields)): boolean {
  const echoes = createEchoes();
  echoes.note([{ kind: 'delivered', change, record: answer }]);
  return echoes.has(told);
}

test('what was answered comes again, in whatever order its parts are told, with whatever links', () => {
  const name = { last_name: 'B', first_name: 'A' };
  expect(isEcho(record({ tags: ['x', 'y'], name, job_title: 'Pushed' }))).toBe(true);
  expect(isEcho(record(fields, { links: { deals: { ids: ['d1'], total: 1 } } }))).toBe(true);
});

test('a field less says nothing new, a field more does', () => {
  expect(isEcho(record({ job_title: 'Pushed' }))).toBe(true);
  expect(isEcho(record({ ...fields, birthday: null }))).toBe(false);
});

test('an edit by others within the same millisecond is none', () => {
  expect(isEcho(record({ ...fields, job_title: 'Theirs' }))).toBe(false);
  expect(isEcho(record({ ...fields, tags: ['y', 'x'] }))).toBe(false);
  expect(isEcho(record(fields, { mergedIds: ['p0'] }))).toBe(false);
  expect(isEcho(record(fields, { updatedBy: 'user_3' }))).toBe(false);
});

test('nor is another version of the same content, or one without a date', () => {
  expect(isEcho(record(fields, { updatedAt: '2026-09-01T00:00:00.001Z' }))).toBe(false);
  const undated = record(fields, { updatedAt: null });
  expect(isEcho(undated, undated)).toBe(false);
});

test('what did not arrive has no echo, nor has what nobody sent', () => {
  const echoes = createEchoes();
  echoes.note([{ kind: 'delivered', change, record: null }]);
  expect(echoes.has(record(fields))).toBe(false);
  expect(createEchoes().has(record(fields))).toBe(false);
});
