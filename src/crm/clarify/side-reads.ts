import * as z from 'zod';
import { RemoteError } from '../../domain/errors.ts';
import { isObject, type Json } from '../../domain/json.ts';
import type { CallOptions, ReadSide } from '../../domain/remote.ts';
import type { SideItem, SidePage, SidePart, SideRequest } from '../../domain/side.ts';
import { BadAnswer, type Call, type Send } from '../wire/call.ts';
import type { PageLimit } from '../wire/page-limit.ts';
import { isNotFound } from '../wire/refusals.ts';
import { isMoreBehind, readList } from './envelope.ts';

interface SideDeps {
  readonly send: Send;
  readonly pageLimit: PageLimit;
}

type Page = Pick<SideRequest, 'offset' | 'limit'>;

/** The settings that the API names. */
const SETTINGS = ['closedWonDealStage', 'closedLostDealStage', 'fiscalYearOffset'] as const;
/** Without the second, dynamic lists are left out. */
const LISTS = [[], [['filter[type]', 'dynamic']]] as const;
/** Nothing waits for it, and whoever reads it comes again. */
const ATTEMPTS = 2;

/** What a workspace has beside records: settings, lists, recipients of campaigns, attachments, comments. */
export function createSideReads(deps: SideDeps): ReadSide {
  const parts: Record<SidePart, (request: SideRequest, options: CallOptions) => Promise<SidePage>> =
    {
      setting: (_request, options) => readSettings(deps, options),
      list: (_request, options) => readLists(deps, options),
      list_member: ({ object, key, ...page }, options) =>
        readPage(
          deps,
          {
            endpoint: `GET /objects/${object}/lists/{list}/resources`,
            path: ['objects', object, 'lists', key, 'resources'],
            // By creation: what joins while pages are read comes last.
            query: [
              ['sortOrder[column]', '_created_at'],
              ['sortOrder[dir]', 'ASC'],
            ],
            // Members are records, which have a table of their own.
            decode: (item) => ({ id: readItem(item).id, fields: {} }),
            ...page,
          },
          options,
        ),
      campaign_recipient: ({ key, ...page }, options) =>
        readPage(
          deps,
          {
            endpoint: 'GET /campaigns/{id}/recipients',
            path: ['campaigns', key, 'recipients'],
            decode: readRecipient,
            ...page,
          },
          options,
        ),
      attachment: ({ object, key, ...page }, options) =>
        readPage(
          deps,
          {
            endpoint: `GET /objects/${object}/records/{id}/attachments`,
            path: ['objects', object, 'records', key, 'attachments'],
            decode: (item) => readItem(item),
            ...page,
          },
          options,
        ),
      comment: ({ ids = [] }, options) => readComments(deps, ids, options),
    };
  return (request, options) => parts[request.part](request, options);
}

/** One that answers 404 twice is gone. */
async function readComments(
  { send }: SideDeps,
  ids: readonly string[],
  options: CallOptions,
): Promise<SidePage> {
  const items: SideItem[] = [];
  for (const id of ids) {
    try {
      const call = {
        endpoint: 'GET /comments/{id}',
        method: 'GET',
        path: ['comments', id],
        repeatable: true,
        attempts: ATTEMPTS,
        doubts: [404],
        read: readComment,
      } as const;
      items.push({ ...(await send(call, options)), id });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return { items, total: items.length, more: false };
}

/** Of an answer that holds one. */
export function readComment(body: unknown): SideItem {
  return readItem(isObject(body) && isObject(body.data) ? body.data : body);
}

async function readPage(
  { send, pageLimit }: SideDeps,
  request: Pick<Call<unknown>, 'endpoint' | 'path' | 'query'> &
    Page & { readonly decode: (item: unknown) => SideItem },
  options: CallOptions,
): Promise<SidePage> {
  const { endpoint, path, query = [], offset, decode } = request;
  return await pageLimit.request(request.limit, (limit) =>
    send(
      {
        endpoint,
        method: 'GET',
        path,
        query: [
          ...query,
          ['page[offset]', String(offset)] as const,
          ['page[limit]', String(limit)] as const,
        ],
        repeatable: true,
        attempts: ATTEMPTS,
        read(body) {
          const list = readList(body);
          const more = isMoreBehind(list, { offset, limit });
          return { items: list.items.map(decode), total: list.total, more };
        },
      },
      options,
    ),
  );
}

/** Lists are few: all of them in one answer. Whether the first kind holds both is not said. */
async function readLists(deps: SideDeps, options: CallOptions): Promise<SidePage> {
  const lists = new Map<string, SideItem>();
  for (const query of LISTS) {
    for (let offset = 0, more = true; more; ) {
      const request = { endpoint: 'GET /lists', path: ['lists'], query, offset, limit: 500 };
      const page = await readPage(deps, { ...request, decode: (item) => readItem(item) }, options);
      for (const item of page.items) lists.set(item.id, item);
      offset += page.items.length;
      more = page.more;
    }
  }
  return { items: [...lists.values()], total: lists.size, more: false };
}

/** One that is not set answers 404; where all of them do, it is the address that is missing. */
async function readSettings(deps: SideDeps, options: CallOptions): Promise<SidePage> {
  const items: SideItem[] = [];
  let missing: RemoteError | null = null;
  for (const key of SETTINGS) {
    try {
      const value = await readSetting(deps, key, options);
      if (value !== null) items.push({ id: key, fields: { value } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      missing = error;
    }
  }
  if (items.length === 0 && missing !== null) throw missing;
  return { items, total: items.length, more: false };
}

async function readSetting({ send }: SideDeps, key: string, options: CallOptions): Promise<Json> {
  return await send(
    {
      endpoint: 'GET /settings/{key}',
      method: 'GET',
      path: ['settings', key],
      repeatable: true,
      attempts: ATTEMPTS,
      read: (body) => settingOf(key, body),
    },
    options,
  );
}

const json = z.custom<Json>((value) => value !== undefined);

/** The form of a setting's answer no source tells: the bare value, or wrapped as others are. */
function settingOf(key: string, body: unknown): Json {
  if (body === undefined) throw new BadAnswer('it holds no setting');
  if (!isObject(body)) return json.parse(body);
  for (const name of ['value', key, 'data', 'attributes']) {
    if (Object.hasOwn(body, name)) return settingOf(key, body[name]);
  }
  return json.parse(body);
}

const fields = z.custom<SideItem['fields']>((value) => isObject(value));

/** No source tells whether recipients have ids of their own; each person is sent it once. */
function readRecipient(item: unknown): SideItem {
  return readItem(item, ['person_id', 'email']);
}

/** Flat, or a resource with its fields under `attributes`. */
function readItem(item: unknown, others: readonly string[] = []): SideItem {
  if (!isObject(item)) throw new BadAnswer('an item of the list is no object');
  const own = isObject(item.attributes) ? item.attributes : item;
  for (const id of [item.id, item._id, own._id, ...others.map((name) => own[name])]) {
    if (typeof id === 'string' && id !== '') return { id, fields: fields.parse(own) };
  }
  throw new BadAnswer('an item of the list has no id');
}
