import * as z from 'zod';
import { type Call, type Deviation, dialectOf } from './exchange.ts';
import { lastSegment } from './field-book.ts';
import { isObject, sampled, shapeDeviations } from './shape.ts';

const typeName = z.string().min(1);

/** The forms of a property that the page names; JSON Schema allows more beside them. */
const property = z.looseObject({
  type: z.union([typeName, z.array(typeName).min(1)]).optional(),
  format: z.string().optional(),
  enum: z.array(z.union([z.string(), z.number(), z.null()])).optional(),
  $ref: z.string().min(1).optional(),
  oneOf: z
    .array(z.union([z.looseObject({ $ref: z.string() }), z.looseObject({ type: typeName })]))
    .min(1)
    .optional(),
  xClarifyUnique: z.boolean().optional(),
  xClarifyPrimary: z.boolean().optional(),
  xClarifyRelationship: z
    .looseObject({
      kind: z.enum(['many-to-one', 'one-to-many', 'many-to-many', 'one-to-one']),
      entity: z.string().min(1),
      field: z.string().min(1).nullish(),
    })
    .optional(),
});

const document = {
  $id: z.string().min(1),
  title: z.string(),
  type: z.string(),
  properties: z.record(z.string(), property).optional(),
};

const id = z.string().regex(/(?:^|\/)(?:core|entities)\/[^/]+$/, 'expected core/… or entities/…');

const valueType = z.strictObject({
  type: z.literal('schema'),
  id,
  attributes: z.looseObject({ ...document, title: z.string().optional() }),
});

const entity = z.strictObject({
  type: z.literal('schema'),
  id,
  attributes: z.looseObject({
    ...document,
    type: z.literal('object'),
    xClarifyNamespace: z.literal('objects'),
    xClarifyLabel: z.looseObject({ singular: z.string(), plural: z.string() }),
    properties: z.record(z.string(), property),
  }),
});

const url = z.string().regex(/^https?:\/\/\S+$/, 'expected an absolute URL');

const lists = {
  /** Paged by cursor: links and no `meta`. */
  current: z.strictObject({
    data: z.array(z.unknown()),
    links: z.looseObject({ next: url.nullable() }),
  }),
  /** One array: bare, or as the one list there is. */
  classic: z.union([z.array(z.unknown()), z.strictObject({ data: z.array(z.unknown()) })]),
};

export function schemasAnswer(call: Call, body: unknown): Deviation[] {
  const dialect = dialectOf(call, 'schemas');
  const found = shapeDeviations(lists[dialect], body, 'answer.body');
  if (found.length > 0) return found;
  const list = isObject(body) ? body['data'] : body;
  const at = isObject(body) ? 'answer.body.data' : 'answer.body';
  if (!Array.isArray(list)) return found;
  // "One array" does not say of what: in `classic` the documents may stand by themselves.
  const wrapped = (item: unknown) =>
    dialect === 'classic' && isObject(item) && !('attributes' in item)
      ? { type: 'schema', id: item['$id'], attributes: item }
      : item;
  return sampled(list, call.sample).flatMap(([index, item]) =>
    schema(wrapped(item), `${at}[${index}]`),
  );
}

function schema(item: unknown, at: string): Deviation[] {
  const slug = isObject(item) ? String(item['id']) : '';
  const isEntity = /(?:^|\/)entities\/[^/]+$/.test(slug);
  const found = shapeDeviations(isEntity ? entity : valueType, item, at);
  if (found.length > 0 || !isEntity) return found;
  const { attributes } = entity.parse(item);
  if (lastSegment(attributes.$id) !== lastSegment(slug)) {
    found.push({ at: `${at}.attributes.$id`, what: 'ends in another slug than the id' });
  }
  for (const name of ['_created_at', '_updated_at']) {
    const declared = attributes.properties[name];
    if (declared && declared.format !== 'date-time') {
      found.push({ at: `${at}.attributes.properties.${name}.format`, what: 'expected date-time' });
    }
  }
  return found;
}
