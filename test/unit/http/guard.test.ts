import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { createGuard, equalSecrets, hostName, isLoopbackHost } from '../../../src/http/guard.ts';

const LOOPBACK = { host: '127.0.0.1', token: null };
const OPEN_TO_ALL = { host: '0.0.0.0', token: 'a-long-secret' };

function guarded(options: {
  host: string;
  token: string | null;
  nowMs?: () => number;
  monotonicMs?: () => number;
}) {
  const app = Fastify({ logger: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => new URLSearchParams(body),
  );
  createGuard(options).protect(app);
  app.get('/', async () => 'the page');
  app.get('/livez', async () => 'ok');
  app.post('/act', async () => 'done');
  return app;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('on loopback (invariant 13)', () => {
  it.each(['127.0.0.1:8460', 'localhost', '[::1]:99', 'app.localhost:1'])(
    'answers to %s',
    async (host) => {
      const answer = await guarded(LOOPBACK).inject({ url: '/', headers: { host } });
      expect([answer.statusCode, answer.body]).toEqual([200, 'the page']);
    },
  );

  it.each(['evil.example', '127.0.0.1.evil.example:8460', 'localhost.evil.example', '10.0.0.1'])(
    'does not answer to %s, a name that was made to point here',
    async (host) => {
      const answer = await guarded(LOOPBACK).inject({ url: '/', headers: { host } });
      expect(answer.statusCode).toBe(421);
      expect(answer.body).not.toContain('the page');
    },
  );

  it.each([
    ['another site', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://localhost:1' }],
    ['nobody in particular', { origin: 'null' }],
    ['no origin', {}],
    ['a same-site page', { origin: 'http://localhost:8460', 'sec-fetch-site': 'same-site' }],
  ])('refuses a change that comes from %s', async (_who, headers) => {
    const answer = await guarded(LOOPBACK).inject({
      method: 'POST',
      url: '/act',
      headers: { host: 'localhost:8460', ...form, ...headers },
    });
    expect(answer.statusCode).toBe(403);
  });

  it('takes a change that comes from its own page', async () => {
    const answer = await guarded(LOOPBACK).inject({
      method: 'POST',
      url: '/act',
      headers: { host: 'localhost:8460', origin: 'http://localhost:8460', ...form },
    });
    expect(answer.statusCode).toBe(200);
  });

  it('allows no foreign content, frame or script', async () => {
    const { headers } = await guarded(LOOPBACK).inject({
      url: '/',
      headers: { host: 'localhost' },
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('with a token', () => {
  const host = 'sync.example:8460';
  const own = { host, origin: `http://${host}`, ...form };

  it('asks for it everywhere but at the probes', async () => {
    const app = guarded(OPEN_TO_ALL);
    expect((await app.inject({ url: '/', headers: { host } })).statusCode).toBe(401);
    expect((await app.inject({ url: '/livez', headers: { host } })).statusCode).toBe(200);
    expect((await app.inject({ method: 'POST', url: '/act', headers: own })).statusCode).toBe(401);
    const page = await app.inject({ url: '/', headers: { host, accept: 'text/html' } });
    expect([page.statusCode, page.headers['location']]).toEqual([303, '/sign-in']);
  });

  it('takes it as a bearer, also from a program without an origin', async () => {
    const app = guarded(OPEN_TO_ALL);
    const authorization = 'Bearer a-long-secret';
    const read = await app.inject({ url: '/', headers: { host, authorization } });
    expect(read.statusCode).toBe(200);
    const act = { method: 'POST' as const, url: '/act', headers: { host, authorization, ...form } };
    expect((await app.inject(act)).statusCode).toBe(200);
  });

  it('refuses a wrong one, and soon every further one', async () => {
    let monotonicMs = 0;
    let nowMs = 3_600_000;
    const app = guarded({ ...OPEN_TO_ALL, nowMs: () => nowMs, monotonicMs: () => monotonicMs });
    const guess = async (token: string) => {
      const authorization = `Bearer ${token}`;
      return (await app.inject({ url: '/', headers: { host, authorization } })).statusCode;
    };
    expect(await guess('a-long-secreT')).toBe(401);
    for (let n = 0; n < 20; n += 1) await guess(`guess${n}`);
    expect(await guess('another')).toBe(429);
    expect(await guess('a-long-secret')).toBe(200);
    // A clock that is set lets nobody guess on, and keeps nobody out.
    nowMs += 60_000;
    expect(await guess('another')).toBe(429);
    nowMs = 0;
    monotonicMs += 60_000;
    expect(await guess('another')).toBe(401);
  });

  it('signs in with a cookie that runs out, and that nobody can make', async () => {
    let nowMs = 1_000;
    const app = guarded({ ...OPEN_TO_ALL, nowMs: () => nowMs });
    const signIn = async (token: string) =>
      await app.inject({
        method: 'POST',
        url: '/sign-in',
        headers: own,
        payload: new URLSearchParams({ token }).toString(),
      });
    expect((await signIn('wrong')).headers['set-cookie']).toBeUndefined();
    const { headers } = await signIn('a-long-secret');
    const set = String(headers['set-cookie']);
    expect(set).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
    expect(set).not.toContain('a-long-secret');
    const cookie = set.split(';', 1)[0] ?? '';
    const read = async (value: string) =>
      (await app.inject({ url: '/', headers: { host, cookie: value } })).statusCode;
    expect(await read(`other=1; ${cookie}`)).toBe(200);
    expect(await read(cookie.replace(/\.[0-9a-f]/, '.x'))).toBe(401);
    expect(await read(cookie.replace('=', '=9'))).toBe(401);
    const other = guarded({ ...OPEN_TO_ALL, token: 'another-secret', nowMs: () => nowMs });
    expect((await other.inject({ url: '/', headers: { host, cookie } })).statusCode).toBe(401);
    nowMs += 8 * 24 * 3_600_000;
    expect(await read(cookie)).toBe(401);
  });

  it('refuses a sign-in form of another site', async () => {
    const answer = await guarded(OPEN_TO_ALL).inject({
      method: 'POST',
      url: '/sign-in',
      headers: { ...own, origin: 'http://evil.example' },
      payload: 'token=a-long-secret',
    });
    expect(answer.statusCode).toBe(403);
  });
});

it('knows names and loopback', () => {
  expect(hostName('[::1]:80')).toBe('[::1]');
  expect(hostName('a b')).toBeNull();
  expect(hostName(undefined)).toBeNull();
  expect(isLoopbackHost('127.1.2.3')).toBe(true);
  expect(isLoopbackHost('127.evil.example')).toBe(false);
  expect(equalSecrets('a', 'a')).toBe(true);
  expect(equalSecrets('a', 'ab')).toBe(false);
  expect(equalSecrets('', '')).toBe(true);
});
