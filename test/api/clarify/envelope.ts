import * as z from 'zod';
import type { Call, Deviation, Dialect } from './exchange.ts';
import { isObject, sampled, shapeDeviations } from './shape.ts';

const count = z.int().min(0);
const url = z.string().regex(/^https?:\/\/\S+$/, 'expected an absolute URL');
const others = { self: url.optional(), first: url.optional(), last: url.optional() };

/** Always present, null at the ends. */
const currentLinks = z.strictObject({ ...others, next: url.nullable(), prev: url.nullable() });
/** Absent at the ends. */
const classicLinks = z.strictObject({ ...others, next: url.optional(), prev: url.optional() });

const meta = { total_records: count, offset: count, limit: count.min(1) };

/** `data` is looked at item by item, by whoever knows what they are. */
const lists = {
  current: z.strictObject({
    data: z.array(z.unknown()),
    links: currentLinks,
    meta: z.strictObject({ ...meta, total_pages: count.optional() }),
    included: z.array(z.unknown()).optional(),
  }),
  classic: z.strictObject({
    data: z.array(z.unknown()),
    links: classicLinks.optional(),
    meta: z.strictObject({ ...meta, total_pages: count }),
    included: z.array(z.unknown()).optional(),
  }),
};

/** The answer to a bulk call: a list of what was written, with or without the rest of an envelope. */
const written = z.strictObject({
  data: z.array(z.unknown()),
  links: z.union([currentLinks, classicLinks]).optional(),
  meta: z.strictObject({ ...meta, total_pages: count.optional() }).optional(),
  included: z.array(z.unknown()).optional(),
});

const single = z.strictObject({ data: z.unknown(), included: z.array(z.unknown()).optional() });

export const largestPage: Readonly<Record<Dialect, number>> = { current: 500, classic: 1000 };

export type ItemCheck = (item: unknown, at: string, call: Call) => Deviation[];

/** A page of a list: its envelope, and its items one by one. */
export function listAnswer(item: ItemCheck, call: Call, body: unknown): Deviation[] {
  const found = shapeDeviations(lists[call.dialect], body, 'answer.body');
  if (found.length > 0 || !isObject(body)) return found;
  return [...pageDeviations(call, lists[call.dialect].parse(body)), ...items(item, call, body)];
}

export function writtenAnswer(item: ItemCheck, call: Call, body: unknown): Deviation[] {
  const found = shapeDeviations(written, body, 'answer.body');
  return found.length > 0 ? found : items(item, call, body);
}

export function singleAnswer(item: ItemCheck, call: Call, body: unknown): Deviation[] {
  const found = shapeDeviations(single, body, 'answer.body');
  if (found.length > 0 || !isObject(body)) return found;
  return item(body['data'], 'answer.body.data', call);
}

function items(item: ItemCheck, call: Call, body: unknown): Deviation[] {
  const data = isObject(body) && Array.isArray(body['data']) ? body['data'] : [];
  return sampled(data, call.sample).flatMap(([index, each]) =>
    item(each, `answer.body.data[${index}]`, call),
  );
}

/** Envelope and page must agree with each other and with what was asked for. */
function pageDeviations(call: Call, page: z.infer<(typeof lists)[Dialect]>): Deviation[] {
  const { offset, limit, total_records: total, total_pages: pages } = page.meta;
  const found: Deviation[] = [];
  const say = (at: string, what: string) => found.push({ at: `answer.body.${at}`, what });
  const asked = Number(call.query.get('page[limit]') ?? Number.NaN);
  if (asked >= 1 && limit !== Math.min(asked, largestPage[call.dialect])) {
    say('meta.limit', 'is not what was asked for');
  }
  if (limit > largestPage[call.dialect]) say('meta.limit', 'is more than a page may hold');
  const from = Number(call.query.get('page[offset]') ?? 0);
  if (offset !== from) say('meta.offset', 'is not what was asked for');
  if (page.data.length > limit) say('data', 'holds more than the limit');
  if (offset + page.data.length > total && page.data.length > 0) {
    say('meta.total_records', 'is less than what has been listed');
  }
  if (pages !== undefined && pages !== Math.ceil(total / limit)) {
    say('meta.total_pages', 'is not total_records by limit');
  }
  const more = offset + limit < total;
  if (more !== (page.links?.next != null)) say('links.next', `expected ${more ? 'one' : 'none'}`);
  if (offset === 0 && page.links?.prev != null) say('links.prev', 'expected none');
  if (offset > 0 && total > 0 && page.links?.prev == null) say('links.prev', 'expected one');
  return found;
}
