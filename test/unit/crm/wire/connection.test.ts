import { createServer, type IncomingMessage } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { Api } from '../../../../src/crm/wire/api.ts';
import type { Call } from '../../../../src/crm/wire/call.ts';
import { type Clock, systemClock } from '../../../../src/crm/wire/clock.ts';
import { openConnection } from '../../../../src/crm/wire/connection.ts';
import { keyCredentials } from '../../../../src/crm/wire/credentials.ts';
import { readRateHeaders } from '../../../../src/crm/wire/rate-headers.ts';
import { createSharedAllowance } from '../../../../src/crm/wire/shared-allowance.ts';
import { RemoteError } from '../../../../src/domain/errors.ts';

// An API of another kind: three headers sign, errors are text, there are no rate headers, and one
// limit counts the whole of it.

type Answer = (request: IncomingMessage) => {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function call(path: string, more: Partial<Call<unknown>> = {}): Call<unknown> {
  const read = (body: unknown) => body;
  return { endpoint: `GET /${path}`, method: 'GET', path: [path], repeatable: true, read, ...more };
}

async function open(answer: Answer, clock: Clock = systemClock) {
  const asked: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers });
    const { status, body = {}, headers = {} } = answer(request);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const api: Api = {
    title: 'Acme',
    root: `http://127.0.0.1:${port}`,
    addressName: 'workspaces.north.apiUrl',
    readRefusal: ({ status, retryAfterMs }, { endpoint }) =>
      new RemoteError(`${endpoint}: no (${status})`, {
        code: status === 401 ? 'remote-unauthorized' : 'remote-rate-limited',
        disposition: status === 401 ? 'halt' : 'retry',
        status,
        retryAfterMs: retryAfterMs ?? undefined,
      }),
    readToldErrors: () => null,
    readRate({ status, headers }, nowMs) {
      const rate = readRateHeaders(headers, nowMs);
      return { ...rate, limit: 100, remaining: status === 429 ? 0 : null };
    },
    counterOf: () => 'all',
    createCounter: (_name, percent) => createSharedAllowance(percent),
    keyProbe: call('self'),
  };
  const connection = openConnection(api, {
    credentials: keyCredentials('k', { 'x-api-key': 'k', 'x-user-id': 'u', 'x-business-id': 'b' }),
    allowancePercent: 100,
    clock,
  });
  cleanups.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => connection.stop(),
  );
  return { connection, asked };
}

const options = { priority: 'pull', signal: new AbortController().signal } as const;

test('signs as the API wants it', async () => {
  const { connection, asked } = await open(() => ({ status: 200, body: { a: 1 } }));
  expect(await connection.send(call('records'), options)).toEqual({ a: 1 });
  expect(asked[0]?.headers).toMatchObject({
    'x-api-key': 'k',
    'x-user-id': 'u',
    'x-business-id': 'b',
  });
  expect(asked[0]?.headers.authorization).toBeUndefined();
});

test('a limit that counts the whole API holds every endpoint, until the date that is told', async () => {
  const date = new Date(Math.floor(Date.now() / 1_000) * 1_000);
  const until = new Date(date.getTime() + 1_000).toUTCString();
  let isUsedUp = true;
  const { connection, asked } = await open(() => {
    if (!isUsedUp) return { status: 200 };
    isUsedUp = false;
    return { status: 429, headers: { date: date.toUTCString(), 'retry-after': until } };
  });
  const startedMs = performance.now();
  await Promise.all([connection.send(call('one'), options), connection.send(call('two'), options)]);
  expect(performance.now() - startedMs).toBeGreaterThan(900);
  expect(asked.map(({ path }) => path).toSorted()).toEqual(['/one', '/one', '/two']);
});

test('messages name whose API it is, and the setting as it was given', async () => {
  const { connection } = await open(() => ({ status: 200 }));
  for (const cleanup of cleanups.splice(0, 1)) void cleanup();
  const once = { ...options, withinMs: 0 };
  await expect(connection.send(call('x', { attempts: 1 }), once)).rejects.toMatchObject({
    message: expect.stringMatching(/^GET \/x: .*Acme/),
  });
  await connection.stop();
  await expect(connection.send(call('x'), options)).rejects.toThrow('Acme is closed');
});

test('a key that one endpoint refuses is asked about where the API says', async () => {
  const sleep: Clock['sleep'] = (_ms, signal) => systemClock.sleep(1, signal);
  const { connection, asked } = await open(({ url }) => ({ status: url === '/self' ? 200 : 401 }), {
    ...systemClock,
    sleep,
  });
  await expect(connection.send(call('odd'), options)).rejects.toMatchObject({
    message: expect.stringContaining('Acme accepts the key elsewhere'),
  });
  expect(asked.map(({ path }) => path)).toContain('/self');
});
