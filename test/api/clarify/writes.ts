import * as z from 'zod';
import { type Call, type Deviation, type Dialect, dialectOf } from './exchange.ts';
import { idShape, isObject, shapeDeviations } from './shape.ts';

const attributes = z.record(z.string(), z.unknown());
const created = z.strictObject({ type: idShape, attributes });
const updated = z.strictObject({ type: idShape, id: idShape, attributes });
const matchOn = z.string().min(1).optional();
/** One for all items, beside `data`. */
const meta = z
  .record(
    z.string(),
    z.union([
      z.strictObject({ collection: z.enum(['append', 'remove', 'replace']) }),
      z.strictObject({ array: z.literal('append') }),
      z.strictObject({ object: z.literal('merge') }),
    ]),
  )
  .optional();

/** What a call may carry. Where the page shows a body, it takes no other key. */
export const bodies = {
  create: z.strictObject({ data: created, match_on: matchOn }),
  createMany: z.strictObject({ data: z.array(created).min(1), match_on: matchOn }),
  update: z.strictObject({ data: updated, meta }),
  updateMany: z.strictObject({ data: z.array(updated).min(1), meta }),
  removeMany: z.strictObject({ items: z.array(idShape).min(1) }),
  merge: z.strictObject({
    data: z.strictObject({
      type: idShape,
      attributes: z.strictObject({ sources: z.array(idShape).min(1) }),
    }),
  }),
  link: z.strictObject({
    data: z.array(z.strictObject({ type: idShape, id: idShape.nullable() })),
  }),
  /** The address says it all. */
  none: z.undefined(),
  emptyAtMost: z.union([z.undefined(), z.strictObject({})]),
  /** "Flat bodies": the page gives no more of it. */
  flat: z.record(z.string(), z.unknown()),
  anything: z.unknown(),
  comment: z.looseObject({ _id: z.guid().optional() }),
} as const;

export type BodyName = keyof typeof bodies;

const bulkSize: Readonly<Record<Dialect, number>> = {
  current: Number.POSITIVE_INFINITY,
  classic: 25,
};

export function bodyDeviations(name: BodyName, call: Call): Deviation[] {
  const { body } = call;
  const found: Deviation[] = shapeDeviations(bodies[name], body, 'request.body');
  if (!isObject(body)) return found;
  if (name === 'removeMany' && Array.isArray(body['items']) && body['items'].length === 0) {
    return [{ at: 'request.body.items', what: 'is empty', refusedWith: [400, 422] }];
  }
  const list = Array.isArray(body['data']) ? body['data'] : [];
  const many = name === 'removeMany' ? body['items'] : name.endsWith('Many') ? list : [];
  if (Array.isArray(many) && many.length > bulkSize[dialectOf(call, 'bulk size')]) {
    found.push({ at: 'request.body', what: 'holds more than 25 items', refusedWith: [422] });
  }
  if (name === 'update' && call.params['object']?.startsWith('c_')) {
    const what = 'a custom object is updated in bulk alone';
    found.push({ at: 'request.method', what, refusedWith: [500] });
  }
  if (!/^(create|update|merge)/.test(name)) return found;
  const items = name.endsWith('Many') ? list : [body['data']];
  items.forEach((item: unknown, index) => {
    const at = name.endsWith('Many') ? `request.body.data[${index}]` : 'request.body.data';
    if (isObject(item)) found.push(...itemDeviations(name, call, item, at));
  });
  return found;
}

function itemDeviations(
  name: BodyName,
  call: Call,
  item: Record<string, unknown>,
  at: string,
): Deviation[] {
  const found: Deviation[] = [];
  if (typeof item['type'] === 'string' && item['type'] !== call.params['object']) {
    found.push({ at: `${at}.type`, what: 'is not the object of the path' });
  }
  if (name === 'update' && item['id'] !== call.params['id']) {
    found.push({ at: `${at}.id`, what: 'is not the id of the path' });
  }
  if (name.startsWith('create') && 'id' in item) {
    found.push({ at: `${at}.id`, what: 'has no place in a create', refusedWith: [422] });
  }
  if (name === 'merge' || !isObject(item['attributes'])) return found;
  return [...found, ...attributeDeviations(call, item['attributes'], `${at}.attributes`)];
}

/** The form of attributes, which is the client's to get right; what a person wrote is in `values.ts`. */
function attributeDeviations(
  call: Call,
  given: Readonly<Record<string, unknown>>,
  at: string,
): Deviation[] {
  const fields = call.workspace.fields?.fields(call.params['object'] ?? '');
  return Object.entries(given).flatMap(([name, value]) => {
    const place = `${at}.${name}`;
    const refused = (what: string) => [{ at: place, what, refusedWith: [422] }];
    if (name.startsWith('_')) return refused('a system field cannot be written');
    const kind = fields?.get(name)?.kind;
    if (kind === 'to-many') return refused('a to-many link is no attribute');
    if ((kind === 'collection' || kind === 'multi-select') && Array.isArray(value)) {
      return refused('a collection is {items}, not a bare array');
    }
    if (kind === 'rich-text' && typeof value === 'string') {
      return refused('rich text is {text:[blocks]}, not a string');
    }
    return [];
  });
}
