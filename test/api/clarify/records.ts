import * as z from 'zod';
import type { ItemCheck } from './envelope.ts';
import type { Call, Deviation, Dialect } from './exchange.ts';
import { dateShape, idShape, isObject, shapeDeviations, timeShape } from './shape.ts';

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/, 'expected a UUID in lower case');
const prefixed = z
  .string()
  .regex(/^[a-z][a-z_]*_[0-9A-Za-z]+$/, 'expected an id with a prefix, as in per_01HX');

const identifier = z.strictObject({ type: idShape, id: idShape });
const related = z
  .strictObject({
    data: z.union([identifier, z.null(), z.array(identifier)]),
    meta: z.strictObject({ count: z.int().min(0) }).optional(),
    links: z.looseObject({}).optional(),
  })
  .refine(
    ({ data, meta }) => !Array.isArray(data) || (meta?.count ?? data.length) >= data.length,
    'counts fewer than it lists',
  );

const idList = z.union([z.array(idShape), z.strictObject({ items: z.array(idShape) }), z.null()]);
/** The page names the author's field and nothing of its form. */
const author = z.union([idShape, z.null(), z.looseObject({ _id: idShape })]);

const systemFields = {
  _created_at: timeShape,
  // Null or absent until the first edit: open.
  _updated_at: timeShape.nullish(),
  _created_by: author.optional(),
  _updated_by: author.optional(),
  _merged_ids: idList.optional(),
  _deleted_at: z.undefined().optional(),
};

const resource = <Id extends z.ZodType, Attributes extends z.ZodType>(
  id: Id,
  attributes: Attributes,
) =>
  z.strictObject({
    type: idShape,
    id,
    attributes,
    relationships: z.record(z.string(), related).optional(),
    links: z.looseObject({}).optional(),
  });

const live = {
  current: resource(uuid, z.looseObject({ ...systemFields, _id: uuid })),
  classic: resource(prefixed, z.looseObject({ ...systemFields, _id: prefixed.optional() })),
};

/** Epoch seconds: anything later than the year 2286 would be milliseconds. */
const epochSeconds = z.int().min(1_000_000_000).max(9_999_999_999);
const deleted = resource(
  uuid,
  z.looseObject({ ...systemFields, _id: uuid, _deleted_at: epochSeconds }),
);

/** A record of the object that the path names. */
export const recordOfPath: ItemCheck = (item, at, call) =>
  record(item, at, call, call.params['object']);

/** A record of whichever object. */
export const anyRecord: ItemCheck = (item, at, call) => record(item, at, call);

/** A record as it was when it was deleted. */
export const deletedRecord: ItemCheck = (item, at, call) => {
  const found = shapeDeviations(deleted, item, at);
  return found.length > 0 ? found : inside(item, at, call, call.params['object']);
};

/** A record at the other end of the link that the path names. */
export const linkedRecord: ItemCheck = (item, at, call) => {
  const fields = call.workspace.fields?.fields(call.params['object'] ?? '');
  return record(item, at, call, fields?.get(call.params['field'] ?? '')?.entity);
};

function record(item: unknown, at: string, call: Call, object?: string): Deviation[] {
  const found = shapeDeviations(live[call.dialect], item, at);
  return found.length > 0 ? found : inside(item, at, call, object);
}

/** What goes beyond the shape: type, id, and fields as the workspace declares them. */
function inside(item: unknown, at: string, call: Call, object?: string): Deviation[] {
  if (!isObject(item) || !isObject(item['attributes'])) return [];
  const found: Deviation[] = [];
  const { type, id, attributes } = item;
  const { _id: repeated } = attributes;
  if (object !== undefined && type !== object) {
    found.push({ at: `${at}.type`, what: `expected ${object}` });
  }
  if (repeated !== undefined && repeated !== id) {
    found.push({ at: `${at}.attributes._id`, what: 'is not the id' });
  }
  const fields = call.workspace.fields?.fields(String(type));
  for (const [name, value] of Object.entries(attributes)) {
    const place = `${at}.attributes.${name}`;
    const known = fields?.get(name);
    if (known?.kind === 'to-many')
      found.push({ at: place, what: 'a to-many link is no attribute' });
    const isList = known?.kind === 'collection' || known?.kind === 'multi-select';
    if (isList && Array.isArray(value)) {
      found.push({ at: place, what: 'a collection is {items}, not a bare array' });
    }
    // What is no time at all was put there as such; what is one has the documented form.
    if (known?.kind === 'date' && typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value)) {
      found.push(...shapeDeviations(known.format === 'date' ? dateShape : timeShape, value, place));
    }
  }
  return type === 'person' ? [...found, ...person(attributes, at, call.dialect)] : found;
}

const part = z.string().nullish();
const names = {
  // Whether what is missing is null: open.
  current: z.strictObject({ first_name: part, last_name: part, full_name: part }),
  classic: z.string(),
};

/** The one record of which the page tells fields that differ between the dialects. */
function person(attributes: object, at: string, dialect: Dialect): Deviation[] {
  const own = { current: ['job_title', 'company_id'], classic: ['title', 'company_name'] };
  const foreign = own[dialect === 'current' ? 'classic' : 'current'];
  const shape = z.looseObject({ name: names[dialect].nullish() });
  return [
    ...shapeDeviations(shape, attributes, `${at}.attributes`),
    ...foreign
      .filter((name) => name in attributes)
      .map((name) => ({ at: `${at}.attributes.${name}`, what: 'is of the other dialect' })),
  ];
}
