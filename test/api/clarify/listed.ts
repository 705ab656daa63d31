import * as z from 'zod';
import type { Call, Deviation } from './exchange.ts';
import { anyRecord } from './records.ts';
import { isObject, sampled, shapeDeviations } from './shape.ts';

const included = z.looseObject({ included: z.array(z.unknown()) });

/** Every `/resources` answer has `included`, and what it holds is linked to from `data`. */
export function includedDeviations(call: Call, body: unknown): Deviation[] {
  const found = shapeDeviations(included, body, 'answer.body');
  if (found.length > 0 || !isObject(body)) return found;
  const related = included.parse(body).included;
  if (!call.query.has('include')) {
    return related.length > 0 ? [{ at: 'answer.body.included', what: 'was not asked for' }] : [];
  }
  const seen = new Set<string>();
  const linked = new Set(itemsOf(body).flatMap(linkageOf).map(keyOf));
  for (const [index, each] of related.entries()) {
    const [at, key] = [`answer.body.included[${index}]`, keyOf(each)];
    if (seen.has(key)) found.push({ at, what: 'comes twice' });
    if (!linked.has(key)) found.push({ at, what: 'is linked to by no record of the page' });
    seen.add(key);
  }
  for (const [index, each] of sampled(related, call.sample)) {
    found.push(...anyRecord(each, `answer.body.included[${index}]`, call));
  }
  return found;
}

/** Every record tells of the links that `include` names. */
export function linkageDeviations(call: Call, body: unknown): Deviation[] {
  const names = (call.query.get('include') ?? '').split(',').filter((name) => name !== '');
  return sampled(itemsOf(body), call.sample).flatMap(([index, item]) => {
    const told = isObject(item) && isObject(item['relationships']) ? item['relationships'] : {};
    return names
      .filter((name) => !(name in told))
      .map((name) => ({
        at: `answer.body.data[${index}].relationships.${name}`,
        what: 'is missing, and was asked for',
      }));
  });
}

function itemsOf(body: unknown): readonly unknown[] {
  return isObject(body) && Array.isArray(body['data']) ? body['data'] : [];
}

function linkageOf(item: unknown): unknown[] {
  const told = isObject(item) && isObject(item['relationships']) ? item['relationships'] : {};
  return Object.values(told).flatMap((each) => (isObject(each) ? [each['data']].flat() : []));
}

const keyOf = (item: unknown): string =>
  isObject(item) ? `${String(item['type'])} ${String(item['id'])}` : '';

/** Records come in the order that was asked for, as far as both have a value. */
export function orderDeviations(call: Call, body: unknown): Deviation[] {
  const column = call.query.get('sortOrder[column]');
  if (column !== '_created_at' && column !== '_updated_at') return [];
  const times = itemsOf(body).map((item) => {
    const attributes = isObject(item) ? item['attributes'] : undefined;
    return isObject(attributes) ? attributes[column] : undefined;
  });
  const known = times.filter((time) => typeof time === 'string');
  const ordered = known.toSorted();
  if (call.query.get('sortOrder[dir]') === 'DESC') ordered.reverse();
  return known.every((time, index) => time === ordered[index])
    ? []
    : [{ at: `answer.body.data`, what: `is not in the order of ${column}` }];
}
