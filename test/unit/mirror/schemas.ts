import type { Field, FieldKind, ObjectSchema } from '../../../src/domain/schema.ts';

/** A field that is nothing special, unless `more` says so. */
export function field(name: string, kind: FieldKind = 'text', more: Partial<Field> = {}): Field {
  return {
    name,
    kind,
    label: null,
    unique: false,
    caseInsensitive: false,
    parts: [],
    relationship: null,
    ...(kind === 'number' && { scale: 4, wholeDigits: 12 }),
    ...more,
  };
}

export function manyToMany(name: string, object: string, other: string | null): Field {
  return field(name, 'references', {
    relationship: { kind: 'many-to-many', object, field: other },
  });
}

export function referenceTo(name: string, object: string): Field {
  return field(name, 'reference', {
    relationship: { kind: 'many-to-one', object, field: null },
  });
}

/** An object with these fields, writable and without an identity unless `more` says so. */
export function objectOf(
  object: string,
  fields: readonly Field[],
  more: Partial<ObjectSchema> = {},
): ObjectSchema {
  const label = { singular: object, plural: `${object}s` };
  return { object, label, fields, identity: null, readOnly: null, ...more };
}

export const personName = field('name', 'json', {
  label: 'Name',
  parts: [
    { name: 'full_name', kind: 'text' },
    { name: 'age', kind: 'number' },
    { name: 'known', kind: 'boolean' },
  ],
});

/** Names a workspace may really have, and names nobody should survive by luck. */
export const hostileNames = [
  'select',
  'order',
  'user',
  'Name',
  'name',
  'NAME',
  'id',
  '_synced_at',
  '_extra',
  'ctid',
  'xmin',
  '__proto__',
  'constructor',
  'toString',
  'enableRLS',
  'a"b',
  "a'b",
  'a\\b',
  'with space',
  ' ',
  '',
  'semi;colon--',
  '{sync}',
  '{mirror}_x\\"',
  "{history}'{sync",
  '{sync',
  '$1',
  '%I',
  '🙂'.repeat(20),
  'é'.repeat(40),
  'x'.repeat(63),
  'x'.repeat(64),
  `${'x'.repeat(64)}y`,
  'name__full_name',
  'new\nline',
  '${danger}',
];
