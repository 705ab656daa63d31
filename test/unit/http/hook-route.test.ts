import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import type { HookCall } from '../../../src/crm/adapter.ts';
import { createGuard } from '../../../src/http/guard.ts';
import { addHook, type HookReceiver, type Received } from '../../../src/http/hook-route.ts';

function server(receiver: HookReceiver | null, guard = { host: '0.0.0.0', token: 'a-long-token' }) {
  const app = Fastify({ logger: false, bodyLimit: 1024 });
  app.removeAllContentTypeParsers();
  createGuard(guard).protect(app);
  app.setErrorHandler(async (error, _request, reply) => {
    const { statusCode = 500 } = error as { statusCode?: number };
    return await reply.code(statusCode).send('no\n');
  });
  app.post('/act', async () => 'done');
  const noted: string[] = [];
  addHook(
    app,
    () => receiver,
    (_request, outcome) => noted.push(outcome),
  );
  const call = async (more: object = {}, url = '/webhook') => {
    const headers = { host: 'sync.example', 'attio-signature': 'ab' };
    const answer = await app.inject({ method: 'POST', url, headers, ...more });
    return answer.statusCode;
  };
  return { call, noted };
}

const says = (received: Received): HookReceiver => ({ receive: async () => received });

describe('the webhook address', () => {
  it('needs no token, no name and no origin, and hands on every byte as it came', async () => {
    const calls: HookCall[] = [];
    const receiver: HookReceiver = {
      async receive(given) {
        calls.push(given);
        return 'noted';
      },
    };
    const { call, noted } = server(receiver);
    const payload = Buffer.from([0x7b, 0xff, 0x00, 0x0a, 0x7d]);
    for (const type of ['application/json', 'text/plain', 'application/octet-stream']) {
      const headers = { host: 'sync.example', 'content-type': type, 'attio-signature': 'ab' };
      expect(await call({ payload, headers })).toBe(200);
    }
    expect(calls.map(({ body }) => body)).toEqual([payload, payload, payload]);
    expect(calls[0]?.headers['attio-signature']).toBe('ab');
    expect(noted).toEqual(['noted', 'noted', 'noted']);
  });

  it('says by its status what came of a call', async () => {
    expect(await server(says('nothing')).call()).toBe(200);
    expect(await server(says('refused')).call()).toBe(401);
    expect(await server(says('unknown')).call()).toBe(404);
    expect(await server(null).call()).toBe(404);
    expect(await server(says('noted')).call({ method: 'GET' })).toBe(404);
  });

  it('asks to be called again where it could not be written down within a second', async () => {
    const away = server({ receive: () => Promise.reject(new Error('the database is away')) });
    expect(await away.call()).toBe(503);
    const slow = server({ receive: () => new Promise(() => undefined) });
    const startedMs = performance.now();
    expect(await slow.call()).toBe(503);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect([...away.noted, ...slow.noted]).toEqual(['failed', 'failed']);
  });

  it('reads no more than a call may hold, and opens nothing else', async () => {
    const { call, noted } = server(says('noted'));
    const headers = { host: 'sync.example', 'content-type': 'application/json' };
    expect(await call({ payload: 'x'.repeat(256 * 1024 + 1), headers })).toBe(413);
    expect(noted).toEqual([]);
    for (const url of ['/act?x=/webhook', '/webhook/../act', '/webhook/act', '/act/webhook']) {
      expect([401, 403, 404, 421]).toContain(await call({}, url));
    }
  });
});
