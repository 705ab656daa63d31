import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kizen } from './client.ts';

const names = ['name', 'email', 'company', 'contacts', 'stage', 'labels', 'documents', 'discount'];
const name = fc.constantFrom(...names, 'updated', 'tags', 'owner', '__proto__', 'toString');
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(1e300, 2 ** 60, '2026-02-30', '2026-02-03T04:05:06Z', 'a@b.example', 'known'),
  fc.record({ id: fc.constantFrom('known', 7) }),
);
const entry = fc.oneof(
  fc.record(
    {
      id: fc.oneof(
        name.map((each) => `field ${each}`),
        fc.constant(7),
      ),
      name,
      value,
      add_values: value,
      remove_values: value,
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 1 }),
);
const filter = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom('fields', 'fields_v2', 7),
      subtype: fc.constantFrom('custom', 'non_custom'),
      field: fc.oneof(
        name,
        name.map((each) => `"custom"::field ${each}`),
      ),
      condition: fc.constantFrom('=', '>', 'between', 'is_blank', 'is_any_of', 'contains', 'x', 7),
      value,
      overwrite: fc.constantFrom({ type: 'stage' }, 'x'),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 1 }),
);
const group = fc.record({
  id: fc.constant('query-0'),
  and: fc.boolean(),
  filters: fc.array(filter),
});
const body = fc.oneof(
  fc.record(
    {
      fields: fc.oneof(fc.array(entry, { maxLength: 3 }), fc.jsonValue({ maxDepth: 1 })),
      lookup_value: fc.oneof(fc.string(), value),
      query: fc.oneof(fc.array(group, { maxLength: 2 }), fc.jsonValue({ maxDepth: 1 })),
      field_names: fc.oneof(fc.array(name), fc.jsonValue({ maxDepth: 1 })),
      stage_id: value,
      record_ids: fc.oneof(fc.array(value), value),
      field_id: name.map((each) => `field ${each}`),
      value,
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const object = fc.constantFrom('client_client', 'companies', 'deals', 'ghosts', '%E0%A4%A');
const id = fc.constantFrom('known', 'ghost', '%00');
const path = fc.oneof(
  fc
    .tuple(object, fc.constantFrom('search', 'add', 'upsert', 'lookup'))
    .map(([of, what]) => `/records/${of}/${what}`),
  fc
    .tuple(object, id, fc.constantFrom('', '/move', '/unarchive'))
    .map(([of, one, what]) => `/records/${of}/${one}${what}`),
  fc
    .tuple(object, fc.constantFrom('', '/fields', '/bulk-archive-entity-record'))
    .map(([of, what]) => `/custom-objects/${of}${what}`),
  id.map((one) => `/records/${one}/field-values/${one}`),
  fc.constantFrom('/custom-objects/PIPE/bulk-change-field-value', '/pipelines/PIPE/stages'),
);
const query = fc.array(
  fc.tuple(
    fc.constantFrom('page', 'page_size', 'ordering', 'search', 'identifier', 'field_names'),
    fc.oneof(name, fc.constantFrom('0', '3', '-1', '1e3', '', ',', '-updated,name')),
  ),
  { maxLength: 3 },
);

test('no request, however wrong, gets anything but a plain answer', {
  timeout: 30_000,
}, async () => {
  const { ask, store } = await kizen({
    sizes: { companies: 2, client_client: 5, deals: 2, projects: 0 },
    switches: { bulkMs: 0, relationWrites: 'either' },
  });
  const pipeline = String(Object((await ask('GET', '/custom-objects/deals')).body).id);
  const fields = new Map(
    names.flatMap((each) => {
      const isOfContacts = each === 'email' || each === 'company';
      return [
        [
          `field ${each}`,
          store.fieldId(
            isOfContacts ? 'client_client' : 'deals',
            each === 'labels' ? 'channel' : each,
          ),
        ],
      ];
    }),
  );
  const method = fc.constantFrom('GET', 'POST', 'POST', 'PATCH', 'PUT', 'DELETE');
  await fc.assert(
    fc.asyncProperty(method, path, query, body, async (verb, where, pairs, sent) => {
      // A path without an id is no call of the API, and what stands before it answers in HTML.
      const [known = 'none-left'] = [...store.ids('deals'), ...store.ids('client_client')];
      const filled = (text: string): string =>
        text
          .replaceAll('PIPE', pipeline)
          .replaceAll('known', known)
          .replaceAll(/field \w+/g, (each) => fields.get(each) ?? each);
      const target = `${filled(where)}?${new URLSearchParams(pairs).toString()}`;
      const asked: unknown = verb === 'GET' ? undefined : JSON.parse(filled(JSON.stringify(sent)));
      const answer = await ask(verb, target, asked);
      expect(answer.status).toBeLessThan(500);
      if (answer.status === 204) return;
      expect(typeof answer.body).toBe('object');
    }),
    { numRuns: 500 },
  );
});
