import { expect, test } from 'vitest';
import { at, attio } from './client.ts';

test('/self says what a token is good for, and never 401', async () => {
  const { ask, revoke, workspaceId } = await attio();
  expect(await ask('GET', '/self')).toMatchObject({
    status: 200,
    body: {
      active: true,
      token_type: 'Bearer',
      iss: 'attio.com',
      sub: workspaceId,
      iat: expect.any(Number),
      workspace_id: workspaceId,
      workspace_slug: 'demo',
      exp: null,
      token_level: 'workspace',
      scope: expect.stringContaining('record_permission:read-write'),
    },
  });
  const unknown = await ask('GET', '/self', undefined, { authorization: 'Bearer unknown' });
  expect(unknown).toMatchObject({ status: 200, body: { active: false } });
  const malformed = await ask('GET', '/self', undefined, { authorization: 'unknown' });
  expect(malformed).toMatchObject({ status: 400, body: { code: 'missing_value' } });
  revoke();
  expect((await ask('GET', '/self')).body).toEqual({ active: false });
  expect(await ask('GET', '/objects')).toMatchObject({
    status: 401,
    body: { status_code: 401, type: 'auth_error', code: 'unauthorized' },
  });
});

test('what is not there is told in the form of every error', async () => {
  const { ask } = await attio();
  expect(await ask('GET', '/nowhere')).toMatchObject({
    status: 404,
    body: {
      status_code: 404,
      type: 'invalid_request_error',
      code: 'not_found',
      message: 'Could not find endpoint "GET /v2/nowhere".',
    },
  });
  expect(await ask('GET', '/objects/ghosts')).toMatchObject({ body: { code: 'not_found' } });
  expect(await ask('POST', '/objects/people/records/query', { limit: 'ten' })).toMatchObject({
    status: 400,
    body: { code: 'validation_type', validation_errors: [{ path: ['limit'] }] },
  });
});

test('a scope that is missing is a 403', async () => {
  const { ask, adminUrl, create } = await attio();
  await fetch(`${adminUrl}/scopes`, {
    method: 'POST',
    body: JSON.stringify({ scopes: ['record_permission:read', 'object_configuration:read'] }),
  });
  expect((await ask('POST', '/objects/people/records/query', {})).status).toBe(200);
  expect(await create('people', {})).toMatchObject({ status: 403, body: { type: 'auth_error' } });
  expect((await ask('GET', '/workspace_members')).status).toBe(403);
});

test('reads, writes and merges have budgets by the second, and a date to come back at', async () => {
  let ms = 0;
  const now = Date.UTC(2026, 4, 1);
  const { query, create, ask, switches } = await attio({
    monotonicMs: () => ms,
    clock: () => now + ms,
    switches: { readsPerSecond: 2, writesPerSecond: 1 },
  });
  const plain = await query('people');
  expect([...plain.headers.keys()].filter((name) => /ratelimit|retry/.test(name))).toEqual([]);
  await query('people');
  const refused = await query('people');
  expect(refused).toMatchObject({
    status: 429,
    body: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  });
  expect(refused.headers.get('retry-after')).toBe('Fri, 01 May 2026 00:00:01 GMT');
  expect((await create('people', {})).status).toBe(200);
  expect((await create('people', {})).status).toBe(429);
  ms = 1_000;
  expect((await query('people')).status).toBe(200);
  Object.assign(switches, { writesPerSecond: 100, mergesPerSecond: 1 });
  const merge = () => ask('POST', '/objects/people/records/merge', {});
  expect([(await merge()).status, (await merge()).status]).toEqual([400, 429]);
});

test('queries cost a score, and a budget of it ends them for a while', async () => {
  let ms = 0;
  const { query, store, switches } = await attio({ monotonicMs: () => ms });
  for (let i = 0; i < 100; i += 1) store.create('companies', { name: `Company ${i}` });
  const sorts = [{ attribute: 'created_at', direction: 'asc' }];
  const score = async (body: unknown) =>
    (await query('companies', body)).headers.get('x-attio-record-query-score');
  expect(await score({ limit: 5 })).toBe('0');
  expect(await score({ limit: 100, sorts })).toBe('125');
  switches.scoreBudget = 200;
  expect((await query('companies', { limit: 100, sorts })).status).toBe(200);
  expect((await query('companies', { limit: 1 })).status).toBe(429);
  ms = 10_001;
  expect((await query('companies', { limit: 1 })).status).toBe(200);
});

test('an answer says the time it is true for, which is a moment ago', async () => {
  const now = Date.UTC(2026, 4, 1);
  const { query } = await attio({ clock: () => now });
  const { headers } = await query('people');
  expect(Date.parse(headers.get('x-accurate-at') ?? '')).toBe(now - 760);
});

test('faults speak the language of the API', async () => {
  const { query, faults, create } = await attio();
  await create('companies', { name: 'Acme' });
  faults.add({ kind: 'status', status: 409, method: 'PATCH' });
  faults.add({ kind: 'status', status: 429, retryAfter: 1, count: 1 });
  const wait = await query('companies');
  expect(wait).toMatchObject({ status: 429, body: { code: 'rate_limit_exceeded' } });
  expect(wait.headers.get('retry-after')).toMatch(/GMT$/);
  faults.add({ kind: 'attribute', attribute: 'name', count: 1 });
  expect(at((await query('companies')).body, 'data', 0, 'values')).not.toHaveProperty('name');
});
