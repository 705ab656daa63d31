import { expect, test } from 'vitest';
import type { RemoteRecord } from '../../../../src/domain/record.ts';
import type { PageRequest, Recognition } from '../../../../src/domain/remote.ts';
import type { Reply, Seen } from '../clarify/scripted-server.ts';
import {
  companyAttributes,
  contact,
  contactAttributes,
  pull,
  withBrevo,
} from './scripted-brevo.ts';

const company = (id: string, values: object = {}) => ({
  id,
  attributes: { name: id, tier: 'k1', created_at: '2026-01-01T00:00:00.000Z', ...values },
  linkedContactsIds: [1],
  linkedDealsIds: [],
});

test.each([
  [
    'contacts',
    'PLAN',
    'free',
    { contacts: [1, 2, 3].map((id) => contact(id, { PLAN: 1 })), count: 3 },
  ],
  ['companies', 'tier', 'Gold', { items: ['a', 'b', 'c'].map((id) => company(id)) }],
])(
  '%s are recognised as long as their attributes are what they were',
  async (object, field, value, body) => {
    const known = new Map<string, RemoteRecord>();
    const recognition: Recognition = { basis: '', find: () => Promise.resolve(known) };
    const read = (otherwise: (request: Seen) => Reply | null = () => null) =>
      withBrevo(
        () => ({ body }),
        async ({ remote, schema }) => {
          const page: PageRequest = {
            object: schema(object),
            orderBy: 'position',
            direction: 'asc',
            offset: 0,
            limit: 1_000,
            recognition,
          };
          return await remote.readPage(page, pull);
        },
        {},
        otherwise,
      );
    const first = await read();
    expect(first.records.map(({ fields }) => fields[field])).toEqual([value, value, value]);
    for (const record of first.records) {
      if (record.trace === undefined) throw new Error('a record without a trace');
      known.set(record.trace.digest, { ...record, fields: {}, isUnchanged: true });
    }
    const again = await read();
    expect(again.records.every(({ isUnchanged }) => isUnchanged)).toBe(true);
    expect({ ...again, records: [] }).toEqual({ ...first, records: [] });
    const outline = ({ id, links, trace }: RemoteRecord) => ({ id, links, trace });
    expect(again.records.map(outline)).toEqual(first.records.map(outline));
    const renamed = JSON.stringify(object === 'contacts' ? contactAttributes : companyAttributes);
    const anew = await read(({ path }) =>
      /attributes(\/companies)?$/.test(path) && path.includes(object)
        ? { body: renamed.replace(`"${value}"`, '"Renamed"') }
        : null,
    );
    const names = anew.records.map(({ fields }) => fields[field]);
    expect(names).toEqual(['Renamed', 'Renamed', 'Renamed']);
  },
);
