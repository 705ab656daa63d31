import { expect, test } from 'vitest';
import type { AttioRemote } from '../../../../src/crm/attio/remote.ts';
import { ExactNumber } from '../../../../src/domain/json.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';
import { push, type Reply, type Seen } from '../clarify/scripted-server.ts';
import { record, refusal, value, withAttio } from './scripted-attio.ts';

async function writing<T>(
  answer: (request: Seen, count: number) => Reply,
  use: (
    remote: AttioRemote,
    of: (object: string) => ObjectSchema,
    seen: readonly Seen[],
  ) => Promise<T>,
): Promise<T> {
  return await withAttio(answer, async (remote, server) => {
    const objects = await remote.discover(push);
    server.seen.length = 0;
    const of = (name: string): ObjectSchema => {
      const found = objects.find(({ object }) => object === name);
      if (found === undefined) throw new Error(`no ${name}`);
      return found;
    };
    return await use(remote, of, server.seen);
  });
}

const taken = (): Reply => ({ body: { data: record('r-1') } });

test('an update sets every field to exactly what is sent, by PUT, and clears with an empty list', async () => {
  await writing(taken, async (remote, of, seen) => {
    const fields = {
      name: { first_name: 'Ada', last_name: 'Lovelace' },
      email_addresses: ['a@b.c'],
      phone_numbers: [],
      company: 'c-1',
      home: { locality: 'Paris', latitude: 48.8 },
      seen_at: null,
    };
    await remote.update({ object: of('people'), records: [{ id: 'r-1', fields }] }, push);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'PUT', path: '/v2/objects/people/records/r-1' });
    expect(seen[0]?.headers['authorization']).toBe('Bearer key-1');
    expect(seen[0]?.body).toEqual({
      data: {
        values: {
          name: [{ first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' }],
          email_addresses: ['a@b.c'],
          phone_numbers: [],
          company: [{ target_object: 'companies', target_record_id: 'c-1' }],
          home: [
            {
              line_1: null,
              line_2: null,
              line_3: null,
              line_4: null,
              locality: 'Paris',
              region: null,
              postcode: null,
              country_code: null,
              latitude: '48.8',
              longitude: null,
            },
          ],
          seen_at: [],
        },
      },
    });
  });
});

test('a create is a POST that is never repeated, and an upsert where it matches on a field', async () => {
  await writing(taken, async (remote, of, seen) => {
    const object = of('deals');
    const fields = {
      name: 'Big',
      owner: 'm-1',
      value: new ExactNumber('0.10'),
      labels: ['Hot', 'B2B'],
      about: 'p-1',
      about__object: 'people',
    };
    await remote.create({ object, records: [fields] }, push);
    expect(seen[0]).toMatchObject({ method: 'POST', path: '/v2/objects/deals/records' });
    expect(seen[0]?.body).toEqual({
      data: {
        values: {
          name: ['Big'],
          owner: [{ referenced_actor_type: 'workspace-member', referenced_actor_id: 'm-1' }],
          value: [0.1],
          labels: ['Hot', 'B2B'],
          about: [{ target_object: 'people', target_record_id: 'p-1' }],
        },
      },
    });
    const people = { object: of('people'), records: [{ email_addresses: ['a@b.c'] }] };
    await remote.create({ ...people, matchOn: 'email_addresses' }, push);
    expect(seen[1]).toMatchObject({ method: 'PUT', path: '/v2/objects/people/records' });
    expect(seen[1]?.query.get('matching_attribute')).toBe('email_addresses');
  });
});

test('a create whose answer got lost is not sent again, an upsert is', async () => {
  const lost = (_seen: Seen, count: number): Reply =>
    count > 1 ? taken() : { raw: (response) => response.destroy() };
  await writing(lost, async (remote, of, seen) => {
    const request = { object: of('companies'), records: [{ domains: ['a.com'] }] };
    await expect(remote.create(request, push)).rejects.toMatchObject({ ambiguous: true });
    expect(seen).toHaveLength(1);
  });
  await writing(lost, async (remote, of, seen) => {
    const request = { object: of('companies'), records: [{ domains: ['a.com'] }] };
    expect(await remote.create({ ...request, matchOn: 'domains' }, push)).toHaveLength(1);
    expect(seen).toHaveLength(2);
  });
});

test.each(['last_email_interaction', 'value__currency'])(
  '%s is refused before anything is sent, with a message',
  async (name) => {
    await writing(taken, async (remote, of, seen) => {
      const object = of(name.startsWith('value') ? 'deals' : 'people');
      const records = [{ id: 'r-1', fields: { [name]: 'x' } }];
      await expect(remote.update({ object, records }, push)).rejects.toMatchObject({
        code: 'remote-invalid',
        disposition: 'park',
        field: name,
        message: expect.stringContaining('read-only'),
      });
      expect(seen).toEqual([]);
    });
  },
);

test('half of a reference to any object is made whole by what the record shows', async () => {
  const shown = record(
    'd-1',
    { about: [value({ target_object: 'companies', target_record_id: 'c-1' })] },
    'deals',
  );
  await writing(
    () => ({ body: { data: shown } }),
    async (remote, of, seen) => {
      const records = [{ id: 'd-1', fields: { about: 'c-2' } }];
      await remote.update({ object: of('deals'), records }, push);
      expect(seen.map(({ method }) => method)).toEqual(['GET', 'PUT']);
      expect(seen[1]?.body).toEqual({
        data: { values: { about: [{ target_object: 'companies', target_record_id: 'c-2' }] } },
      });
      await expect(
        remote.create({ object: of('deals'), records: [{ about: 'c-2' }] }, push),
      ).rejects.toMatchObject({ code: 'remote-invalid', field: 'about' });
    },
  );
});

test.each([
  [400, 'uniqueness_conflict', { code: 'remote-duplicate', disposition: 'park' }],
  [409, 'uniqueness_conflict', { code: 'remote-duplicate', disposition: 'park' }],
  [400, 'multiple_match_results', { code: 'remote-duplicate', disposition: 'park' }],
  [400, 'validation_type', { code: 'remote-invalid', disposition: 'park' }],
  [400, 'missing_value', { code: 'remote-invalid', disposition: 'park' }],
  [422, 'never_heard_of', { code: 'remote-invalid', disposition: 'park' }],
  [409, 'never_heard_of', { code: 'remote-busy', disposition: 'retry' }],
  [409, 'concurrent_write_conflict', { code: 'remote-busy', disposition: 'retry' }],
  [400, 'merge_in_progress', { code: 'remote-busy', disposition: 'retry' }],
  [404, 'not_found', { code: 'remote-not-found', status: 404 }],
  [403, 'unauthorized', { code: 'remote-forbidden', disposition: 'park' }],
  [403, 'billing_error', { code: 'remote-payment-required', disposition: 'retry' }],
  [500, 'not_found', { code: 'remote-unavailable', disposition: 'retry' }],
])('%s %s is told by status and code', async (status, code, expected) => {
  // A message that says otherwise.
  const reply = refusal(status, code, { message: 'already taken: not unique, rate limit, 404' });
  await writing(
    () => reply,
    async (remote, of) => {
      const records = [{ id: 'r-1', fields: { name: 'x' } }];
      await expect(
        remote.update({ object: of('deals'), records }, { ...push, withinMs: 1 }),
      ).rejects.toMatchObject(expected);
    },
  );
});

test('the field is named by what failed validation, and the reason kept out of the message', async () => {
  const reply = refusal(400, 'validation_type', {
    message: 'Body payload validation error.',
    validation_errors: [
      { code: 'x', path: ['data', 'values', 'score', 0], message: 'secret is no number' },
    ],
  });
  await writing(
    () => reply,
    async (remote, of) => {
      const records = [{ id: 'r-1', fields: { score: 9 } }];
      const error: unknown = await remote
        .update({ object: of('deals'), records }, push)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ field: 'score', culprit: 0 });
      expect(error).toHaveProperty('reason', expect.stringContaining('secret is no number'));
      expect(String(error)).not.toContain('secret');
    },
  );
});

test('a write that clashed with another is sent again', async () => {
  await writing(
    (_seen, count) => (count > 1 ? taken() : refusal(409, 'concurrent_write_conflict')),
    async (remote, of) => {
      const records = [{ id: 'r-1', fields: { name: 'x' } }];
      expect(await remote.update({ object: of('deals'), records }, push)).toHaveLength(1);
    },
  );
});

test('what is gone already counts as deleted, what is being merged does not', async () => {
  await writing(
    ({ path }) =>
      path.endsWith('/gone')
        ? refusal(404, 'not_found')
        : path.endsWith('/merging')
          ? refusal(404, 'merge_in_progress')
          : { body: {} },
    async (remote, of) => {
      const remove = (id: string) =>
        remote.delete({ object: of('deals'), ids: [id] }, { ...push, withinMs: 1 });
      expect(await remove('there')).toEqual([]);
      expect(await remove('gone')).toEqual([]);
      await expect(remove('merging')).rejects.toMatchObject({ code: 'remote-busy' });
    },
  );
});

const referenceTo = (id: string) => ({ target_object: 'people', target_record_id: id });
const linkedTo = (...ids: readonly string[]) => ids.map((id) => value(referenceTo(id)));

test('links are added by PATCH, set as a whole by PUT, and taken out of what an answer shows', async () => {
  let shown = { PATCH: linkedTo('p-1', 'p-2'), PUT: linkedTo('p-1') };
  await writing(
    ({ method }) => {
      const values = method === 'PATCH' ? shown.PATCH : shown.PUT;
      return {
        body: { data: record('d-1', { associated_people: values, team: values }, 'deals') },
      };
    },
    async (remote, of, seen) => {
      const link = { object: of('deals'), id: 'd-1', field: 'associated_people', target: 'people' };
      const sent = (field: string, ...ids: readonly string[]) => ({
        data: { values: { [field]: ids.map(referenceTo) } },
      });
      expect(await remote.addLinks({ ...link, ids: ['p-2'] }, push)).toEqual(['p-1', 'p-2']);
      expect(await remote.removeLinks({ ...link, ids: ['p-2'] }, push)).toBe(true);
      await remote.setLinks({ ...link, ids: ['p-3'] }, push);
      expect(seen.map(({ method, body }) => [method, body])).toEqual([
        ['PATCH', sent('associated_people', 'p-2')],
        ['PATCH', sent('associated_people', 'p-2')],
        ['PUT', sent('associated_people', 'p-1')],
        ['PUT', sent('associated_people', 'p-3')],
      ]);
      shown = { PATCH: linkedTo('p-1', 'p-2'), PUT: linkedTo('p-1', 'p-2') };
      expect(await remote.removeLinks({ ...link, ids: ['p-2'] }, push)).toBe(false);
      await remote.setLinks(
        { ...link, object: of('companies'), field: 'team', ids: ['p-9'] },
        push,
      );
      expect(seen.at(-1)).toMatchObject({ method: 'PATCH', body: sent('team', 'p-9') });
    },
  );
});

test('that an end of a link is not there reads like a record that is not', async () => {
  await writing(
    () => ({
      status: 400,
      body: { status_code: 400, code: 'value_not_found', message: 'No such.' },
    }),
    async (remote, of) => {
      const link = { object: of('deals'), id: 'd-1', field: 'associated_people', target: 'people' };
      await expect(remote.addLinks({ ...link, ids: ['p-9'] }, push)).rejects.toMatchObject({
        status: 404,
        code: 'remote-not-found',
        reason: 'No such.',
      });
    },
  );
});
