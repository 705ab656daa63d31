import { expect, test } from 'vitest';
import { canonicalSchema, parseDefinition } from '../../../src/db/mirror/definition.ts';
import type { ObjectSchema } from '../../../src/domain/schema.ts';

const field = {
  name: 'email',
  kind: 'text',
  label: null,
  unique: true,
  caseInsensitive: false,
  parts: [],
  relationship: null,
} as const;

test('a form that a later version has put on record is none to this one, and nothing else is lost', () => {
  const { field: read } = parseDefinition({ ...field, normal: 'of the future' });
  expect(read).toEqual(field);
  expect(parseDefinition({ ...field, normal: 'person' }).field.normal).toBe('person');
});

test('a schema without such a form is recorded as it always was', () => {
  const schema: ObjectSchema = {
    object: 'people',
    label: { singular: 'Person', plural: 'People' },
    fields: [field],
    identity: 'email',
    readOnly: null,
  };
  expect(Object.keys(canonicalSchema(schema).fields[0] ?? {})).not.toContain('normal');
});
