import { expect, test } from 'vitest';
import type { Seen } from '../clarify/scripted-server.ts';
import { contact, push, withBrevo } from './scripted-brevo.ts';

const COMPANY = '0123456789abcdef01234567';

function writesOf(asked: readonly Seen[]): readonly Seen[] {
  return asked.filter(({ method }) => method !== 'GET');
}

test('a contact is created without overwriting anybody, and read as it came out', () =>
  withBrevo(
    ({ method }) =>
      method === 'POST' ? { status: 201, body: { id: 7 } } : { body: contact(7, { PLAN: 1 }) },
    async ({ remote, schema, asked }) => {
      const fields = {
        email: 'Ada@example.com',
        ext_id: 'local:1',
        sms: '+49 151 12345678',
        PLAN: 'Pro',
        HOBBIES: ['golf'],
        BORN: '1815-12-10',
        list_ids: ['3'],
        email_blacklisted: false,
        SCORE: null,
      };
      const [record] = await remote.create({ object: schema('contacts'), records: [fields] }, push);
      expect(asked[0]?.body).toEqual({
        email: 'Ada@example.com',
        ext_id: 'local:1',
        emailBlacklisted: false,
        attributes: {
          SMS: '+4915112345678',
          PLAN: 'pro-x',
          HOBBIES: ['golf'],
          BORN: '1815-12-10',
        },
        listIds: [3],
        updateEnabled: false,
      });
      expect(record).toMatchObject({ id: '7', fields: { PLAN: 'free' } });
    },
  ));

test('a taken identifier is named; a contact with the same e-mail is waited for', () =>
  withBrevo(
    ({ method, path }) => {
      if (method === 'POST') {
        return {
          status: 400,
          body: {
            code: 'duplicate_parameter',
            message: 'Unable to create contact',
            metadata: { duplicate_identifiers: ['ext_id'] },
          },
        };
      }
      return path.includes('known@') ? { body: contact(9) } : { status: 404, body: {} };
    },
    async ({ remote, schema }) => {
      const object = schema('contacts');
      const create = (email: string) =>
        remote.create({ object, records: [{ email, ext_id: 'x' }] }, push);
      await expect(create('new@example.com')).rejects.toMatchObject({
        code: 'remote-duplicate',
        disposition: 'park',
        field: 'ext_id',
        reason: 'Unable to create contact; taken: ext_id',
        ambiguous: false,
      });
      await expect(create('known@example.com')).rejects.toMatchObject({ disposition: 'retry' });
      await expect(
        remote.create({ object, records: [{ FIRSTNAME: 'Nobody' }] }, push),
      ).rejects.toMatchObject({ code: 'remote-invalid', disposition: 'park' });
    },
  ));

test('the same e-mail is not sent again, lists are changed one by one, and an unknown label parks', () =>
  withBrevo(
    ({ method }) => (method === 'PUT' ? { status: 204 } : { body: contact(7) }),
    async ({ remote, schema, asked }) => {
      const object = schema('contacts');
      const update = (fields: Parameters<typeof remote.update>[0]['records'][number]['fields']) =>
        remote.update({ object, records: [{ id: '7', fields }] }, push);
      await update({ email: 'C7@EXAMPLE.com', list_ids: ['12', '44'], FIRSTNAME: 'Ada' });
      const [put] = writesOf(asked);
      expect(put?.query.get('identifierType')).toBe('contact_id');
      expect(put?.body).toEqual({
        attributes: { FIRSTNAME: 'Ada' },
        listIds: [44],
        unlinkListIds: [3],
      });
      await update({ email: 'other@example.com' });
      expect(writesOf(asked)[1]?.body).toEqual({ attributes: { EMAIL: 'other@example.com' } });
      await expect(update({ PLAN: 'Platinum' })).rejects.toMatchObject({
        disposition: 'park',
        field: 'PLAN',
      });
      await expect(update({ ORDERS: 3 })).rejects.toMatchObject({ field: 'ORDERS' });
    },
  ));

test.each([
  ['an empty text', (value: unknown) => value === '' || Array.isArray(value), 1],
  ['null', (value: unknown) => value === null, 2],
])('what is cleared by %s is cleared, and the next time at once', (_by, works, first) => {
  const attributes: Record<string, unknown> = { FIRSTNAME: 'Ada', SCORE: 2, HOBBIES: ['chess'] };
  return withBrevo(
    ({ method, body }) => {
      if (method !== 'PUT') return { body: contact(7, attributes) };
      const { attributes: sent } = body as { attributes: Record<string, unknown> };
      for (const [name, value] of Object.entries(sent)) {
        const isClearing = value === '' || value === null || Array.isArray(value);
        if (!isClearing) attributes[name] = value;
        else if (works(value)) delete attributes[name];
      }
      return { status: 204 };
    },
    async ({ remote, schema, asked }) => {
      const object = schema('contacts');
      const clear = (fields: Record<string, null>) =>
        remote.update({ object, records: [{ id: '7', fields }] }, push);
      const [record] = await clear({ FIRSTNAME: null, HOBBIES: null });
      expect(record?.fields).toMatchObject({ FIRSTNAME: null, HOBBIES: null });
      expect(writesOf(asked)).toHaveLength(first);
      await clear({ SCORE: null });
      expect(writesOf(asked)).toHaveLength(first + 1);
      expect(attributes).toEqual({});
    },
  );
});

test('a company answers with itself; a stage goes with its pipeline; links are changed one by one', () =>
  withBrevo(
    ({ method, path, body }) => {
      if (method === 'GET') {
        return {
          body: {
            id: COMPANY,
            attributes: { name: 'Acme', last_updated_at: '2026-01-01T00:00:00Z' },
            linkedContactsIds: [1, 2],
            linkedDealsIds: [],
          },
        };
      }
      if (path.includes('link-unlink')) return { status: 204 };
      if (path.startsWith('/v3/crm/deals')) return { status: 204 };
      const { attributes } = body as { attributes: object };
      return {
        body: {
          id: COMPANY,
          attributes: { name: 'Acme', ...attributes, last_updated_at: '2026-01-01T00:00:00Z' },
        },
      };
    },
    async ({ remote, schema, asked }) => {
      const companies = schema('companies');
      const deals = schema('deals');
      const [company] = await remote.update(
        { object: companies, records: [{ id: COMPANY, fields: { tier: 'Gold' } }] },
        push,
      );
      expect(company?.fields['tier']).toBe('Gold');
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatchObject({ method: 'PATCH', body: { attributes: { tier: 'k1' } } });
      const stage = { id: COMPANY, fields: { deal_stage: 's1' } };
      await remote.update({ object: deals, records: [stage] }, push);
      const moved = { attributes: { deal_stage: 's1', pipeline: 'p1' } };
      expect(writesOf(asked)[1]?.body).toEqual(moved);
      const other = { id: COMPANY, fields: { pipeline: 'p1' } };
      await expect(remote.update({ object: deals, records: [other] }, push)).rejects.toMatchObject({
        field: 'pipeline',
        disposition: 'park',
      });
      const link = { object: companies, id: COMPANY, field: 'contacts', target: 'contacts' };
      await remote.readLinks({ ...link, offset: 0, limit: 500 }, push);
      await remote.setLinks({ ...link, ids: ['2', '3'] }, push);
      const linked = writesOf(asked).at(-1);
      expect(linked?.path).toBe(`/v3/companies/link-unlink/${COMPANY}`);
      expect(linked?.body).toEqual({ linkContactIds: [3], unlinkContactIds: [1] });
    },
  ));

test('a deal is created by its name, and a create whose answer is no answer is not repeated', () =>
  withBrevo(
    ({ method }) =>
      method === 'POST' ? { status: 201, body: '<html>' } : { status: 404, body: {} },
    async ({ remote, schema, asked }) => {
      const object = schema('deals');
      const create = remote.create({ object, records: [{ deal_name: 'D', amount: 5 }] }, push);
      await expect(create).rejects.toMatchObject({ ambiguous: true });
      expect(asked).toHaveLength(1);
      expect(asked[0]?.body).toEqual({ name: 'D', attributes: { amount: 5 } });
    },
  ));

test('records of custom objects go in a job: by id what is there, by an id of ours what is not', () =>
  withBrevo(
    () => ({ status: 202, body: { processId: 55, message: 'queued' } }),
    async ({ remote, schema, asked }) => {
      const object = schema('vehicle');
      const ticket = await remote.jobs.submit(
        {
          object,
          kind: 'write',
          records: [
            {
              id: null,
              fields: { ext_id: 'local:1', plate: 'A', bought: '2020-03-15', seats: null },
            },
            { id: '7', fields: { plate: null, seats: null, sold_at: '2026-01-01T00:00:00.000Z' } },
            { id: '8', fields: { plate: null, seats: null }, attempt: 2 },
            {
              id: '9',
              fields: {},
              known: { seats: 4 },
              links: [
                { field: 'owner', target: 'contacts', linked: ['1'], unlinked: ['2'] },
                { field: 'buyer', target: 'companies', linked: [COMPANY], unlinked: [] },
              ],
            },
          ],
        },
        push,
      );
      expect(ticket).toBe('55');
      expect(asked[0]?.path).toBe('/v3/objects/vehicle/batch/upsert');
      expect(asked[0]?.body).toEqual({
        records: [
          {
            identifiers: { ext_id: 'local:1' },
            attributes: { plate: 'A', bought: '2020-03-15T00:00:00Z' },
          },
          {
            identifiers: { id: 7 },
            attributes: { plate: '', seats: null, sold_at: '2026-01-01T00:00:00.000Z' },
          },
          { identifiers: { id: 8 }, attributes: { plate: null, seats: '' } },
          {
            identifiers: { id: 9 },
            attributes: { seats: 4 },
            associations: [
              { object_type: 'contact', action: 'link', records: [{ identifiers: { id: 1 } }] },
              { object_type: 'contact', action: 'unlink', records: [{ identifiers: { id: 2 } }] },
              {
                object_type: 'company',
                action: 'link',
                records: [{ identifiers: { ext_id: COMPANY } }],
              },
            ],
          },
        ],
      });
      const fixed = {
        object,
        kind: 'write',
        records: [{ id: '7', fields: { ext_id: 'y' } }],
      } as const;
      await expect(remote.jobs.submit(fixed, push)).rejects.toMatchObject({
        culprit: 0,
        field: 'ext_id',
      });
    },
  ));

test('how a job stands is told by whatever word, and one that is forgotten has ended', () => {
  const words = ['queued', 'in_process', 'processing', 'completed', 'failed', 'cancelled'];
  return withBrevo(
    (_request, count) =>
      count <= words.length
        ? { body: { id: 55, status: words[count - 1] } }
        : { status: 404, body: { code: 'document_not_found' } },
    async ({ remote, schema }) => {
      const states: string[] = [];
      for (let at = 0; at <= words.length; at += 1) {
        states.push(await remote.jobs.poll({ object: schema('vehicle'), ticket: '55' }, push));
      }
      expect(states).toEqual(['open', 'open', 'open', 'completed', 'failed', 'failed', 'failed']);
    },
  );
});
