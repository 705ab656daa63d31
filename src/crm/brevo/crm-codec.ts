import { isObject, type Json } from '../../domain/json.ts';
import type { Linkage, RemoteRecord } from '../../domain/record.ts';
import { BadAnswer } from '../wire/call.ts';
import { toInstant } from '../wire/instants.ts';
import type { Attribute } from './attribute.ts';
import { COMPANIES, type CrmObject } from './standard.ts';
import { decodeValue, encodeValue, jsonOf, readId, setOwn, unwritable } from './values.ts';

type Attributes = ReadonlyMap<string, Attribute>;

/** How linked records are told, by the field of ours. */
export const LINKED: Readonly<Record<CrmObject, Readonly<Record<string, string>>>> = {
  companies: { contacts: 'linkedContactsIds', deals: 'linkedDealsIds' },
  deals: { contacts: 'linkedContactsIds', companies: 'linkedCompaniesIds' },
};

/**
 * A company or a deal as the engine knows it. An attribute that the answer leaves out has no value.
 *
 * @throws BadAnswer where there is no usable id or no attributes.
 */
export function decodeCrmRecord(
  object: CrmObject,
  attributes: Attributes,
  item: unknown,
): RemoteRecord {
  const id = isObject(item) ? readId(item.id) : null;
  if (!isObject(item) || id === null) throw new BadAnswer(`a record of ${object} has no usable id`);
  const values: unknown = item['attributes'];
  if (!isObject(values)) throw new BadAnswer(`a record of ${object} has no usable attributes`);
  const fields: Record<string, Json> = {};
  for (const name of attributes.keys()) setOwn(fields, name, null);
  for (const [name, value] of Object.entries(values)) {
    const attribute = attributes.get(name);
    setOwn(fields, name, attribute === undefined ? jsonOf(value) : decodeValue(attribute, value));
  }
  const links: Record<string, Linkage> = {};
  for (const [field, member] of Object.entries(LINKED[object])) {
    const linkage = linkageOf(item[member]);
    if (linkage !== null) links[field] = linkage;
  }
  const edited = object === COMPANIES ? 'last_updated_at' : 'last_updated_date';
  const other = object === COMPANIES ? 'last_updated_date' : 'last_updated_at';
  return {
    id,
    fields,
    createdAt: toInstant(values['created_at']),
    updatedAt: toInstant(values[edited]) ?? toInstant(values[other]),
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links,
  };
}

/** Null where it is not told, or cannot be read, which is unknown and not none. */
function linkageOf(list: unknown): Linkage | null {
  if (!Array.isArray(list)) return null;
  const ids = new Set<string>();
  for (const one of list) {
    const id = readId(one);
    if (id === null) return null;
    ids.add(id);
  }
  return { ids: [...ids], total: ids.size };
}

/**
 * Field values as `attributes` of a write; to-many links are left out, for they are written as links.
 *
 * @param cleared what goes out for null; undefined leaves it out.
 * @throws RemoteError that parks the change where a field cannot be written.
 */
export function encodeCrmFields(
  {
    object,
    endpoint,
    attributes,
  }: {
    readonly object: CrmObject;
    readonly endpoint: string;
    readonly attributes: Attributes;
  },
  fields: Readonly<Record<string, Json>>,
  cleared: (attribute: Attribute | undefined) => Json | undefined,
): Record<string, Json> {
  const sent: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (Object.hasOwn(LINKED[object], name)) continue;
    const attribute = attributes.get(name);
    if (attribute?.isReadOnly === true) {
      throw unwritable({ endpoint, object }, name, {
        says: 'is read-only in Brevo',
        hint: 'Revert the change: Brevo writes this attribute itself.',
      });
    }
    const isNone = value === null || (Array.isArray(value) && value.length === 0);
    const wire = isNone
      ? cleared(attribute)
      : attribute === undefined
        ? value
        : encodeValue({ endpoint, object }, attribute, value);
    if (wire !== undefined) setOwn(sent, name, wire);
  }
  return sent;
}
