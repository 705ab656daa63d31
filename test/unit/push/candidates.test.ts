import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/crm/clarify/capabilities.ts';
import type { StrandedEntry } from '../../../src/db/outbox/outbox.ts';
import type { Creating } from '../../../src/domain/capabilities.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import type { Remote } from '../../../src/domain/remote.ts';
import { readCandidates } from '../../../src/push/candidates.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { fakeRemote } from './fake-remote.ts';

const schema = objectSchema('deal', [field('name', 'text')]);
const { signal } = new AbortController();

function record(id: string, name: string): RemoteRecord {
  const system = { updatedAt: null, createdBy: null, updatedBy: null, mergedIds: [], links: {} };
  return { id, fields: { name }, createdAt: '2026-01-02T00:00:00.000Z', ...system };
}

function sent(id: bigint, fields: Readonly<Record<string, Json>>): StrandedEntry {
  const sentAt = '2026-01-01T00:00:00.000Z';
  return { id, object: 'deal', recordId: `local:${id}`, fields, matchOn: null, sentAt, waitMs: 0 };
}

/** @returns whose records came, and by which question. */
async function look(creating: Creating, entries: readonly StrandedEntry[]) {
  const asked: string[] = [];
  const remote: Remote = {
    ...fakeRemote({ batchSize: 1 }).remote,
    capabilitiesOf: () => ({ ...CAPABILITIES, creating }),
    readPage: async ({ from }) => {
      asked.push(`created since ${from}`);
      return { records: [record('new', 'n')], total: 1, more: false };
    },
    findRecords: async ({ field: name, values }) => {
      asked.push(`${name} ${values.join(' ')}`);
      return values.map((value) => record(`has ${value}`, value));
    },
  };
  const clock = null;
  const deps = { remote, db: { clock } } as unknown as Parameters<typeof readCandidates>[0];
  const found = await readCandidates(deps, { object: 'deal', schema }, { entries, signal });
  return { asked, ids: found.map(({ id }) => id) };
}

const SINCE = 'created since 2025-12-31T23:59:00.000Z';

test('a create is looked for by the field that the object is looked up by', async () => {
  const found = await look({ kind: 'lookup', field: 'name' }, [
    sent(1n, { name: 'a' }),
    sent(2n, { name: 'b' }),
    sent(3n, { name: 'a' }),
  ]);
  expect(found).toEqual({ asked: ['name a b'], ids: ['has a', 'has b'] });
});

test('one without a value of it among the records created since', async () => {
  const found = await look({ kind: 'lookup', field: 'name' }, [
    sent(1n, { name: 'a' }),
    sent(2n, {}),
  ]);
  expect(found).toEqual({ asked: ['name a', SINCE], ids: ['has a', 'new'] });
});

test.each([{ kind: 'created-since' } as const, { kind: 'upsert' } as const])(
  'all of them there, where nothing is looked up: $kind',
  async (creating) => {
    const found = await look(creating, [sent(1n, { name: 'a' })]);
    expect(found).toEqual({ asked: [SINCE], ids: ['new'] });
  },
);

test('a list without an order is read to its end, while records slide in it', async () => {
  const all = Array.from({ length: 250 }, (_, n) => record(`r-${n}`, `n-${n}`));
  let requests = 0;
  const remote: Remote = {
    ...fakeRemote({ batchSize: 1 }).remote,
    limits: { pageSize: 100, batchSizeOf: () => 1, writesAtOnce: 1 },
    capabilitiesOf: () => ({
      ...CAPABILITIES,
      changes: { kind: 'unordered-filter', by: 'position' },
      creating: { kind: 'created-since' },
    }),
    readPage: async ({ orderBy, changedSince, offset, limit }) => {
      expect({ orderBy, changedSince }).toEqual({
        orderBy: 'position',
        changedSince: '2025-12-31T23:59:00.000Z',
      });
      requests += 1;
      // Somebody archives a whole page of what was read.
      if (requests === 2) all.splice(0, 60);
      const records = all.slice(offset, offset + limit);
      return { records, total: all.length, more: offset + limit < all.length };
    },
  };
  const query = async () => [{ now: '2026-06-01T00:00:00.000Z' }];
  const deps = { remote, db: { clock: null, query } } as unknown as Parameters<
    typeof readCandidates
  >[0];
  const entries = [sent(1n, { name: 'n-120' })];
  const found = await readCandidates(deps, { object: 'deal', schema }, { entries, signal });
  for (const { id } of all) expect(found.map((one) => one.id)).toContain(id);
});
