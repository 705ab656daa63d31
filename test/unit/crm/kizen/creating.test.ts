import { expect, test } from 'vitest';
import type { Seen } from '../clarify/scripted-server.ts';
import { create, notFound, record, sentFields, update, withKizen } from './scripted-kizen.ts';

test('a create is looked up exactly, then added', async () => {
  await withKizen(
    ({ path }) =>
      path.endsWith('/lookup')
        ? notFound
        : {
            status: 201,
            body: { action: 'created', ...record('company', 'c-9', { name: 'New' }) },
          },
    async (talk) => {
      const [told] = await create(talk, 'company', { name: 'New', size: null, ratio: 1 });
      expect(told?.id).toBe('c-9');
      expect(talk.seen.map(({ path }) => path)).toEqual([
        '/api/records/company/lookup',
        '/api/records/company/add',
      ]);
      expect(talk.seen[0]?.query.get('identifier')).toBe('New');
      const body = talk.seen[1]?.body as object;
      expect(Object.keys(body)).toEqual(['fields']);
      expect(sentFields('company', { body })).toEqual({ name: 'New', ratio: 1 });
    },
  );
});

test('a name that is taken is no identity, and one in another case is another name', async () => {
  const answer = (name: string) => (seen: Seen) =>
    seen.path.endsWith('/lookup')
      ? { body: record('company', 'c-1', { name }) }
      : { body: record('company', 'c-9', { name: 'New' }) };
  await withKizen(answer('New'), async (talk) => {
    await expect(create(talk, 'company', { name: 'New' })).rejects.toMatchObject({
      code: 'unique-taken',
      disposition: 'park',
    });
    expect(talk.seen).toHaveLength(1);
  });
  await withKizen(answer('NEW'), async (talk) => {
    expect(await create(talk, 'company', { name: 'New' })).toHaveLength(1);
  });
});

test('an add that got no answer is not repeated', async () => {
  await withKizen(
    ({ path }) => (path.endsWith('/lookup') ? notFound : { status: 502, body: '<html>' }),
    async (talk) => {
      await expect(create(talk, 'company', { name: 'New' })).rejects.toMatchObject({
        ambiguous: true,
      });
      expect(talk.seen.filter(({ path }) => path.endsWith('/add'))).toHaveLength(1);
    },
  );
});

test('a contact is created by its address, which can be repeated', async () => {
  let failures = 1;
  await withKizen(
    () => {
      failures -= 1;
      if (failures >= 0) return { status: 502, body: '<html>' };
      return { status: 201, body: { action: 'created', ...record('client_client', 'p-9') } };
    },
    async (talk) => {
      await create(talk, 'client_client', { email: 'a@b.c', first_name: 'A' }, 'email');
      expect(talk.seen.map(({ path }) => path)).toEqual([
        '/api/records/client_client/upsert',
        '/api/records/client_client/upsert',
      ]);
      expect(talk.seen[1]?.body).toMatchObject({ lookup_value: 'a@b.c' });
      const body = talk.seen[1]?.body as object;
      expect(Object.keys(body).toSorted()).toEqual(['fields', 'lookup_value']);
    },
  );
});

test.each([
  [
    '400',
    { status: 400, body: { non_field_errors: ['An archived record has it.'], fields: [{}] } },
  ],
  ['409', { status: 409, body: { detail: 'An archived record has it.', code: 'conflict' } }],
] as const)(
  'a name that an archived record holds (%s) parks the create in Kizen’s words',
  async (_status, refusal) => {
    await withKizen(
      ({ path }) => (path.endsWith('/lookup') ? notFound : refusal),
      async (talk) => {
        await expect(create(talk, 'company', { name: 'Old' })).rejects.toMatchObject({
          disposition: 'park',
          ambiguous: false,
          reason: 'An archived record has it.',
        });
      },
    );
  },
);

test('a record that stays contested is read, and then for a person; one that is archived is gone', async () => {
  const conflict = { status: 409, body: { detail: 'Locked.', code: 'conflict' } };
  await withKizen(
    ({ method }) => (method === 'GET' ? { body: record('deal', 'r-1') } : conflict),
    async (talk) => {
      await expect(update(talk, 'deal', { hot: true })).rejects.toMatchObject({
        code: 'remote-conflict',
        disposition: 'park',
        reason: 'Locked.',
      });
      expect(talk.seen.filter(({ method }) => method === 'PATCH').length).toBeGreaterThan(2);
    },
  );
  await withKizen(
    ({ method }) => (method === 'GET' ? notFound : conflict),
    async (talk) => {
      await expect(update(talk, 'deal', { hot: true })).rejects.toMatchObject({
        code: 'remote-not-found',
        status: 404,
      });
    },
  );
});
