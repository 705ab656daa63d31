import * as z from 'zod';
import type { ItemCheck } from './envelope.ts';
import { idShape, isObject, shapeDeviations } from './shape.ts';

// What the page names of each; whether it stands flat or in a resource it says of few.

const text = z.string().nullish();

/** Of an item in either form: what it is called by, and its fields. */
function either(fields: z.ZodRawShape): ItemCheck {
  const flat = z.looseObject({ ...fields, _id: idShape });
  const resource = z.looseObject({ id: idShape, attributes: z.looseObject(fields) });
  return (item, at) =>
    shapeDeviations(isObject(item) && 'attributes' in item ? resource : flat, item, at);
}

export const recordList = either({});

const happened = z.union([z.boolean(), z.string(), z.number(), z.null()]).optional();

export const recipient = either({ opened: happened, clicked: happened, replied: happened });

/** Flat, as the page has it. */
export const attachment: ItemCheck = (item, at) =>
  shapeDeviations(
    z.looseObject({
      _id: idShape,
      name: text,
      source: text,
      mime_type: text,
      size_bytes: z.number().nullish(),
    }),
    item,
    at,
  );

/** Flat, with the id that whoever made it may have given. */
export const comment = z.looseObject({ _id: idShape });
