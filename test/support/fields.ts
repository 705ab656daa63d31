import type { Field, FieldKind, ObjectSchema } from '../../src/domain/schema.ts';

/** A field as most are, for tests of pure rules. */
export function field(name: string, kind: FieldKind, rest: Partial<Field> = {}): Field {
  const plain = { label: null, unique: false, caseInsensitive: false, parts: [] };
  const scale = kind === 'number' ? { scale: 4 } : {};
  return { name, kind, ...plain, relationship: null, ...scale, ...rest };
}

/** A to-one link to records of an object. */
export function reference(name: string, object: string): Field {
  return field(name, 'reference', { relationship: { kind: 'many-to-one', object, field: null } });
}

export function objectSchema(object: string, fields: readonly Field[]): ObjectSchema {
  return {
    object,
    label: { singular: object, plural: object },
    fields,
    identity: null,
    readOnly: null,
  };
}
