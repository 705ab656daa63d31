import Fastify from 'fastify';
import { describe, expect, it, test } from 'vitest';
import { createGuard } from '../../../src/http/guard.ts';
import { addNudge, hintIn } from '../../../src/http/nudge-route.ts';

const SECRET = 'a-secret-that-nobody-guesses';

function server(guard: { host: string; token: string | null }, secret: string | null = SECRET) {
  const app = Fastify({ logger: false, bodyLimit: 1024 });
  app.removeAllContentTypeParsers();
  const nudges: (string | null)[] = [];
  createGuard(guard).protect(app);
  app.setNotFoundHandler(async (_request, reply) => await reply.code(404).send('nothing here\n'));
  app.post('/act', async () => 'done');
  if (secret !== null) addNudge(app, secret, (object) => nudges.push(object));
  const call = async (path: string, more: object = {}) =>
    await app.inject({ method: 'POST', url: path, headers: { host: 'sync.example' }, ...more });
  return { app, call, nudges };
}

describe.each([
  ['on loopback', { host: '127.0.0.1', token: null }],
  ['beyond it', { host: '0.0.0.0', token: 'a-long-token' }],
])('the nudge address %s', (_where, guard) => {
  it('needs its secret and nothing else: no token, no name, no origin', async () => {
    const { call, nudges } = server(guard);
    expect(await call(`/nudge/${SECRET}`)).toMatchObject({ statusCode: 202, body: 'ok\n' });
    expect(nudges).toEqual([null]);
  });

  it.each(['', 'wrong', `${SECRET}x`, SECRET.slice(1), `${SECRET}/`, encodeURIComponent('%')])(
    'is not there for "%s"',
    async (secret) => {
      const { call, nudges } = server(guard);
      const refused = await call(`/nudge/${secret}`, { payload: 'x'.repeat(10_000) });
      const nowhere = await call('/nudge/x/y/z');
      expect(refused.statusCode).toBe(404);
      expect(refused.body).toBe(nowhere.body);
      expect(nudges).toEqual([]);
    },
  );

  it('is not there for a GET, nor where no secret is set', async () => {
    const { app, nudges } = server(guard);
    const headers = { host: 'sync.example' };
    expect((await app.inject({ url: `/nudge/${SECRET}`, headers })).statusCode).toBe(404);
    expect((await server(guard, null).call(`/nudge/${SECRET}`)).statusCode).toBe(404);
    expect(nudges).toEqual([]);
  });

  it('opens nothing else', async () => {
    const { call } = server(guard);
    const elsewhere = await call('/act?x=/nudge/', { payload: '{}' });
    expect([401, 403, 421]).toContain(elsewhere.statusCode);
    expect((await call(`/nudge/../act`)).statusCode).not.toBe(200);
  });
});

test.each([
  ['json', 'application/json', '{"object":"deal","name":"Robert"}', 'deal'],
  ['a form', 'application/x-www-form-urlencoded', 'object=deal', null],
  ['text', 'text/plain', 'deal', null],
  ['half of it', 'application/json', '{"object":"de', null],
  ['a kind nobody knows', 'x/y', '\u0000\u0001', null],
  ['no object', 'application/json', '{"object":{"$gt":""}}', null],
])('takes a body of %s for a hint at most', async (_what, type, payload, hint) => {
  const { call, nudges } = server({ host: '127.0.0.1', token: null });
  const headers = { host: 'x', 'content-type': type };
  expect((await call(`/nudge/${SECRET}`, { payload, headers })).statusCode).toBe(202);
  expect(nudges).toEqual([hint]);
});

test('a long body is read and dropped, an endless one is not', async () => {
  const { call, nudges } = server({ host: '127.0.0.1', token: null });
  const headers = { host: 'x', 'content-type': 'application/json' };
  const long = { headers, payload: `{"object":"deal","text":"${'x'.repeat(200_000)}"}` };
  expect((await call(`/nudge/${SECRET}`, long)).statusCode).toBe(202);
  const endless = { headers, payload: 'x'.repeat(3_000_000) };
  expect((await call(`/nudge/${SECRET}`, endless)).statusCode).toBe(413);
  expect(nudges).toEqual([null]);
});

test('a name that is none is no hint', () => {
  expect(hintIn(JSON.stringify({ object: 'x'.repeat(201) }))).toBeNull();
  expect(hintIn('null')).toBeNull();
  expect(hintIn(undefined)).toBeNull();
});
