import * as z from 'zod';
import { action } from '../../../../src/emulator/kernel/admin.ts';
import { type Api, admitTo } from '../../../../src/emulator/kernel/admit.ts';
import { ApiError } from '../../../../src/emulator/kernel/api-error.ts';
import { retryAfterText } from '../../../../src/emulator/kernel/fault-answer.ts';
import { type Fields, isObject } from '../../../../src/emulator/kernel/fields.ts';
import type { ErrorForm, Model } from '../../../../src/emulator/kernel/model.ts';
import { createRateLimiter } from '../../../../src/emulator/kernel/rate-limit.ts';
import type { Route } from '../../../../src/emulator/kernel/route.ts';
import { type Serving, serve } from '../../../../src/emulator/kernel/serve.ts';
import {
  oneOf,
  SHARED_RULES,
  type SwitchesOf,
  switchTable,
  whole,
} from '../../../../src/emulator/kernel/switches.ts';

const RULES = {
  ...SHARED_RULES,
  pageOver: oneOf(['cut', 'refuse'], 'a limit above ten'),
  readsPerSecond: whole('reads in any second', 1),
} as const;

interface Toy {
  readonly notes: Map<string, Fields>;
  readonly switches: SwitchesOf<typeof RULES>;
}

const problem = (status: number, code: string, headers?: Record<string, string>): ApiError =>
  new ApiError(status, { status_code: status, code }, headers);

const errors: ErrorForm = {
  body: (status, form) => ({ status_code: status, code: form }),
  badTarget: { status_code: 400, code: 'target' },
  retryAfter: 'date',
  unknownPath: ({ method, url }) => problem(404, `no ${method} ${url.pathname}`),
  tooLarge: () => problem(413, 'too_large'),
  badJson: () => problem(400, 'no_json'),
};

const routes: readonly Route<Toy>[] = [
  {
    method: 'POST',
    pattern: '/objects/{object}/query',
    isRead: true,
    handle({ notes, switches }, { body, served }) {
      const asked = isObject(body) ? Number(body.limit ?? 10) : 10;
      if (asked > 10 && switches.pageOver === 'refuse') throw problem(400, 'limit');
      const results = [...notes]
        .slice(0, Math.min(asked, 10))
        .map(([id, values]) => ({ id, values }));
      const headers = { 'x-score': String(served) };
      return {
        status: 200,
        text: JSON.stringify({ results }),
        headers,
        recordsRead: results.length,
      };
    },
  },
  {
    method: 'PATCH',
    pattern: '/objects/{object}/{id}',
    handle({ notes }, { param, body }) {
      const values = isObject(body) && isObject(body.values) ? body.values : {};
      notes.set(param('id'), values);
      return { status: 200, text: JSON.stringify({ results: [{ id: param('id'), values }] }) };
    },
  },
];

/** The smallest CRM that differs from the others in everything the kernel leaves open. */
export async function startToy(nowMs: () => number): Promise<Serving & { readonly toy: Toy }> {
  const toy: Toy = {
    notes: new Map(['a', 'b', 'c'].map((id) => [id, { text: id, stars: 1 }])),
    switches: { clockSkewMs: 0, latencyMs: 0, pageOver: 'cut', readsPerSecond: 100 },
  };
  const limiter = createRateLimiter(nowMs);
  const now = (): number => nowMs() + toy.switches.clockSkewMs;
  const api: Api<Toy> = {
    workspace: toy,
    routes,
    errors,
    bodyLimit: () => 1_000,
    pathOf: ({ url }) => url.pathname,
    charge(_, match) {
      const limit = match?.route.isRead === true ? toy.switches.readsPerSecond : 25;
      const bucket = match?.route.isRead === true ? 'reads' : 'writes';
      const { allowed, resetSeconds } = limiter.take(bucket, { limit, windowMs: 1_000 });
      const wait = { 'Retry-After': retryAfterText(resetSeconds, 'date', now()) };
      return { headers: {}, refusal: allowed ? null : problem(429, 'rate', wait) };
    },
    checkAccess({ headers }) {
      if (headers['x-toy-key'] !== 'secret') throw problem(401, 'unauthorized');
    },
    isSilent: () => false,
  };
  const model: Model = {
    now,
    switches: toy.switches,
    parseSwitch: switchTable(RULES).parse,
    bodyLimit: () => 1_000,
    beside: () => null,
    admit: (request) => admitTo(api, request),
    errors,
    records: {
      sentIn: ['values'],
      shownIn: ['results'],
      fieldsIn: 'values',
      idOf: ({ id }) => id,
      leftOut: (pointers) => ({ missing: pointers }),
    },
    contents: {
      counts: () => ({ note: toy.notes.size }),
      rendered: () => ({
        total: toy.notes.size,
        texts: [...toy.notes].map((each) => JSON.stringify(each)),
      }),
    },
    actions: { forget: action(z.object({ id: z.string() }), ({ id }) => toy.notes.delete(id)) },
  };
  return { ...(await serve(model, {})), toy };
}
