import type { Json } from '../../domain/json.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { WireForms } from './wire-forms.ts';

/** Field values as the API takes them. To-many links are no attributes, and left out. */
export function encodeFields(
  object: ObjectSchema,
  fields: Readonly<Record<string, Json>>,
  forms: WireForms,
): Readonly<Record<string, Json>> {
  const kinds = new Map(object.fields.map(({ name, kind }) => [name, kind]));
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const kind = kinds.get(name);
      if (kind === 'references') return [];
      if (kind !== 'texts') return [[name, value]];
      return [[name, encodeTexts(value, forms.of(object.object, name))]];
    }),
  );
}

function encodeTexts(value: Json, form: 'items' | 'array'): Json {
  if (form === 'array') return value;
  // A collection is cleared by an empty one.
  if (value === null) return { items: [] };
  return Array.isArray(value) ? { items: value } : value;
}

/** The fields of these records that hold a list of strings. */
export function textsIn(
  object: ObjectSchema,
  records: readonly Readonly<Record<string, Json>>[],
): readonly string[] {
  return object.fields
    .filter(
      ({ kind, name }) => kind === 'texts' && records.some((record) => Object.hasOwn(record, name)),
    )
    .map(({ name }) => name);
}
