import { expect, test } from 'vitest';
import { push } from '../clarify/scripted-server.ts';
import { BUSINESS, id, schemaReply, withKizen } from './scripted-kizen.ts';

const nothing = () => ({ status: 500 });

test('every request carries the key, the user and the business', async () => {
  await withKizen(
    nothing,
    async ({ remote, seen }) => {
      await remote.discover(push);
      for (const { headers } of seen) {
        expect(headers).toMatchObject({
          'x-api-key': 'key-1',
          'x-user-id': 'user-1',
          'x-business-id': BUSINESS,
        });
      }
      expect(remote.workspace).toBe(`kizen:${BUSINESS}`);
    },
    { discovers: false },
  );
});

test('a key of another business ends everything before anything is read', async () => {
  await withKizen(
    nothing,
    async ({ remote, seen }) => {
      await expect(remote.discover(push)).rejects.toMatchObject({
        code: 'remote-forbidden',
        disposition: 'halt',
      });
      expect(seen.map(({ path }) => path)).toEqual(['/api/business/mine']);
    },
    { discovers: false, businessId: 'another' },
  );
});

test('contacts are among the objects, page by page, whatever host the next page is said to be on', async () => {
  await withKizen(nothing, async ({ of }) => {
    expect(of('client_client').identity).toBe('email');
    expect(of('company').identity).toBeNull();
    expect(of('deal').label).toEqual({ singular: 'deal', plural: 'deals' });
  });
});

test('columns have the types of their fields', async () => {
  await withKizen(nothing, async ({ of }) => {
    const kinds = (object: string) =>
      Object.fromEntries(of(object).fields.map(({ name, kind }) => [name, kind]));
    expect(kinds('deal')).toEqual({
      owner: 'text',
      display_name: 'text',
      name: 'text',
      stage: 'text',
      note: 'text',
      plan: 'text',
      twin: 'text',
      likes: 'text',
      colors: 'texts',
      choice: 'texts',
      score: 'number',
      hot: 'boolean',
      closes: 'date',
      seen: 'timestamp',
      contacts: 'references',
      parent: 'reference',
      children: 'references',
      unseen: 'text',
    });
    // Deleted fields and those the key may not view are no columns; an unknown type is kept as it is.
    expect(kinds('company')).toEqual({
      owner: 'text',
      display_name: 'text',
      name: 'text',
      size: 'number',
      ratio: 'number',
      revenue: 'number',
      cents: 'number',
      people: 'references',
      main: 'reference',
      files: 'json',
      rocket: 'json',
    });
    const byName = new Map(of('company').fields.map((field) => [field.name, field]));
    expect(byName.get('size')?.integerBits).toBe(32);
    expect(byName.get('cents')?.scale).toBe(2);
    expect(byName.get('ratio')?.scale).toBeUndefined();
    expect(byName.get('files')?.readOnly).toBe(true);
    expect(byName.get('display_name')?.readOnly).toBe(true);
    expect(byName.get('name')).toMatchObject({ unique: true, normal: 'trimmed' });
    const stage = of('deal').fields.find(({ name }) => name === 'stage');
    expect(stage?.readOnly).toBeUndefined();
    expect(stage?.setAfterwards).toBe(true);
  });
});

test('a relation knows its other end, and one without a visible end is many to many', async () => {
  await withKizen(nothing, async ({ of }) => {
    const relation = (object: string, field: string) =>
      of(object).fields.find(({ name }) => name === field)?.relationship;
    expect(relation('deal', 'contacts')).toEqual({
      kind: 'many-to-many',
      object: 'client_client',
      field: 'deals',
    });
    expect(relation('company', 'people')).toEqual({
      kind: 'one-to-many',
      object: 'client_client',
      field: 'company',
    });
    expect(relation('deal', 'children')).toEqual({
      kind: 'one-to-many',
      object: 'deal',
      field: 'parent',
    });
    expect(relation('company', 'main')).toMatchObject({ kind: 'one-to-one', field: null });
    expect(relation('deal', 'unseen')).toBeNull();
  });
});

test('an object whose fields are refused is named, as it was known before, and the others are there', async () => {
  let isRefused = true;
  await withKizen(
    nothing,
    async ({ remote }) => {
      const found = await remote.discover(push);
      expect(found.map(({ object }) => object)).toEqual(['client_client', 'deal']);
      expect([...(remote.undescribed?.keys() ?? [])]).toEqual(['company']);
      isRefused = false;
      const before = await remote.discover(push);
      expect(remote.undescribed?.size).toBe(0);
      isRefused = true;
      expect(await remote.discover(push)).toEqual(before);
      expect(remote.undescribed?.get('company')).toMatchObject({ code: 'remote-forbidden' });
    },
    {
      discovers: false,
      describe: (request) =>
        isRefused && request.path === `/api/custom-objects/${id('company')}/fields`
          ? { status: 403, body: { detail: 'No.', code: 'permission_required' } }
          : schemaReply(request),
    },
  );
});

test('a page of HTML instead of a list is tried again, and no reason to forget objects', async () => {
  let failures = 2;
  await withKizen(
    nothing,
    async ({ remote }) => {
      expect(await remote.discover(push)).toHaveLength(3);
    },
    {
      discovers: false,
      describe: (request) => {
        if (request.path.endsWith('/fields') && failures > 0) {
          failures -= 1;
          return { status: 404, body: '<html>not here</html>' };
        }
        return schemaReply(request);
      },
    },
  );
});

test('where the fields of every object are refused, no object is taken for gone', async () => {
  await withKizen(
    nothing,
    async ({ remote }) => {
      await expect(remote.discover(push)).rejects.toMatchObject({ disposition: 'retry' });
    },
    {
      discovers: false,
      describe: (request) =>
        request.path.endsWith('/fields')
          ? { status: 403, body: { detail: 'No.', code: 'permission_required' } }
          : schemaReply(request),
    },
  );
});
