import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { parseJson, stringifyJson } from '../../domain/json.ts';
import { sharedBodies } from './admin-body.ts';
import { JSON_TYPE, sendAnswer } from './answer.ts';
import { ApiError } from './api-error.ts';
import type { Faults } from './faults.ts';
import type { AdminAction, Model, WireRequest } from './model.ts';
import type { StatsKeeper } from './stats.ts';

export interface AdminDeps {
  readonly model: Model;
  readonly faults: Faults;
  readonly stats: StatsKeeper;
}

/**
 * `/_emulator/…`: what another process needs to steer the emulator and to act as a person in the
 * app. Every POST answers 200 with JSON, or 400 and 404 with `{"error"}`.
 */
export function createAdmin(deps: AdminDeps) {
  const actions = createActions(deps);
  return async (request: WireRequest, response: ServerResponse): Promise<void> => {
    const [, , name = '', detail] = request.url.pathname.split('/');
    const nowMs = deps.model.now();
    try {
      if (request.method === 'GET' && name === 'objects' && detail !== undefined) {
        await streamObject(deps.model, decodeURIComponent(detail), request, response);
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
  { model, faults, stats }: AdminDeps,
  actions: Readonly<Record<string, AdminAction>>,
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
      if (!faults.list().some(({ id }) => String(id) === detail)) {
        throw new ApiError(404, `no fault ${detail}`);
      }
      return faults.clear(Number(detail));
    case 'GET switches':
      return model.switches;
    case 'GET objects':
      return model.contents.counts();
    default:
      throw new ApiError(404, `no ${method} /_emulator/${name}`);
  }
}

export const READS = ['stats', 'faults', 'switches', 'objects', 'objects/{object}'] as const;

/** What is sent is read by the schema, then acted on. */
export function action<T>(schema: z.ZodType<T>, act: (body: T) => unknown): AdminAction {
  return (body) => act(schema.parse(body));
}

function createActions({ model, faults, stats }: AdminDeps): Readonly<Record<string, AdminAction>> {
  return {
    faults: action(sharedBodies.faults, (body) => ({ ids: body.map(faults.add) })),
    switches: action(sharedBodies.switches, (body) => {
      const parsed = Object.entries(body).map(([name, value]) => model.parseSwitch(name, value));
      return Object.assign(model.switches, ...parsed);
    }),
    ...model.actions,
    'reset-stats': action(sharedBodies['reset-stats'], () => stats.reset()),
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
  { contents }: Model,
  object: string,
  { url }: WireRequest,
  response: ServerResponse,
): Promise<void> {
  const asked = window.parse(Object.fromEntries(url.searchParams));
  const { total, texts } = contents.rendered(object, asked);
  const parts = function* (): Generator<string> {
    yield '{"data":[';
    let between = '';
    let chunk: string[] = [];
    for (const text of texts) {
      chunk.push(text);
      if (chunk.length < CHUNK) continue;
      yield `${between}${chunk.join(',')}`;
      between = ',';
      chunk = [];
    }
    if (chunk.length > 0) yield `${between}${chunk.join(',')}`;
    yield `],"meta":{"total_records":${total}}}`;
  };
  response.writeHead(200, { 'Content-Type': JSON_TYPE });
  try {
    await pipeline(parts, response);
  } catch (error) {
    // The other side hanging up half-way is its own business.
    if (!response.destroyed) throw error;
  }
}
