import { isObject } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import { BadAnswer } from '../wire/call.ts';
import type { Fields } from './encode-record.ts';

/**
 * The record of an answer to a write, wherever it stands in it, without fields where those are left
 * out.
 *
 * @param id null of a create, whose answer alone tells it.
 * @throws BadAnswer where there is none.
 */
export function recordIn(body: unknown, id: string | null): unknown {
  if (!isObject(body)) {
    if (body === undefined && id !== null) return { id, fields: {} };
    throw new BadAnswer('it holds no record');
  }
  const inside = Object.values(body).find(
    (part) => isObject(part) && typeof part.id === 'string' && isObject(part.fields),
  );
  const found = isObject(inside) && !isObject(body.fields) ? inside : body;
  const { fields } = found;
  return { ...found, id: found.id ?? id, fields: isObject(fields) ? fields : {} };
}

/** A box that is not checked is blank to Kizen, and that is what was sent. */
export function asWritten(record: RemoteRecord, fields: Fields): RemoteRecord {
  const unchecked = Object.entries(fields).filter(
    ([name, value]) => value === false && record.fields[name] === null,
  );
  if (unchecked.length === 0) return record;
  return { ...record, fields: { ...record.fields, ...Object.fromEntries(unchecked) } };
}

/** Of two answers about one record, what both tell. */
export function joined(before: RemoteRecord, after: RemoteRecord): RemoteRecord {
  return {
    ...after,
    createdAt: after.createdAt ?? before.createdAt,
    updatedAt: after.updatedAt ?? before.updatedAt,
    fields: { ...before.fields, ...after.fields },
    links: { ...before.links, ...after.links },
  };
}

/** An answer that says nothing but which record it is about. */
export function nothingTold(id: string): RemoteRecord {
  return {
    id,
    fields: {},
    createdAt: null,
    updatedAt: null,
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
  };
}
