import * as z from 'zod';
import { isObject, type Json } from '../../domain/json.ts';
import { normalForm } from '../../domain/normal-form.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import { BadAnswer } from '../wire/call.ts';
import { toInstant } from '../wire/instants.ts';
import type { Attribute } from './attribute.ts';
import type { Clearing } from './clearing.ts';
import { IDENTIFIERS } from './fields.ts';
import { CONTACTS } from './standard.ts';
import {
  decodeValue,
  encodeValue,
  idOf,
  jsonOf,
  readId,
  setOwn,
  unwritable,
  type Writing,
} from './values.ts';

export type Attributes = ReadonlyMap<string, Attribute>;

const item = z.looseObject({
  id: z.unknown(),
  email: z.string().nullish().catch(undefined),
  ext_id: z.union([z.string(), z.number()]).nullish().catch(undefined),
  emailBlacklisted: z.boolean().nullish().catch(undefined),
  smsBlacklisted: z.boolean().nullish().catch(undefined),
  createdAt: z.unknown(),
  modifiedAt: z.unknown(),
  listIds: z.array(z.unknown()).nullish().catch(undefined),
});

/**
 * A contact as the engine knows it. An attribute that the answer leaves out has no value: contacts
 * are always told whole.
 *
 * @throws BadAnswer where there is no usable id or no attributes.
 */
export function decodeContact(attributes: Attributes, told: unknown): RemoteRecord {
  const parsed = item.safeParse(told);
  const id = parsed.success ? readId(parsed.data.id) : null;
  if (!parsed.success || id === null) throw new BadAnswer('a contact has no usable id');
  const { data } = parsed;
  const values: unknown = data['attributes'] ?? {};
  if (!isObject(values)) throw new BadAnswer('a contact has no usable attributes');
  const fields: Record<string, Json> = {};
  for (const name of attributes.keys()) {
    if (!Object.hasOwn(IDENTIFIERS, name)) setOwn(fields, name, null);
  }
  for (const [name, value] of Object.entries(values)) {
    if (Object.hasOwn(IDENTIFIERS, name)) continue;
    const attribute = attributes.get(name);
    setOwn(fields, name, attribute === undefined ? jsonOf(value) : decodeValue(attribute, value));
  }
  return {
    id,
    fields: {
      ...fields,
      email: textOrNull(data.email ?? values['EMAIL']),
      ext_id: textOrNull(data.ext_id ?? values['EXT_ID']),
      sms: textOrNull(values['SMS']),
      email_blacklisted: data.emailBlacklisted ?? null,
      sms_blacklisted: data.smsBlacklisted ?? null,
      ...(data.listIds != null && { list_ids: inOrder(data.listIds) }),
    },
    createdAt: toInstant(data.createdAt),
    updatedAt: toInstant(data.modifiedAt),
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
  };
}

function textOrNull(value: unknown): string | null {
  return readId(value);
}

/** Lists are a set, told in any order. */
function inOrder(ids: readonly unknown[]): readonly string[] {
  const known = ids.flatMap((id) => readId(id) ?? []);
  return [...new Set(known)].toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** What a contact’s fields come to in a body. */
export interface ContactBody {
  readonly email?: Json;
  readonly ext_id?: Json;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly emailBlacklisted?: boolean;
  readonly smsBlacklisted?: boolean;
  /** Lists that the contact is to be on, and no others; left out where they stay. */
  readonly lists?: readonly string[];
}

/**
 * @param clearing how what is null goes out; of a create it is left out.
 * @throws RemoteError that parks the change where a field cannot be written.
 */
export function encodeContact(
  attributes: Attributes,
  fields: Readonly<Record<string, Json>>,
  { endpoint, clearing }: { readonly endpoint: string; readonly clearing: Clearing | null },
): ContactBody {
  const writing: Writing = { endpoint, object: CONTACTS };
  const cleared = (isList: boolean): Json => (clearing === 'other' ? null : isList ? [] : '');
  const sent: Record<string, Json> = {};
  const body: { -readonly [K in keyof ContactBody]: ContactBody[K] } = { attributes: sent };
  for (const [name, value] of Object.entries(fields)) {
    switch (name) {
      case 'email':
      case 'ext_id':
        if (value !== null) body[name] = value;
        else if (clearing !== null) body[name] = cleared(false);
        continue;
      case 'sms':
        if (value !== null) sent['SMS'] = phoneOf(value);
        else if (clearing !== null) sent['SMS'] = cleared(false);
        continue;
      case 'email_blacklisted':
        body.emailBlacklisted = value === true;
        continue;
      case 'sms_blacklisted':
        body.smsBlacklisted = value === true;
        continue;
      case 'list_ids':
        body.lists = listIds(value);
        continue;
      default:
    }
    const attribute = attributes.get(name);
    if (attribute?.isReadOnly === true) {
      throw unwritable(writing, name, {
        says: 'is read-only in Brevo',
        hint: 'Revert the change: Brevo works this value out itself.',
      });
    }
    const isList = attribute?.type === 'choices';
    const isEmpty = value === null || (isList && Array.isArray(value) && value.length === 0);
    if (!isEmpty) setOwn(sent, name, attribute ? encodeValue(writing, attribute, value) : value);
    else if (clearing !== null) setOwn(sent, name, cleared(isList));
  }
  return body;
}

/** Brevo takes digits alone, behind a `+`, `00` or nothing. */
export function phoneOf<T extends Json>(value: T): T | string {
  return typeof value === 'string' ? normalForm('phone', value) : value;
}

function listIds(value: Json): readonly string[] {
  if (!Array.isArray(value)) return [];
  const ids: readonly Json[] = value;
  return [...new Set(ids.flatMap((id) => readId(id) ?? []))];
}

export function asNumbers(ids: readonly string[]): readonly (string | number)[] {
  return ids.map(idOf);
}
