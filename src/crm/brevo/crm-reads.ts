import { isObject } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, PageRequest, Recognition, Remote } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { numberedPage } from '../wire/numbered-page.ts';
import { createPageLimit, type PageLimit } from '../wire/page-limit.ts';
import { readRecognised } from '../wire/recognised.ts';
import { gone, isNotFound, isRefused, untold } from '../wire/refusals.ts';
import type { Attribute } from './attribute.ts';
import { OBJECT_DOUBTS } from './contacts.ts';
import { decodeCrmRecord } from './crm-codec.ts';
import { COMPANIES, type CrmObject } from './standard.ts';

export interface CrmDeps {
  readonly send: Send;
  readonly object: CrmObject;
  /** As they were last discovered. */
  readonly attributes: () => ReadonlyMap<string, Attribute>;
  /** Of companies and deals: what one of them learns of the server holds for the other. */
  readonly pageLimit: PageLimit;
}

// What is more than the server takes is refused, or cut in silence: nobody says which.
export const createCrmPageLimit = (): PageLimit =>
  createPageLimit([PROBE, 1_000, 500, 100, 50, 20, 10]);

export const PATHS: Readonly<Record<CrmObject, readonly string[]>> = {
  companies: ['companies'],
  deals: ['crm', 'deals'],
};

/**
 * More than any server takes: asked for once. One that refuses it refuses whatever it does not take,
 * so that a short page is the last one; one that takes it may have cut it short.
 */
const PROBE = 10_000;

export type CrmReads = Pick<Remote, 'readPage' | 'readRecord' | 'readLinks'> & {
  /** The links of a record as they were last read to be changed. */
  readonly lastLinks: LastLinks;
};

export interface LastLinks {
  take(id: string, field: string): readonly string[] | null;
  keep(id: string, field: string, ids: readonly string[]): void;
}

/** Every endpoint that reads companies, or deals. */
export function createCrmReads({ send, object, attributes, pageLimit }: CrmDeps): CrmReads {
  const path = PATHS[object];
  const name = `/${path.join('/')}`;
  const lastLinks = createLastLinks();
  /** Records on the longest page so far: no page is cut to less. */
  let longest = 0;
  let isAsked = false;

  const decode = (item: unknown) => decodeCrmRecord(object, attributes(), item);

  function listed(body: unknown, told?: RemoteRecord[]): RemoteRecord[] {
    // A list that is empty may be left out.
    const items: unknown = isObject(body) ? (body['items'] ?? []) : undefined;
    if (!Array.isArray(items)) throw new BadAnswer(`it is no list of ${object}`);
    return told ?? items.map(decode);
  }

  async function list(
    query: readonly (readonly [string, string])[],
    recognition: Recognition | undefined,
    options: CallOptions,
  ): Promise<RemoteRecord[]> {
    const call = {
      endpoint: `GET ${name}`,
      method: 'GET',
      path,
      query,
      repeatable: true,
      doubts: OBJECT_DOUBTS,
    } as const;
    if (recognition !== undefined) {
      const basis = JSON.stringify([object, ...attributes()]);
      const wanted = { member: 'items', recognition, basis, read: decode, conclude: listed };
      const known = await readRecognised(send, call, wanted, options);
      if (known !== null) return known;
    }
    return await send({ ...call, read: (body) => listed(body) }, options);
  }

  async function readRecord(id: string, certain: boolean, options: CallOptions) {
    try {
      return await send<RemoteRecord>(
        {
          endpoint: `GET ${name}/{id}`,
          method: 'GET',
          path: [...path, id],
          repeatable: true,
          doubts: certain ? OBJECT_DOUBTS : undefined,
          read: (body) => decodeCrmRecord(object, attributes(), body),
        },
        options,
      );
    } catch (error) {
      // An id of another form is refused, and is none either.
      if (isNotFound(error) || (isRefused(error) && !/^[0-9a-f]{24}$/i.test(id))) return null;
      throw error;
    }
  }

  return {
    lastLinks,
    async readPage(request, options) {
      const asked = isAsked || pageLimit.size < PROBE ? request.limit : PROBE;
      return await pageLimit.request(asked, async (most) => {
        const refusesLonger = pageLimit.size < PROBE || most < asked;
        // Once a page has shown how long one may be, none behind it is asked for that would be cut:
        // numbered pages would begin elsewhere.
        const isBehind = request.offset > 0 && longest > 0;
        const limit = isBehind && !refusesLonger ? Math.min(most, longest) : most;
        const page = numberedPage(request.offset, limit);
        const isNumbered = object === COMPANIES;
        const size = isNumbered ? page.size : limit;
        const place = isNumbered ? ['page', page.number] : ['offset', request.offset];
        const records = await list(
          [['limit', String(size)], [String(place[0]), String(place[1])], ...queryOf(request)],
          request.recognition,
          options,
        );
        isAsked = true;
        // As long as any page has been it may have been cut: what comes behind tells.
        const whole = refusesLonger ? size : Math.min(size, longest);
        const more = records.length > 0 && records.length >= whole;
        longest = Math.max(longest, records.length);
        return {
          records: records.slice(0, request.limit),
          total: null,
          more: more || records.length > request.limit,
          ...(isNumbered && page.offset !== request.offset && { offset: page.offset }),
        };
      });
    },
    readRecord: async ({ id, certain }, options) => await readRecord(id, certain === true, options),
    async readLinks({ id, field, offset, limit }, options) {
      const record = await readRecord(id, false, options);
      if (record === null) throw gone({ object });
      const linkage = record.links[field];
      if (linkage === undefined) throw untold({ object }, field);
      const { ids, total } = linkage;
      lastLinks.keep(id, field, ids);
      return { ids: ids.slice(offset, offset + limit), total, more: offset + limit < total };
    },
  };
}

function queryOf({
  orderBy,
  direction,
  changedSince,
  from,
}: PageRequest): readonly (readonly [string, string])[] {
  return [
    ['sort', direction],
    ...(changedSince === undefined ? [] : [['modifiedSince', changedSince] as const]),
    ...(from === undefined || orderBy !== 'created' ? [] : [['createdSince', from] as const]),
  ];
}

/** Few are written at the same time. */
const MOST_KEPT = 64;

function createLastLinks(): LastLinks {
  const kept = new Map<string, readonly string[]>();
  return {
    take(id, field) {
      const key = `${field} ${id}`;
      const ids = kept.get(key) ?? null;
      kept.delete(key);
      return ids;
    },
    keep(id, field, ids) {
      kept.set(`${field} ${id}`, ids);
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    },
  };
}
