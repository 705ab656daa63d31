import * as z from 'zod';
import { isObject } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, PageRequest, Recognition, Remote, User } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { BadAnswer, type Call, type Send } from '../wire/call.ts';
import type { PageLimit } from '../wire/page-limit.ts';
import { readRecognised } from '../wire/recognised.ts';
import { isNotFound } from '../wire/refusals.ts';
import type { Decoder } from './decode-record.ts';
import { isMoreBehind, type List, readList, readOne } from './envelope.ts';

export interface ReadDeps {
  readonly send: Send;
  readonly decoder: Decoder;
  readonly pageLimit: PageLimit;
}

type Query = (readonly [name: string, value: string])[];

/** Of a list: the object stops. */
const OBJECT_DOUBTS = [402, 403, 404];
/** Of what may well be missing. */
const ACCESS_DOUBTS = [402, 403];

interface ListRequest {
  readonly endpoint: string;
  readonly path: readonly string[];
  readonly query?: Query;
  readonly doubts: readonly number[];
  readonly offset: number;
  readonly limit: number;
}

function listCall({ endpoint, path, query = [], doubts, offset, limit }: ListRequest) {
  return {
    endpoint,
    method: 'GET',
    path,
    query: [
      ...query,
      ['page[offset]', String(offset)] as const,
      ['page[limit]', String(limit)] as const,
    ],
    repeatable: true,
    doubts,
  } as const;
}

function pageOf<T>(list: List, items: T[], { offset, limit }: ListRequest) {
  return { items, total: list.total, more: isMoreBehind(list, { offset, limit }) };
}

/** One page of any list, its items decoded. */
async function readListPage<T>(
  { send, pageLimit }: ReadDeps,
  wanted: ListRequest & { readonly decode: (item: unknown) => T },
  options: CallOptions,
) {
  return await pageLimit.request(wanted.limit, (limit) => {
    const request = { ...wanted, limit };
    const read = (body: unknown) => {
      const list = readList(body);
      return pageOf(list, list.items.map(wanted.decode), request);
    };
    return send({ ...listCall(request), read }, options);
  });
}

/** Every endpoint that reads records. */
export function createReads(
  deps: ReadDeps,
): Pick<Required<Remote>, 'readPage' | 'readDeletions' | 'readRecord' | 'readLinks' | 'readUsers'> {
  const { send, decoder, pageLimit } = deps;
  /** Of which a whole page was read: what their records tell of how lists travel was learned. */
  const learned = new WeakSet<ObjectSchema>();

  /** Those records alone that are not recognised; null where all are to be read. */
  async function readUnread(
    {
      object,
      recognition,
      wanted,
    }: {
      readonly object: ObjectSchema;
      readonly recognition: Recognition;
      readonly wanted: ListRequest & { readonly decode: (item: unknown) => RemoteRecord };
    },
    options: CallOptions,
  ) {
    const isLearned = learned.has(object) || decoder.isCertain(object);
    const { basis } = recognition;
    const page = await pageLimit.request(wanted.limit, (limit) => {
      const request = { ...wanted, limit };
      const list = {
        member: 'data',
        recognition: isLearned ? recognition : { basis, find: findNobody },
        basis: decoder.basis(object),
        read: wanted.decode,
        conclude(body: unknown, records?: RemoteRecord[]) {
          const told = readList(body);
          const items = records ?? told.items.map(wanted.decode);
          return pageOf({ ...told, items }, items, request);
        },
      };
      return readRecognised(send, listCall(request), list, options);
    });
    if (page !== null) learned.add(object);
    return page;
  }

  return {
    async readPage(request, options) {
      const { object, recognition } = request;
      const decode = (item: unknown) => decoder.record(object, item);
      const wanted = {
        endpoint: `GET /objects/${object.object}/resources`,
        path: ['objects', object.object, 'resources'],
        query: pageQuery(request),
        doubts: OBJECT_DOUBTS,
        offset: request.offset,
        limit: request.limit,
        decode,
      };
      const known = recognition && (await readUnread({ object, recognition, wanted }, options));
      const page = known ?? (await readListPage(deps, wanted, options));
      return { records: page.items, total: page.total, more: page.more };
    },

    async readDeletions({ object, sinceMs, offset, limit }, options) {
      const since = String(Math.floor(sinceMs / 1000));
      try {
        const page = await readListPage(
          deps,
          {
            endpoint: `GET /objects/${object.object}/deleted-resources`,
            path: ['objects', object.object, 'deleted-resources'],
            query: [['filter[_deleted_at][Greater than or equal]', since]],
            doubts: ACCESS_DOUBTS,
            offset,
            limit,
            decode: (item) => decoder.deletion(object, item),
          },
          options,
        );
        return { deletions: page.items, total: page.total, more: page.more };
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },

    async readRecord({ object, id, follow = false, certain = false }, options) {
      try {
        return await send(
          {
            endpoint: `GET /objects/${object.object}/resources/{id}`,
            method: 'GET',
            path: ['objects', object.object, 'resources', id],
            repeatable: true,
            doubts: certain ? OBJECT_DOUBTS : undefined,
            read(body) {
              const record = decoder.record(object, readOne(body));
              // One that answers with the survivor of a merge has no record of this id any more.
              return follow || record.id === id ? record : null;
            },
          },
          options,
        );
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },

    async readLinks({ object, id, field, offset, limit }, options) {
      const page = await readListPage(
        deps,
        {
          endpoint: `GET /objects/${object.object}/records/{id}/relationships/${field}`,
          path: ['objects', object.object, 'records', id, 'relationships', field],
          doubts: ACCESS_DOUBTS,
          offset,
          limit,
          decode: readId,
        },
        options,
      );
      return { ids: page.items, total: page.total, more: page.more };
    },

    readUsers: (options) => readUsers(send, options),
  };
}

const findNobody = () => Promise.resolve(new Map<string, RemoteRecord>());

/** Bounds are inclusive on every server; whether `Is after` is strict is anybody's guess. */
function pageQuery({ orderBy, direction, from, to, include = [] }: PageRequest): Query {
  const column = orderBy === 'updated' ? '_updated_at' : '_created_at';
  return [
    ['sortOrder[column]', column],
    ['sortOrder[dir]', direction.toUpperCase()],
    ...(from === undefined ? [] : [[`filter[${column}][Is on or after]`, from] as const]),
    ...(to === undefined ? [] : [[`filter[${column}][Is on or before]`, to] as const]),
    ...(include.length === 0 ? [] : [['include', include.join(',')] as const]),
  ];
}

/** Asks for one record of an object, to see whether its list answers. */
export function readFirst(
  send: Send,
  { object, ...how }: { readonly object: string } & Pick<Call<unknown>, 'doubts' | 'attempts'>,
  options: CallOptions,
): Promise<unknown> {
  return send(
    {
      endpoint: `GET /objects/${object}/resources`,
      method: 'GET',
      path: ['objects', object, 'resources'],
      query: [['page[limit]', '1']],
      repeatable: true,
      read: readList,
      ...how,
    },
    options,
  );
}

/** Some servers list all users at once, some page, and some say neither: a page without anyone new ends it. */
async function readUsers(send: Send, options: CallOptions): Promise<readonly User[]> {
  const users = new Map<string, User>();
  for (;;) {
    const before = users.size;
    const list: List = await send(
      {
        endpoint: 'GET /users',
        method: 'GET',
        path: ['users'],
        query: before === 0 ? [] : [['page[offset]', String(before)]],
        repeatable: true,
        doubts: OBJECT_DOUBTS,
        read: readList,
      },
      options,
    );
    for (const item of list.items) {
      const id = readId(item);
      users.set(id, { id, fields: readUserFields(item) });
    }
    const offset = before;
    const more = isMoreBehind(list, { offset, limit: 1 });
    if (!more || users.size === before) return [...users.values()];
  }
}

const userFields = z.custom<User['fields']>((fields) => isObject(fields));

function readUserFields(item: unknown): User['fields'] {
  return userFields.parse(isObject(item) && isObject(item.attributes) ? item.attributes : item);
}

function readId(item: unknown): string {
  // Users may come flat, by the name that attributes have for it.
  const [id, _id] = isObject(item) ? [item.id, item._id] : [];
  for (const one of [id, _id]) if (typeof one === 'string' && one !== '') return one;
  throw new BadAnswer('an item of the list has no id');
}
