import * as z from 'zod';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, PageRequest, Remote, User } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { askedLinks } from '../wire/asked-links.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import type { PageLimit } from '../wire/page-limit.ts';
import { readRecognised } from '../wire/recognised.ts';
import { gone, isNotFound, untold } from '../wire/refusals.ts';
import type { Decoder } from './decode-record.ts';
import { jsonOf } from './decode-value.ts';
import { readList, readOne } from './envelope.ts';
import { endOf } from './instants.ts';

export interface ReadDeps {
  readonly send: Send;
  readonly decoder: Decoder;
  readonly pageLimit: PageLimit;
}

/** Of a list: the object stops. */
const OBJECT_DOUBTS = [402, 403, 404];

/** Records that one query may name: as many as a page holds. */
const NAMED = 500;

type ReadRequest = Parameters<Remote['readRecord']>[0];

/** Every endpoint that reads records. */
export function createReads(
  deps: ReadDeps,
): Pick<Required<Remote>, 'readPage' | 'readRecord' | 'readRecords' | 'readLinks' | 'readUsers'> {
  const { send, decoder, pageLimit } = deps;

  async function readRecord({ object, id, certain = false }: ReadRequest, options: CallOptions) {
    try {
      return await send<RemoteRecord>(
        {
          endpoint: `GET /objects/${object.object}/records/{id}`,
          method: 'GET',
          path: ['objects', object.object, 'records', id],
          repeatable: true,
          doubts: certain ? OBJECT_DOUBTS : undefined,
          read: (body) => decoder.record(object, readOne(body)),
        },
        options,
      );
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** `links`: to-many fields whose linkage to give along; default all. */
  function query(
    object: ObjectSchema,
    { body, links }: { readonly body: object; readonly links?: readonly string[] },
    options: CallOptions,
  ): Promise<RemoteRecord[]> {
    return send(
      {
        ...queryCall(object, body),
        read: (answer) => readList(answer).map((item) => decoder.record(object, item, links)),
      },
      options,
    );
  }

  /** Those alone that are not recognised; null where all are to be read. */
  async function readUnread(
    { object, include, recognition }: PageRequest,
    body: object,
    options: CallOptions,
  ): Promise<RemoteRecord[] | null> {
    if (recognition === undefined) return null;
    const read = (item: unknown) => decoder.record(object, item);
    const list = {
      member: 'data',
      recognition,
      basis: decoder.basis(object),
      read,
      conclude: (answer: unknown, records = readList(answer).map(read)) =>
        records.map(askedLinks(include)),
    };
    return await readRecognised(send, queryCall(object, body), list, options);
  }

  return {
    async readPage(request, options) {
      const { object, include: links = [] } = request;
      return await pageLimit.request(request.limit, async (limit) => {
        const body = queryBody(request, limit);
        const records =
          (await readUnread(request, body, options)) ??
          (await query(object, { body, links }, options));
        // The end is a page shorter than the limit; nothing else tells.
        return { records, total: null, more: records.length >= limit };
      });
    },

    async readRecords({ object, ids }, options) {
      const records: RemoteRecord[] = [];
      for (let start = 0; start < ids.length; start += NAMED) {
        const $in = ids.slice(start, start + NAMED);
        const body = { filter: { record_id: { $in } }, limit: NAMED, offset: 0 };
        records.push(...(await query(object, { body }, options)));
      }
      return records;
    },

    async readRecord(request, options) {
      const record = await readRecord(request, options);
      // One that answers with the survivor of a merge has no record of this id any more.
      return record === null || request.follow || record.id === request.id ? record : null;
    },

    async readLinks({ object, id, field, offset, limit }, options) {
      const record = await readRecord({ object, id }, options);
      if (record === null) throw gone(object);
      const linkage = record.links[field];
      if (linkage === undefined) throw untold(object, field);
      const { ids, total } = linkage;
      return { ids: ids.slice(offset, offset + limit), total, more: offset + limit < total };
    },

    readUsers: (options) => readMembers(send, options),
  };
}

function queryCall({ object }: ObjectSchema, body: object) {
  return {
    endpoint: `POST /objects/${object}/records/query`,
    method: 'POST',
    isQuery: true,
    path: ['objects', object, 'records', 'query'],
    body: JSON.stringify(body),
    repeatable: true,
    doubts: OBJECT_DOUBTS,
  } as const;
}

/**
 * By the attribute `created_at`, for a record's own differs from it and nothing filters by that; by
 * id among records of one moment, whose order may be another in every answer.
 */
function queryBody({ orderBy, direction, from, to, offset }: PageRequest, limit: number) {
  if (orderBy !== 'created') throw new Error('records are not listed by their last edit');
  const bounds = {
    ...(from !== undefined && { $gte: from }),
    ...(to !== undefined && { $lte: endOf(to) }),
  };
  return {
    ...(Object.keys(bounds).length > 0 && { filter: { created_at: bounds } }),
    sorts: [
      { attribute: 'created_at', direction },
      { attribute: 'record_id', direction },
    ],
    limit,
    offset,
  };
}

const member = z.looseObject({ id: z.looseObject({ workspace_member_id: z.string().min(1) }) });

/** Who works in the workspace: all of them at once. */
function readMembers(send: Send, options: CallOptions): Promise<readonly User[]> {
  return send(
    {
      endpoint: 'GET /workspace_members',
      method: 'GET',
      path: ['workspace_members'],
      repeatable: true,
      doubts: OBJECT_DOUBTS,
      read: (body) => readList(body).map(readMember),
    },
    options,
  );
}

function readMember(item: unknown): User {
  const parsed = member.safeParse(item);
  if (!parsed.success) throw new BadAnswer('a member of the list has no id');
  const { id, ...fields } = parsed.data;
  return {
    id: id.workspace_member_id,
    fields: Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonOf(value)])),
  };
}
