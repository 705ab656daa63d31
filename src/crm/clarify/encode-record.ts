import type { Json } from '../../domain/json.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { WireForms } from './wire-forms.ts';

type Values = Readonly<Record<string, Json>>;

/** Turns the values of each record of a call into what the API takes. To-many links are no attributes, and left out. */
export function attributesEncoder(
  { object, fields }: ObjectSchema,
  forms: WireForms,
): (values: Values) => Values {
  const kinds = new Map(fields.map(({ name, kind }) => [name, kind]));
  return (values) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => {
        const kind = kinds.get(name);
        if (kind === 'references') return [];
        if (kind !== 'texts') return [[name, value]];
        return [[name, encodeTexts(value, forms.of(object, name))]];
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
export function textsIn(object: ObjectSchema, records: readonly Values[]): readonly string[] {
  return object.fields
    .filter(
      ({ kind, name }) => kind === 'texts' && records.some((record) => Object.hasOwn(record, name)),
    )
    .map(({ name }) => name);
}
