import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A workspace as `clarify-api.md` tells of it, for what there is beside records: written from the page
 * and from nothing of ours, so that client and emulator cannot share a mistake. What the page leaves
 * open a test changes in `content`.
 */
export interface OutsideWorkspace {
  /** Ends in `/v1`. */
  readonly url: string;
  /** What it holds; what is changed takes effect at once. */
  readonly content: OutsideContent;
  /** `GET /settings/closedWonDealStage` and so on, in the order they came. */
  readonly requests: string[];
  /** Called before an answer leaves; may change what there is, or give another status. */
  onRequest: (path: string, query: URLSearchParams) => number | undefined;
  stop(): Promise<void>;
}

export interface OutsideContent {
  readonly people: OutsideRecord[];
  readonly lists: { id: string; dynamic: boolean; title: string; members: string[] }[];
  /** By key: the body of the answer. */
  readonly settings: Record<string, unknown>;
  readonly campaigns: Record<string, Record<string, unknown>[]>;
  readonly attachments: Record<string, Record<string, unknown>[]>;
  /** By id: whose it is, and the body of the answer. */
  readonly comments: Record<string, { readonly owner: string; readonly body: unknown }>;
}

interface OutsideRecord {
  readonly id: string;
  readonly name: string;
  updatedAt: string;
}

const CREATED = '2026-01-02T03:04:05.006Z';

const SCHEMA = {
  type: 'schema',
  id: 'https://getclarify.ai/schemas/core/person',
  attributes: {
    $id: 'https://getclarify.ai/schemas/core/person',
    title: 'Person',
    type: 'object',
    xClarifyNamespace: 'objects',
    xClarifyLabel: { singular: 'Person', plural: 'People' },
    properties: { job_title: { type: ['string', 'null'] } },
  },
};

export async function startOutsideWorkspace(content: OutsideContent): Promise<OutsideWorkspace> {
  const requests: string[] = [];
  const outside = { content, requests, onRequest: () => undefined } as Pick<
    OutsideWorkspace,
    'content' | 'requests' | 'onRequest'
  >;
  const server = createServer((request, response) => {
    answer(outside, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(outside, {
    url: `http://127.0.0.1:${port}/v1`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function answer(
  outside: Pick<OutsideWorkspace, 'content' | 'requests' | 'onRequest'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://outside');
  const path = pathname.replace('/v1/workspaces/acme', '');
  const send = (status: number, body: unknown) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-ratelimit-limit': '3000',
      'x-ratelimit-remaining': '2999',
      'x-ratelimit-reset': '60',
    });
    response.end(JSON.stringify(body));
  };
  const refuse = (status: number) =>
    send(status, { errors: [{ status: String(status), detail: 'No' }] });
  if (request.headers['user-agent'] === undefined) return refuse(403);
  if (request.headers.authorization !== 'api-key outside-key') return refuse(401);
  outside.requests.push(`${request.method} ${path}`);
  const status = outside.onRequest(path, searchParams);
  if (status !== undefined) return refuse(status);
  const body = request.method === 'GET' ? bodyOf(outside.content, path, searchParams) : undefined;
  if (body === undefined) return refuse(404);
  if (body === TOO_MANY) return refuse(400);
  send(200, body);
}

const TOO_MANY = Symbol('more than 500');

function bodyOf(
  { people, lists, settings, campaigns, attachments, comments }: OutsideContent,
  path: string,
  query: URLSearchParams,
): unknown {
  const [, head = '', second = '', third = '', fourth = '', fifth = ''] = path.split('/');
  const person = (id: string) => {
    const found = people.find((each) => each.id === id);
    return found === undefined ? [] : [recordOf(found)];
  };
  switch (head) {
    case 'schemas':
      return { data: [SCHEMA], links: { next: null } };
    case 'users':
      return page([], query);
    case 'lists': {
      const dynamic = query.get('filter[type]') === 'dynamic';
      const found = lists.filter((list) => list.dynamic === dynamic);
      return page(
        found.map(({ id, title }) => ({
          type: 'list',
          id,
          attributes: { _id: id, title, entity: 'person', type: dynamic ? 'dynamic' : 'static' },
        })),
        query,
      );
    }
    case 'settings':
      return settings[second];
    case 'comments':
      return comments[second]?.body;
    case 'campaigns':
      return third === 'recipients' && campaigns[second] && page(campaigns[second], query);
    case 'objects':
      break;
    default:
      return undefined;
  }
  if (second !== 'person') return undefined;
  if (third === 'deleted-resources') return page([], query);
  if (third === 'lists' && fifth === 'resources') {
    const members = lists.find(({ id }) => id === fourth)?.members;
    return members && page(members.flatMap(person), query);
  }
  if (third === 'records' && fifth === 'activities') {
    const told = Object.keys(comments).filter((id) => comments[id]?.owner === fourth);
    return page([...told.map((id) => activityOf('clarify:comment', id)), created(fourth)], query);
  }
  if (third === 'records' && fifth === 'attachments') {
    return person(fourth).length > 0 ? page(attachments[fourth] ?? [], query) : undefined;
  }
  if (third !== 'resources') return undefined;
  if (fourth !== '') return person(fourth).map((data) => ({ data }))[0];
  return page(listed(people, query), query);
}

function activityOf(type: string, comment: string) {
  const event = {
    _id: `of-${comment}`,
    type,
    _created_at: '2026-02-03T04:05:06.007Z',
    actor: { _id: 'user_01', anonymous_id: null, entity: 'user', source_id: null },
    object: { _id: comment, anonymous_id: null, entity: 'comment' },
  };
  return activity(`act-${comment}`, event);
}

function created(id: string) {
  const actor = { _id: 'system', anonymous_id: null, entity: 'system', source_id: null };
  const event = { _id: `new-${id}`, type: 'ClarifyCreate', _created_at: CREATED, actor };
  return activity(`act-new-${id}`, event);
}

function activity(id: string, event: { readonly type: string; readonly _created_at: string }) {
  const attributes = { _id: id, _created_at: event._created_at, aggKey: id, data: [event] };
  return { type: 'activity', id, attributes };
}

function listed(people: readonly OutsideRecord[], query: URLSearchParams): unknown[] {
  const column = query.get('sortOrder[column]') ?? '_created_at';
  const key = (each: OutsideRecord) => (column === '_updated_at' ? each.updatedAt : CREATED);
  const from = query.get(`filter[${column}][Is on or after]`) ?? '';
  const to = query.get(`filter[${column}][Is on or before]`) ?? '9';
  const found = people.filter((each) => key(each) >= from && key(each) <= to);
  const sign = query.get('sortOrder[dir]') === 'DESC' ? -1 : 1;
  return found
    .toSorted((a, b) => sign * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
    .map(recordOf);
}

function recordOf({ id, name, updatedAt }: OutsideRecord) {
  const attributes = { _id: id, job_title: name, _created_at: CREATED, _updated_at: updatedAt };
  return { type: 'person', id, attributes };
}

function page(items: readonly unknown[], query: URLSearchParams): unknown {
  const limit = Number(query.get('page[limit]') ?? 500);
  const offset = Number(query.get('page[offset]') ?? 0);
  if (limit > 500) return TOO_MANY;
  const isMore = offset + limit < items.length;
  // Port 80 does not answer, and nobody is to follow it.
  const link = (at: number) => `http://127.0.0.1/?page[offset]=${at}`;
  return {
    data: items.slice(offset, offset + limit),
    links: {
      next: isMore ? link(offset + limit) : null,
      prev: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    },
    meta: { total_records: items.length, offset, limit },
  };
}
