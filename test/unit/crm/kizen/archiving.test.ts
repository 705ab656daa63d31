import { expect, test } from 'vitest';
import { push } from '../clarify/scripted-server.ts';
import { fieldId, id, notFound, record, withKizen } from './scripted-kizen.ts';

test('one deletion archives by itself, and is done where it was done before', async () => {
  await withKizen(
    () => notFound,
    async ({ remote, of, seen }) => {
      expect(await remote.delete({ object: of('deal'), ids: ['d-1'] }, push)).toEqual([]);
      expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'DELETE /api/records/deal/d-1',
      ]);
    },
  );
});

test('several deletions archive together, without a mail, and are looked at', async () => {
  const looks = new Map<string, number>();
  await withKizen(
    ({ method, path }) => {
      if (method === 'POST') return { body: { number_archived: 3, async: true } };
      const name = path.split('/').at(-1) ?? '';
      const look = (looks.get(name) ?? 0) + 1;
      looks.set(name, look);
      const isThere = name === 'd-3' || (name === 'd-2' && look === 1);
      return isThere ? { body: record('deal', name) } : notFound;
    },
    async ({ remote, of, seen }) => {
      const ids = ['d-1', 'd-2', 'd-3'];
      expect(await remote.delete({ object: of('deal'), ids }, push)).toEqual(['d-3']);
      expect(seen[0]).toMatchObject({
        path: `/api/custom-objects/${id('deal')}/bulk-archive-entity-record`,
        body: { record_ids: ids, send_email_notification: false },
      });
    },
  );
});

test('an archived record comes back under its id, and one that is live is there already', async () => {
  for (const answer of [{ body: {} }, { status: 400, body: { detail: 'It is not archived.' } }]) {
    await withKizen(
      ({ method }) => (method === 'GET' ? { body: record('deal', 'd-1') } : answer),
      async ({ remote, of, seen }) => {
        const told = await remote.restore({ object: of('deal'), ids: ['d-1'] }, push);
        expect(told.map(({ id: one }) => one)).toEqual(['d-1']);
        expect(seen[0]).toMatchObject({ method: 'PATCH', path: '/api/records/deal/d-1/unarchive' });
        expect(seen[0]?.body).toBeUndefined();
      },
    );
  }
});

test('links are set as a whole, added at the end that has one, and taken by name', async () => {
  await withKizen(
    (seen) => {
      const { fields } = seen.body as { fields: { remove_values?: unknown }[] };
      const removes = fields[0]?.remove_values !== undefined;
      return { body: record('deal', 'd-1', removes ? { contacts: [{ id: 'p-3' }] } : {}) };
    },
    async ({ remote, of, seen }) => {
      const link = { object: of('deal'), id: 'd-1', field: 'contacts', target: 'client_client' };
      await remote.setLinks({ ...link, ids: ['p-1', 'p-2'] }, push);
      expect(await remote.removeLinks({ ...link, ids: ['p-1'] }, push)).toBe(true);
      const children = { ...link, field: 'children', target: 'deal' };
      await remote.setLinks({ ...children, ids: ['d-2'] }, push);
      expect(seen.map(({ body }) => (body as { fields: object[] }).fields[0])).toEqual([
        { id: fieldId('deal', 'contacts'), value: [{ id: 'p-1' }, { id: 'p-2' }] },
        { id: fieldId('deal', 'contacts'), remove_values: [{ id: 'p-1' }] },
        { id: fieldId('deal', 'children'), add_values: [{ id: 'd-2' }] },
      ]);
    },
  );
});

test('a link to a record that is archived is one to nobody, whatever the refusal says', async () => {
  await withKizen(
    ({ method, path }) => {
      if (method === 'GET')
        return path.endsWith('p-2') ? notFound : { body: record('deal', 'p-1') };
      return { status: 400, body: { fields: [{ value: ['Invalid pk.'] }] } };
    },
    async ({ remote, of }) => {
      const link = { object: of('deal'), id: 'd-1', field: 'contacts', target: 'client_client' };
      await expect(remote.setLinks({ ...link, ids: ['p-1', 'p-2'] }, push)).rejects.toMatchObject({
        status: 404,
      });
      await expect(remote.setLinks({ ...link, ids: ['p-1'] }, push)).rejects.toMatchObject({
        status: 400,
        field: 'contacts',
      });
    },
  );
});
