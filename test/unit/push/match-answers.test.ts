import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import { matchAnswers } from '../../../src/push/match-answers.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import { field, objectSchema } from '../../support/fields.ts';

const schema = objectSchema('person', [
  field('email_addresses', 'texts', { caseInsensitive: true, unique: true }),
  field('name', 'text'),
  field('stage', 'text'),
  field('constructor', 'text'),
]);

type Values = Readonly<Record<string, Json>>;

function create(fields: Values, matchOn: string | null = null): Outgoing {
  return {
    kind: 'create',
    recordId: 'local:1',
    entries: [],
    fields,
    changes: {},
    identity: matchOn,
    matchOn,
    attempts: 1,
    mayHaveArrived: false,
  };
}

function record(id: string, fields: Values): RemoteRecord {
  const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
  return { id, fields, ...system, mergedIds: [], links: {} };
}

const anyFields = fc.record(
  { name: fc.constantFrom('Bob', 'Eve', 'Kim'), stage: fc.constantFrom('open', 'won') },
  { requiredKeys: [] },
);

describe('matching an answer to what was sent', () => {
  test('updates are matched by id, whatever the order; a missing one by nothing', () => {
    const update = (id: string): Outgoing => ({
      ...create({ name: 'Bob' }),
      kind: 'update',
      recordId: id,
    });
    const changes = [update('1'), update('2'), update('3')];
    const matched = matchAnswers(schema, changes, [record('3', {}), record('1', {})]);
    expect(changes.map((change) => matched.get(change)?.id)).toEqual(['1', undefined, '3']);
  });

  test('a record that stood long before and says nothing of a create is a stranger’s', () => {
    const sentAtMs = Date.parse('2026-09-01T12:00:00.000Z');
    const bob = create({ name: 'Bob' });
    const answer = (name: string, createdAt: string) =>
      matchAnswers(schema, [bob], [{ ...record('1', { name }), createdAt }], sentAtMs).get(bob);
    expect(answer('Eve', '2026-08-01T12:00:00.000Z')).toBeUndefined();
    // What the CRM made of it; what an upsert found.
    expect(answer('BOB', '2026-09-01T12:00:01.000Z')?.id).toBe('1');
    expect(answer('Bob', '2026-08-01T12:00:00.000Z')?.id).toBe('1');
  });

  test('each create gets the record that says what it said, in whatever order', () => {
    const several = fc.uniqueArray(anyFields, {
      minLength: 1,
      selector: (f) => JSON.stringify([f.name, f.stage]),
    });
    const order = fc.array(fc.nat(), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(several, order, (contents, keys) => {
        const changes = contents.map((fields) => create(fields));
        const records = contents
          .map((fields, i) => record(String(i), { name: null, stage: null, ...fields }))
          .toSorted((a, b) => (keys[Number(a.id)] ?? 0) - (keys[Number(b.id)] ?? 0));
        const matched = matchAnswers(schema, changes, records);
        expect(changes.map((change) => matched.get(change)?.id)).toEqual(
          contents.map((_, i) => String(i)),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('an identity finds its record although all else was there before', () => {
    const several = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(several, fc.infiniteStream(fc.nat({ max: 1_000 })), (count, keys) => {
        const changes = Array.from({ length: count }, (_, i) =>
          create(
            { email_addresses: [`P${i}@x.io`], name: 'Bob', stage: 'open' },
            'email_addresses',
          ),
        );
        const records = changes
          .map((_, i) => {
            const emails = [`other${i}@x.io`, `p${i}@X.io`];
            return {
              key: keys.next().value,
              is: record(String(i), { email_addresses: emails, name: 'Bob' }),
            };
          })
          .toSorted((a, b) => (a.key ?? 0) - (b.key ?? 0));
        const matched = matchAnswers(
          schema,
          changes,
          records.map(({ is }) => is),
        );
        expect(changes.map((change) => matched.get(change)?.id)).toEqual(
          changes.map((_, i) => String(i)),
        );
      }),
    );
  });

  test('who agrees wholly goes before who agrees in part and stands in the right place', () => {
    const bob = create({ name: ' Bob', stage: 'open' });
    const eve = create({ name: 'Eve', stage: 'open' });
    const records = [
      record('e', { name: 'Eve', stage: 'open' }),
      record('b', { name: 'Bob', stage: 'open' }),
    ];
    const matched = matchAnswers(schema, [bob, eve], records);
    expect([matched.get(bob)?.id, matched.get(eve)?.id]).toEqual(['b', 'e']);
  });

  test('among equals the order decides, also where all came back normalised', () => {
    for (const names of [
      ['Bob', 'Bob'],
      [' Bob', ' Eve'],
    ]) {
      const changes = names.map((name) => create({ name, stage: 'open' }));
      const records = names.map((name, i) =>
        record(String(i), { name: name.trim(), stage: 'open' }),
      );
      const matched = matchAnswers(schema, changes, records);
      expect(changes.map((change) => matched.get(change)?.id)).toEqual(['0', '1']);
    }
  });

  test('where all are answered, the one left over is the one that was normalised', () => {
    const sent = [
      create({ email_addresses: ['www.a.io'] }, 'email_addresses'),
      create({ email_addresses: ['b.io'] }, 'email_addresses'),
    ];
    const records = [
      record('b', { email_addresses: ['b.io'] }),
      record('a', { email_addresses: ['a.io'] }),
    ];
    const matched = matchAnswers(schema, sent, records);
    expect(sent.map((change) => matched.get(change)?.id)).toEqual(['a', 'b']);
  });

  test('two creates that came to one record: it is given to one, however often it is named', () => {
    const sent = ['a@x', 'b@x'].map((email) =>
      create({ email_addresses: [email] }, 'email_addresses'),
    );
    const both = record('1', { email_addresses: ['a@x', 'b@x'] });
    for (const records of [[both], [both, { ...both }]]) {
      expect(matchAnswers(schema, sent, records).size).toBe(1);
    }
  });

  test('a short answer leaves those without a record of theirs without one', () => {
    const sent = ['a@x', 'b@x'].map((email) =>
      create({ email_addresses: [email], name: 'Bob' }, 'email_addresses'),
    );
    const matched = matchAnswers(schema, sent, [
      record('b', { email_addresses: ['b@x'], name: 'Bob' }),
    ]);
    expect(sent.map((change) => matched.get(change)?.id)).toEqual([undefined, 'b']);
    expect(matchAnswers(schema, [create({ name: 'Bob' }), create({ name: 'Eve' })], []).size).toBe(
      0,
    );
  });

  test('what every object inherits is no value of a record', () => {
    const sent = [create({ constructor: 'x', name: 'Bob' }), create({ name: 'Eve' })];
    const matched = matchAnswers(schema, sent, [
      record('e', { name: 'Eve' }),
      record('b', { name: 'Bob' }),
    ]);
    expect(sent.map((change) => matched.get(change)?.id)).toEqual(['b', 'e']);
  });
});
