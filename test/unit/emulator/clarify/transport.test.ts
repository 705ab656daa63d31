import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { connect } from './api-client.ts';

interface Raw {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** `fetch` always sends a user agent; this sends just what it is given. */
function raw(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
  body = '',
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, method }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const key = { authorization: 'api-key demo-key' };
const agent = { 'user-agent': 'test' };

describe('who may come in', () => {
  test('a request without a user agent is forbidden, whatever else it says', async () => {
    const { emulator } = await connect();
    const answer = await raw(`${emulator.url}/workspaces/demo/users`, key);
    expect(answer.status).toBe(403);
  });

  test('the key goes with api-key, not with Bearer, which is for access tokens', async () => {
    const { emulator } = await connect({ accessToken: 'oauth-token' });
    const url = `${emulator.url}/workspaces/demo/users`;
    const statusWith = async (authorization: string) =>
      (await raw(url, { ...agent, authorization })).status;
    expect(await statusWith('api-key demo-key')).toBe(200);
    expect(await statusWith('Bearer demo-key')).toBe(401);
    expect(await statusWith('api-key wrong')).toBe(401);
    expect(await statusWith('Bearer oauth-token')).toBe(200);
    expect((await raw(url, agent)).status).toBe(401);
  });

  test('another root, slug, object or method is not found', async () => {
    const { emulator, call } = await connect();
    const off = `http://127.0.0.1:${emulator.port}/workspaces/demo/users`;
    const outside = await raw(off, { ...agent, ...key });
    expect(outside.status).toBe(404);
    expect(JSON.parse(outside.text)).toEqual({
      statusCode: 404,
      message: 'Cannot GET /workspaces/demo/users',
      error: 'Not Found',
    });
    const slug = await raw(`${emulator.url}/workspaces/other/users`, { ...agent, ...key });
    expect(slug.status).toBe(404);
    expect(JSON.parse(slug.text).errors[0].status).toBe('404');
    expect((await call('GET', '/objects/nothing/resources')).status).toBe(404);
    expect((await call('GET', '/objects/person/records')).status).toBe(404);
    expect((await call('PUT', '/objects/person/records')).status).toBe(404);
  });
});

test('malformed JSON is a 400 without title and source', async () => {
  const { emulator } = await connect();
  const url = `${emulator.url}/workspaces/demo/objects/person/records`;
  const answer = await raw(url, { ...agent, ...key }, 'POST', '{"data":');
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toEqual({
    errors: [{ status: '400', detail: 'The body is not valid JSON' }],
  });
});

test('every answer tells the rate limit, and a refused one when to come back', async () => {
  let now = 0;
  const { get, emulator } = await connect({
    switches: { ratePerMinute: 2 },
    monotonicMs: () => now,
  });
  const first = await get('/objects/person/resources');
  expect(first.headers.get('x-ratelimit-limit')).toBe('2');
  expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
  expect(first.headers.get('x-ratelimit-reset')).toBe('60');
  expect(first.headers.get('retry-after')).toBeNull();
  now = 15_000;
  await get('/objects/person/resources/unknown');
  const missing = await get('/objects/person/resources/unknown');
  expect(missing.status).toBe(404);
  expect(missing.headers.get('x-ratelimit-remaining')).toBe('0');

  // Objects share an endpoint's limit, unless the switch says otherwise.
  expect((await get('/objects/deal/resources')).status).toBe(200);
  const refused = await get('/objects/person/resources');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('45');
  expect(refused.body.errors[0]?.status).toBe('429');
  emulator.switches.rateScope = 'object';
  expect((await get('/objects/task/resources')).status).toBe(200);
  now = 80_000;
  expect((await get('/objects/person/resources')).status).toBe(200);
});

test('the Date header follows the clock', async () => {
  const { get, emulator } = await connect({ clock: () => Date.parse('2027-01-02T03:04:05.678Z') });
  expect((await get('/users')).headers.get('date')).toBe('Sat, 02 Jan 2027 03:04:05 GMT');
  emulator.switches.clockSkewMs = 60_000;
  expect((await get('/users')).headers.get('date')).toBe('Sat, 02 Jan 2027 03:05:05 GMT');
});

test('stop hangs up, twice if need be', async () => {
  const { emulator } = await connect();
  await Promise.all([emulator.stop(), emulator.stop()]);
  await expect(fetch(emulator.url)).rejects.toThrow('fetch failed');
});

test('statistics count requests by endpoint, records, and who was told', async () => {
  const { emulator, call, get } = await connect();
  const task = { data: { type: 'task', attributes: { title: 'One' } } };
  await call('POST', '/objects/task/records?silent=true', task);
  await call('POST', '/objects/task/records', task);
  await get('/objects/task/resources');
  await get('/objects/nothing/resources');
  expect(emulator.stats()).toMatchObject({
    requests: 4,
    recordsRead: 2,
    recordsWritten: 2,
    silentWrites: 1,
    loudWrites: 1,
    endpoints: {
      'POST /objects/task/records': { requests: 2, byStatus: { 201: 2 } },
      'GET /objects/task/resources': { requests: 1, byStatus: { 200: 1 } },
      'GET /objects/nothing/resources': { requests: 1, byStatus: { 404: 1 } },
    },
  });
  emulator.resetStats();
  expect(emulator.stats()).toMatchObject({ requests: 0, endpoints: {} });
});
