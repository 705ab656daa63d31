import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createCatalog,
  type KizenField,
  type KizenObject,
} from '../../../../src/crm/kizen/catalog.ts';
import { createDecoder } from '../../../../src/crm/kizen/decode-record.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';

const relation = { objectId: 'o2', objectName: 'other', fieldId: null };
const field = fc.record({
  id: fc.constantFrom('f1', 'f2'),
  name: fc.constantFrom('one', 'two', 'stage', 'created'),
  type: fc.constantFrom('text', 'dropdown', 'checkbox', 'relationship', 'date', 'decimal'),
  isLive: fc.boolean(),
  isDefault: fc.boolean(),
  options: fc.constantFrom(
    [],
    [{ id: 'x', label: 'Red', code: 'red' }],
    [{ id: 'x', label: 'Blue', code: 'red' }],
  ),
  relation: fc.constantFrom(
    null,
    { ...relation, cardinality: 'many_to_one' } as const,
    { ...relation, cardinality: 'many_to_many' } as const,
  ),
});
const object = fc.record({
  fields: fc.uniqueArray(field, { maxLength: 2, selector: ({ id }) => id }),
  isPipeline: fc.boolean(),
  stages: fc.constantFrom([], [{ id: 'x', label: 'Won', code: null }]),
  /** Whether the object at the other end is to be seen. */
  sees: fc.boolean(),
});
const value = fc.constantFrom(
  'x',
  'red',
  '2026-01-01T00:00:00Z',
  12,
  true,
  null,
  { id: 'x', name: 'X' },
  [{ id: 'x' }],
);
const item = fc.record({
  id: fc.constant('r1'),
  created: fc.constant('2026-01-01T00:00:00Z'),
  fields: fc.dictionary(fc.constantFrom('f1', 'f2', 'one'), fc.record({ value }), { maxKeys: 2 }),
});

const schema: ObjectSchema = {
  object: 'thing',
  label: { singular: 'Thing', plural: 'Things' },
  fields: [],
  identity: null,
  readOnly: null,
};

function decoderOf({
  fields,
  isPipeline,
  stages,
  sees,
}: typeof object extends fc.Arbitrary<infer T> ? T : never) {
  const rest = { label: null, isReadOnly: false, allowsNull: true, allowsEmpty: true, scale: null };
  const whole = fields.map((one): KizenField => ({ ...rest, ...one }));
  const about = { singular: 'Thing', plural: 'Things', canEdit: true };
  const thing: KizenObject = {
    ...about,
    id: 'o1',
    name: 'thing',
    isPipeline,
    fields: whole,
    stages,
  };
  const other: KizenObject = {
    ...about,
    id: 'o2',
    name: 'other',
    isPipeline: false,
    fields: [],
    stages: [],
  };
  const catalog = createCatalog();
  catalog.replace(sees ? [thing, other] : [thing]);
  return createDecoder(catalog);
}

test('whatever has a record read otherwise has another basis', () => {
  fc.assert(
    fc.property(object, object, item, (before, after, told) => {
      const [old, now] = [decoderOf(before), decoderOf(after)];
      if (old.basis(schema) !== now.basis(schema)) return;
      const whole = { kind: 'whole' } as const;
      expect(now.record(schema, told, whole)).toEqual(old.record(schema, told, whole));
    }),
    { numRuns: 5_000 },
  );
});

test('the same object has the same basis, whenever it was asked about', () => {
  fc.assert(
    fc.property(object, (one) => {
      expect(decoderOf(one).basis(schema)).toBe(decoderOf(one).basis(schema));
    }),
  );
});
