import * as z from 'zod';
import type { ItemCheck } from './envelope.ts';
import { idShape, isObject, shapeDeviations, timeShape } from './shape.ts';

const text = z.string().nullable();

const fields = {
  _id: idShape,
  name: z.strictObject({ first_name: text, last_name: text }).nullable(),
  roles: z.strictObject({ items: z.array(z.unknown()) }).nullable(),
  email: text,
  profile_picture: text,
  last_active_at: timeShape.nullable(),
  _created_at: timeShape,
  _updated_at: timeShape.nullish(),
};

// The page gives the fields, not whether they stand in a resource: either way will do.
const flat = z.strictObject(fields);
const resource = z
  .strictObject({
    type: z.literal('user'),
    id: idShape,
    attributes: z.strictObject(fields),
    relationships: z.looseObject({}).optional(),
    links: z.looseObject({}).optional(),
  })
  .refine(({ id, attributes }) => id === attributes._id, 'id and attributes._id differ');

export const user: ItemCheck = (item, at) =>
  shapeDeviations(isObject(item) && 'attributes' in item ? resource : flat, item, at);
