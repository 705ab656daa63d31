import * as z from 'zod';
import { isStorableText } from '../../domain/names.ts';
import { normalForms } from '../../domain/normal-form.ts';
import type { Field, ObjectSchema } from '../../domain/schema.ts';
import { NUMBER_TYPES, type NumberType } from './number-type.ts';

const kinds = [
  'text',
  'number',
  'boolean',
  'date',
  'timestamp',
  'texts',
  'reference',
  'references',
  'json',
] as const;

const fieldShape = z.object({
  name: z.string(),
  kind: z.enum(kinds),
  label: z.string().nullable(),
  unique: z.boolean(),
  caseInsensitive: z.boolean(),
  // One that a later version has written is none here: texts are compared as they stand.
  normal: z.enum(normalForms).optional().catch(undefined),
  scale: z.number().optional(),
  wholeDigits: z.number().optional(),
  integerBits: z.literal([16, 32]).optional(),
  objectIn: z.string().optional(),
  parts: z.array(z.object({ name: z.string(), kind: z.enum(['text', 'number', 'boolean']) })),
  relationship: z
    .object({
      kind: z.enum(['many-to-one', 'one-to-many', 'many-to-many', 'one-to-one']),
      object: z.string(),
      field: z.string().nullable(),
    })
    .nullable(),
  setAfterwards: z.boolean().optional(),
  readOnly: z.boolean().optional(),
}) satisfies z.ZodType<Field>;

const objectShape = z.object({
  object: z.string(),
  label: z.object({ singular: z.string(), plural: z.string() }),
  fields: z.array(fieldShape),
  identity: z.string().nullable(),
  readOnly: z.string().nullable(),
}) satisfies z.ZodType<ObjectSchema>;

const definitionShape = fieldShape.extend({
  /** `[part, column]`: also of parts that are gone, for their columns stay. */
  partColumns: z.array(z.tuple([z.string(), z.string()])).default([]),
  /** The column was added to rows that stood already, and has yet to be read again. */
  unfilled: z.boolean().default(false),
  /** Of a number: the type of its column. From before there was a choice, none is told. */
  numberType: z.enum(NUMBER_TYPES).optional(),
  /** A number came that the column cannot hold exactly. */
  overflown: z.boolean().default(false),
});

/** A field as it is on record. */
export interface StandingField {
  readonly column: string;
  readonly kind: string;
  readonly position: number;
  readonly removed: boolean;
  readonly field: Field;
  readonly partColumns: ReadonlyMap<string, string>;
  readonly unfilled: boolean;
  readonly numberType: NumberType | undefined;
  readonly overflown: boolean;
}

/** What `mirror_column.definition` holds: the field, and what became of it here. */
export function parseDefinition(
  definition: unknown,
): Pick<StandingField, 'field' | 'partColumns' | 'unfilled' | 'numberType' | 'overflown'> {
  const parsed = definitionShape.parse(definition);
  const { partColumns, unfilled, numberType, overflown, ...field } = parsed;
  return { field, partColumns: new Map(partColumns), unfilled, numberType, overflown };
}

/** What `schema_version.objects` holds. */
export function parseObjects(objects: unknown): ObjectSchema[] {
  return z.array(objectShape).parse(objects);
}

function storable(text: string): string {
  return isStorableText(text) ? text : text.replace(/[\0\ud800-\udfff]/gu, '\ufffd');
}

/**
 * The schema in the one form that is recorded and compared: keys in a fixed order, nothing in it
 * that Postgres cannot hold. Fields with such names are left out; `_extra` keeps their values.
 */
export function canonicalSchema(schema: ObjectSchema): ObjectSchema {
  const { object, label, fields, identity, readOnly } = schema;
  return objectShape.parse({
    object,
    label: { singular: storable(label.singular), plural: storable(label.plural) },
    fields: fields.filter(hasStorableNames).map((field) => ({
      ...field,
      label: field.label === null ? null : storable(field.label),
      parts: field.parts.filter((part) => isStorableText(part.name)),
    })),
    identity: identity !== null && isStorableText(identity) ? identity : null,
    readOnly: readOnly === null ? null : storable(readOnly),
  });
}

function hasStorableNames({ name, relationship }: Field): boolean {
  return [name, relationship?.object ?? '', relationship?.field ?? ''].every(isStorableText);
}
