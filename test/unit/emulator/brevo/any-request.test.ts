import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brevo } from './client.ts';

const id = fc.constantFrom(
  '1',
  '0',
  'known',
  '%00',
  '%E0%A4%A',
  'a@b.example',
  '+331',
  '__proto__',
);
const object = fc.constantFrom('vehicle', 'trip', 'contact', 'ghost', 'toString', '%E0%A4%A');
const name = fc.constantFrom(
  'FIRSTNAME',
  'EMAIL',
  'SMS',
  'EXT_ID',
  'TIER',
  'INTERESTS',
  'BIRTHDAY',
  'name',
  'industry',
  'founded',
  'deal_stage',
  'pipeline',
  'plate',
  'features',
  'registered_at',
  '__proto__',
  'toString',
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', 1e300, 2 ** 60, '2026-02-30', '2026-02-03T04:05:06Z', '+33612345678', 'red'),
);
const identifiers = fc.oneof(
  fc.record(
    { id: fc.constantFrom(1, 7, -1, 'x'), ext_id: fc.constantFrom('VIN000001', '', 7) },
    { requiredKeys: [] },
  ),
  value,
);
const attributes = fc.oneof(fc.dictionary(name, value, { maxKeys: 4 }), value);
const association = fc.record(
  {
    object_type: fc.constantFrom('contact', 'company', 'trip', 'toString', 7),
    action: fc.constantFrom('link', 'unlink', 'join'),
    records: fc.oneof(fc.array(fc.record({ identifiers }), { maxLength: 2 }), value),
  },
  { requiredKeys: [] },
);
const record = fc.oneof(
  fc.record(
    { identifiers, attributes, associations: fc.array(association, { maxLength: 2 }) },
    { requiredKeys: [] },
  ),
  value,
);
const ids = fc.oneof(fc.array(fc.constantFrom(1, 2, 99, 'known'), { maxLength: 3 }), value);
const body = fc.oneof(
  fc.record(
    {
      email: fc.constantFrom('a@b.example', 'nobody', 7),
      ext_id: fc.constantFrom('a', '', 7),
      name: value,
      attributes,
      listIds: ids,
      unlinkListIds: ids,
      updateEnabled: value,
      forceMerge: fc.boolean(),
      ids,
      emails: ids,
      records: fc.oneof(fc.array(record, { maxLength: 3 }), value),
      identifiers: fc.oneof(fc.record({ ids, ext_ids: ids }, { requiredKeys: [] }), value),
      contacts: fc.oneof(fc.array(value, { maxLength: 2 }), value),
      jsonBody: fc.oneof(
        fc.array(fc.record({ email: fc.string(), attributes }), { maxLength: 2 }),
        value,
      ),
      fileBody: fc.string(),
      newList: value,
      linkedContactsIds: ids,
      linkedDealsIds: ids,
      linkContactIds: ids,
      url: value,
      events: value,
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const path = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        '/contacts',
        '/companies',
        '/crm/deals',
        '/processes',
        '/webhooks',
        '/contacts/lists',
      ),
      fc.oneof(
        fc.constant(''),
        id.map((one) => `/${one}`),
      ),
    )
    .map((each) => each.join('')),
  fc
    .tuple(object, fc.constantFrom('batch/upsert', 'batch/delete', 'records', 'associated-records'))
    .map(([of, what]) => `/objects/${of}/${what}`),
  fc
    .tuple(id, fc.constantFrom('contacts', 'contacts/add', 'contacts/remove'))
    .map(([one, what]) => `/contacts/lists/${one}/${what}`),
  fc
    .tuple(fc.constantFrom('companies', 'crm/deals'), id)
    .map(([of, one]) => `/${of}/link-unlink/${one}`),
  fc.constantFrom('/contacts/import', '/contacts/batch', '/crm/pipeline/details/x', '/'),
);
const query = fc.array(
  fc.tuple(
    fc.constantFrom(
      'limit',
      'offset',
      'page',
      'page_num',
      'sort',
      'sortBy',
      'modifiedSince',
      'ids',
      'listIds',
      'filter',
      'identifierType',
      'filters[attributes.name]',
      'filters[x]',
      'filters[toString]',
      'association',
      'type',
      'id',
      'ext_id',
      'sms',
    ),
    fc.constantFrom(
      '1',
      '0',
      '3',
      '-1',
      '',
      'asc',
      'true',
      'name',
      'toString',
      'ext_id',
      'phone_id',
      'equals(FIRSTNAME,"x")',
      '2026-01-01T00:00:00Z',
    ),
  ),
  { maxLength: 3 },
);

test('no request, however wrong, gets anything but a plain answer', {
  timeout: 60_000,
}, async () => {
  const { ask, store, switches } = await brevo({
    sizes: { contacts: 5, companies: 2, deals: 2, vehicle: 3, trip: 2 },
    switches: { contactsBatch: 'present', bareRecords: 'take' },
  });
  const method = fc.constantFrom('GET', 'POST', 'POST', 'PATCH', 'PUT', 'DELETE');
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      body,
      fc.boolean(),
      async (verb, where, pairs, sent, other) => {
        switches.recordSort = other ? 'updated' : 'created';
        const known = [...store.ids('deals'), ...store.ids('companies')][0] ?? 'none';
        const target = `${where}?${new URLSearchParams(pairs).toString()}`.replaceAll(
          'known',
          known,
        );
        const asked: unknown =
          verb === 'GET'
            ? undefined
            : JSON.parse(JSON.stringify(sent).replaceAll('"known"', `"${known}"`));
        const answer = await ask(verb, target, asked);
        expect(answer.status).toBeLessThan(500);
        expect(answer.status === 204).toBe(answer.body === undefined);
      },
    ),
    { numRuns: 800 },
  );
});
