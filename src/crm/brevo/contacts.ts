import { RemoteError } from '../../domain/errors.ts';
import { isObject, type Json, stringifyJson } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, PageRequest, Recognition, Remote } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { createPageLimit } from '../wire/page-limit.ts';
import { readRecognised } from '../wire/recognised.ts';
import { isNotFound, isRefused, untold } from '../wire/refusals.ts';
import { type Attributes, decodeContact, phoneOf } from './contact-codec.ts';
import { CONTACTS } from './standard.ts';

/** Of a list: the object stops. */
export const OBJECT_DOUBTS = [402, 403, 404];

/** Contacts that one request may name. */
const NAMED = 20;

export interface ContactDeps {
  readonly send: Send;
  /** As they were last discovered. */
  readonly attributes: () => Attributes;
}

export type ContactReads = Pick<
  Required<Remote>,
  'readPage' | 'readRecord' | 'readRecords' | 'readLinks' | 'findRecords'
>;

interface Listed {
  readonly records: RemoteRecord[];
  readonly count: number | null;
}

/** Every endpoint that reads contacts. */
export function createContactReads({ send, attributes }: ContactDeps): ContactReads {
  // Older pages of the reference know half of it.
  const pageLimit = createPageLimit([1_000, 500, 50]);

  const decode = (item: unknown) => decodeContact(attributes(), item);

  function listed(body: unknown, told?: RemoteRecord[]): Listed {
    const items: unknown = isObject(body) ? body['contacts'] : undefined;
    const count = isObject(body) ? body['count'] : undefined;
    // Where there are none the list may be left out.
    if (items == null && count === 0) return { records: [], count: 0 };
    if (!Array.isArray(items)) throw new BadAnswer('it is no list of contacts');
    const records = told ?? items.map(decode);
    return { records, count: typeof count === 'number' ? count : null };
  }

  async function list(
    query: readonly (readonly [string, string])[],
    options: CallOptions,
    recognition?: Recognition,
  ): Promise<Listed> {
    const call = {
      endpoint: 'GET /contacts',
      method: 'GET',
      path: ['contacts'],
      query,
      repeatable: true,
      doubts: OBJECT_DOUBTS,
    } as const;
    if (recognition !== undefined) {
      const basis = JSON.stringify([CONTACTS, ...attributes()]);
      const wanted = { member: 'contacts', recognition, basis, read: decode, conclude: listed };
      const known = await readRecognised(send, call, wanted, options);
      if (known !== null) return known;
    }
    return await send({ ...call, read: (body) => listed(body) }, options);
  }

  async function readBy(
    identifier: string,
    { type, certain = false }: { readonly type: string; readonly certain?: boolean },
    options: CallOptions,
  ): Promise<RemoteRecord | null> {
    try {
      return await send(
        {
          endpoint: 'GET /contacts/{id}',
          method: 'GET',
          path: ['contacts', identifier],
          query: [['identifierType', type]],
          repeatable: true,
          doubts: certain ? OBJECT_DOUBTS : undefined,
          read: (body) => decodeContact(attributes(), body),
        },
        options,
      );
    } catch (error) {
      // What can be no identifier is none of any contact.
      if (isNotFound(error) || (type !== 'contact_id' && isRefused(error))) return null;
      throw error;
    }
  }

  return {
    async readPage(request, options) {
      return await pageLimit.request(request.limit, async (limit) => {
        const query = pageQuery(request, limit);
        const { records, count } = await list(query, options, request.recognition);
        const end = request.offset + records.length;
        // A longer page may be cut short in silence: what counts is how many there are.
        return { records, total: count, more: count === null ? records.length > 0 : end < count };
      });
    },
    async readRecord({ id, certain }, options) {
      const about = { type: 'contact_id', certain: certain === true };
      const record = await readBy(id, about, options);
      return record === null || record.id === id ? record : null;
    },
    async readRecords({ ids }, options) {
      const records: RemoteRecord[] = [];
      for (let start = 0; start < ids.length; start += NAMED) {
        const named = ids.slice(start, start + NAMED);
        const query = [
          ...named.map((id) => ['ids', id] as const),
          ['limit', String(NAMED)] as const,
        ];
        const wanted = new Set(named);
        records.push(...(await list(query, options)).records.filter(({ id }) => wanted.has(id)));
      }
      return records;
    },
    readLinks: ({ field }) => Promise.reject(untold({ object: CONTACTS }, field)),
    async findRecords({ field, values }, options) {
      const type = IDENTIFIER_TYPES[field];
      if (type === undefined) throw notIdentified(field);
      const found: RemoteRecord[] = [];
      for (const value of values) {
        const written = field === 'sms' ? phoneOf(value) : value;
        const record = await readBy(written, { type }, options);
        if (record !== null) found.push(record);
      }
      return [...new Map(found.map((record) => [record.id, record])).values()];
    },
  };
}

const IDENTIFIER_TYPES: Readonly<Record<string, string>> = {
  email: 'email_id',
  ext_id: 'ext_id',
  sms: 'phone_id',
};

function notIdentified(field: string): RemoteError {
  return new RemoteError(`no contact is found by its ${field}`, {
    code: 'remote-invalid',
    disposition: 'park',
    status: null,
  });
}

/** By creation, whatever is asked for: there is no other order. */
function pageQuery(
  { orderBy, direction, changedSince, from, offset }: PageRequest,
  limit: number,
): readonly (readonly [string, string])[] {
  return [
    ['limit', String(limit)],
    ['offset', String(offset)],
    ['sort', direction],
    ...(changedSince === undefined ? [] : [['modifiedSince', changedSince] as const]),
    ...(from === undefined || orderBy !== 'created' ? [] : [['createdSince', from] as const]),
  ];
}

/** A body, with numbers digit for digit. */
export function bodyOf(body: Readonly<Record<string, Json | undefined>>): string {
  const set = Object.entries(body).filter(([, value]) => value !== undefined);
  return stringifyJson(Object.fromEntries(set));
}
