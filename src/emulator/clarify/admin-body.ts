import * as z from 'zod';
import { bodyParts } from '../kernel/admin-body.ts';

const { object, fields, ids, options } = bodyParts;

const relation = z.enum(['many-to-one', 'one-to-many', 'many-to-many', 'one-to-one']);
const kinds = [
  'text',
  'number',
  'integer',
  'boolean',
  'datetime',
  'date',
  'array',
  'object',
] as const;
const collections = [
  'emailAddresses',
  'phoneNumbers',
  'domains',
  'collectionOfIds',
  'collectionOfStrings',
  'participants',
] as const;
const form = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(kinds) }),
  z.strictObject({ kind: z.enum(['select', 'multi-select']), options: z.array(z.string()) }),
  z.strictObject({ kind: z.literal('collection'), of: z.enum(collections) }),
  z.strictObject({ kind: z.literal('value'), of: z.enum(['personName', 'address', 'richText']) }),
  z.strictObject({
    kind: z.literal('link'),
    relation,
    entity: object,
    field: z.string().nullable(),
  }),
]);
const field = z.strictObject({
  name: z.string(),
  form,
  unique: z.boolean().default(false),
  primary: z.boolean().default(false),
});

/** Bodies of `POST /_emulator/{name}`: what people do in the app. */
export const adminBodies = {
  create: z.strictObject({ object, fields, ...options }),
  edit: z.strictObject({ object, id: z.string(), fields, ...options }),
  enrich: z.strictObject({ object, id: z.string(), fields }),
  delete: z.strictObject({ object, ids, ...options }),
  merge: z.strictObject({ object, target: z.string(), sources: ids, ...options }),
  link: z.strictObject({ object, id: z.string(), field: z.string(), ids, ...options }),
  unlink: z.strictObject({ object, id: z.string(), field: z.string(), ids, ...options }),
  /** Either names the records, or takes the first so many; all get one `_updated_at`. */
  'bulk-touch': z.strictObject({
    object,
    ids: ids.optional(),
    count: z.number().int().min(1).optional(),
    at: options.at,
  }),
  hide: z.strictObject({ object, ids }),
  unhide: z.strictObject({ object, ids }),
  'add-field': z.strictObject({ object, field }),
  'remove-field': z.strictObject({ object, name: z.string() }),
  'change-field': z.strictObject({ object, name: z.string(), form }),
  'add-object': z.strictObject({
    object,
    singular: z.string(),
    plural: z.string(),
    fields: z.array(field),
  }),
  'remove-object': z.strictObject({ object }),
  /** Every access token, or every login with all of its tokens. */
  revoke: z.strictObject({ what: z.enum(['access', 'logins']) }),
} as const;
