import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { parseJson, stringifyJson } from '../domain/json.ts';
import { adminBodies } from './admin-body.ts';
import type { WireRequest } from './api.ts';
import { ApiError, notFound } from './api-error.ts';
import type { AuthorizationServer } from './authorization.ts';
import type { Faults } from './faults.ts';
import { viewOf } from './list-answer.ts';
import type { StatsKeeper } from './stats.ts';
import type { Store } from './store.ts';
import { renderRecord } from './stored-record.ts';
import { parseSwitch } from './switches.ts';
import { JSON_TYPE, sendAnswer } from './wire-answer.ts';
import { objectState, type Workspace } from './workspace.ts';

export interface AdminDeps {
  readonly workspace: Workspace;
  readonly store: Store;
  readonly faults: Faults;
  readonly stats: StatsKeeper;
  readonly authorization: AuthorizationServer;
}

/**
 * `/_emulator/…`: what another process needs to steer the emulator and to act as a person in the
 * app. Every POST answers 200 with JSON, or 400 and 404 with `{"error"}`.
 */
export function createAdmin(deps: AdminDeps) {
  const actions = createActions(deps);
  return async (request: WireRequest, response: ServerResponse): Promise<void> => {
    const [, , name = '', detail] = request.url.pathname.split('/');
    const nowMs = deps.workspace.now();
    try {
      if (request.method === 'GET' && name === 'objects' && detail !== undefined) {
        await streamObject(deps.workspace, decodeURIComponent(detail), request, response);
        return;
      }
      const result = perform(deps, actions, { ...request, name, detail });
      const text = stringifyJson(result ?? {});
      sendAnswer(response, { status: 200, text, contentType: JSON_TYPE, headers: {} }, { nowMs });
    } catch (error) {
      const { status, message } = refusal(error);
      const text = JSON.stringify({ error: message });
      sendAnswer(response, { status, text, contentType: JSON_TYPE, headers: {} }, { nowMs });
    }
  };
}

function perform(
  { workspace, store, faults, stats }: AdminDeps,
  actions: Readonly<Record<string, (body: unknown) => unknown>>,
  request: WireRequest & { readonly name: string; readonly detail: string | undefined },
): unknown {
  const { method, name, detail, body } = request;
  if (method === 'POST' && Object.hasOwn(actions, name)) {
    return actions[name]?.(body === '' ? undefined : parseJson(body));
  }
  switch (`${method} ${name}`) {
    case 'GET ':
      return { GET: READS, POST: Object.keys(actions), DELETE: ['faults', 'faults/{id}'] };
    case 'GET stats':
      return stats.read();
    case 'GET faults':
      return faults.list();
    case 'DELETE faults':
      if (detail === undefined) return faults.clear();
      if (!faults.list().some(({ id }) => String(id) === detail)) throw notFound(`Fault ${detail}`);
      return faults.clear(Number(detail));
    case 'GET switches':
      return workspace.switches;
    case 'GET objects':
      return Object.fromEntries(store.objects().map((object) => [object, store.count(object)]));
    default:
      throw new ApiError(404, `no ${method} /_emulator/${name}`);
  }
}

export const READS = ['stats', 'faults', 'switches', 'objects', 'objects/{object}'] as const;

/** One for each body in `adminBodies`. */
function createActions({ workspace, store, faults, stats, authorization }: AdminDeps) {
  const action =
    <T>(schema: z.ZodType<T>, run: (body: T) => unknown) =>
    (body: unknown): unknown =>
      run(schema.parse(body));
  const bodies = adminBodies;
  return {
    faults: action(bodies.faults, (body) => ({ ids: body.map(faults.add) })),
    switches: action(bodies.switches, (body) => {
      const parsed = Object.entries(body).map(([name, value]) => parseSwitch(name, value));
      return Object.assign(workspace.switches, ...parsed);
    }),
    create: action(bodies.create, (b) => ({ id: store.create(b.object, b.fields, b) })),
    edit: action(bodies.edit, (b) => store.update(b.object, b.id, b.fields, b)),
    enrich: action(bodies.enrich, (b) => store.enrich(b.object, b.id, b.fields)),
    delete: action(bodies.delete, (b) => store.delete(b.object, b.ids, b)),
    merge: action(bodies.merge, (b) => store.merge(b.object, b.target, b.sources, b)),
    link: action(bodies.link, (b) => store.link(b.object, b.id, b.field, b.ids, b)),
    unlink: action(bodies.unlink, (b) => store.unlink(b.object, b.id, b.field, b.ids, b)),
    'bulk-touch': action(bodies['bulk-touch'], ({ object, ids, count, at }) => {
      const touched = ids ?? store.ids(object).slice(0, count);
      store.stampMany(object, touched, at ?? workspace.now());
      return { touched: touched.length };
    }),
    hide: action(bodies.hide, (b) => store.hide(b.object, b.ids)),
    unhide: action(bodies.unhide, (b) => store.unhide(b.object, b.ids)),
    'add-field': action(bodies['add-field'], (b) => store.addField(b.object, b.field)),
    'remove-field': action(bodies['remove-field'], (b) => store.removeField(b.object, b.name)),
    'change-field': action(bodies['change-field'], (b) =>
      store.changeFieldType(b.object, b.name, b.form),
    ),
    'add-object': action(bodies['add-object'], (b) => store.addObject(b)),
    'remove-object': action(bodies['remove-object'], (b) => store.removeObject(b.object)),
    revoke: action(bodies.revoke, ({ what }) => authorization.revoke(what)),
    'reset-stats': action(bodies['reset-stats'], () => stats.reset()),
  };
}

function refusal(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof z.ZodError) return { status: 400, message: z.prettifyError(error) };
  if (error instanceof SyntaxError || error instanceof RangeError || error instanceof URIError) {
    return { status: 400, message: error.message };
  }
  if (error instanceof ApiError)
    return { status: error.status, message: stringifyJson(error.body) };
  throw error;
}

const CHUNK = 1000;
const window = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).default(Number.MAX_SAFE_INTEGER),
});

/** `GET /_emulator/objects/{object}`: every record as it stands, a million of them as well. */
async function streamObject(
  workspace: Workspace,
  object: string,
  { url }: WireRequest,
  response: ServerResponse,
): Promise<void> {
  const state = objectState(workspace, object);
  const { offset, limit } = window.parse(Object.fromEntries(url.searchParams));
  const records = [...state.records.values()].slice(offset, offset + limit);
  const parts = function* (): Generator<string> {
    yield '{"data":[';
    for (let start = 0; start < records.length; start += CHUNK) {
      const rendered = records
        .slice(start, start + CHUNK)
        .map((record) => renderRecord(object, record, viewOf(workspace)));
      yield `${start === 0 ? '' : ','}${rendered.join(',')}`;
    }
    yield `],"meta":{"total_records":${state.records.size}}}`;
  };
  response.writeHead(200, { 'Content-Type': JSON_TYPE });
  try {
    await pipeline(parts, response);
  } catch (error) {
    // The other side hanging up half-way is its own business.
    if (!response.destroyed) throw error;
  }
}
