import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect } from './api-client.ts';

const name = fc.constantFrom(
  'name',
  'email_addresses',
  'company_id',
  'deals',
  'interests',
  'lead_score',
  'birthday',
  '_updated_at',
  '_id',
  '_deleted_at',
  '__proto__',
  'toString',
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.record({ items: fc.jsonValue({ maxDepth: 1 }) }),
  fc.constantFrom(1e300, 2 ** 60, '2026-02-30', '2026-02-03T04:05:06Z', 'a@b.example'),
);
const attributes = fc.oneof(fc.dictionary(name, value), fc.jsonValue({ maxDepth: 1 }));
const item = fc.oneof(
  fc.record({ type: fc.constantFrom('person', 'deal', 7), attributes }),
  fc.record({ type: fc.constant('person'), id: fc.constantFrom('known', '', 7), attributes }),
  fc.jsonValue({ maxDepth: 1 }),
);
const body = fc.oneof(
  fc.record(
    {
      data: fc.oneof(item, fc.array(item, { maxLength: 3 })),
      match_on: fc.oneof(name, fc.constant(7)),
      meta: fc.oneof(fc.dictionary(name, value), fc.constant(7)),
      items: fc.oneof(fc.array(fc.constantFrom('known', 7)), fc.constant('x')),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const path = fc
  .tuple(
    fc.constantFrom('person', 'deal', 'nothing', '%E0%A4%A', 'schemas'),
    fc.constantFrom('records', 'resources', 'deleted-resources', 'records/bulk', ''),
    fc.constantFrom('', '/known', '/known/merges', '/known/activities', '/a/b/c'),
    fc.constantFrom('', '/relationships/deals', '/relationships/company_id', '/relationships/name'),
  )
  .map(([object, kind, id, tail]) => `/objects/${object}/${kind}${id}${tail}`);
const query = fc.array(
  fc.tuple(
    fc.oneof(
      name.map((field) => `filter[${field}]`),
      name.map((field) => `filter[${field}][Is on or after]`),
      name.map((field) => `filter[${field}][Greater than]`),
      fc.constantFrom(
        'page[limit]',
        'page[offset]',
        'page[cursor]',
        'include',
        'sortOrder[column]',
      ),
      fc.constantFrom('sortOrder[dir]', 'filter[]', 'filter[a][b][c]'),
    ),
    fc.oneof(
      name,
      fc.constantFrom('0', '3', '-1', 'DESC', 'null', '!null', '>=5', '*x*', '2026-01-01'),
    ),
  ),
  { maxLength: 3 },
);

test('no request, however wrong, gets anything but a plain answer', {
  timeout: 30_000,
}, async () => {
  const { emulator, call } = await connect({ sizes: { person: 5, company: 2, deal: 2 } });
  const [known = ''] = emulator.store.ids('person');
  const method = fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE');
  await fc.assert(
    fc.asyncProperty(method, path, query, body, async (verb, where, pairs, sent) => {
      const target = `${where.replace('known', known)}?${new URLSearchParams(pairs).toString()}`;
      const text = JSON.stringify(sent).replaceAll('"known"', JSON.stringify(known));
      const asked: unknown = verb === 'GET' ? undefined : JSON.parse(text);
      const answer = await call(verb, target, asked);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.text).toMatch(/"errors"|"statusCode"/);
    }),
    { numRuns: 300 },
  );
});
