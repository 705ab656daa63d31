import { expect, test } from 'vitest';
import { at, idOf, kizen, valuesOf } from './client.ts';

test('all three headers are needed; without one of them: missing_business_context', async () => {
  const { url, apiKey, userId, businessId, ask } = await kizen();
  const all = { 'X-API-KEY': apiKey, 'X-USER-ID': userId, 'X-BUSINESS-ID': businessId };
  for (const name of Object.keys(all)) {
    const headers = Object.fromEntries(Object.entries(all).filter(([each]) => each !== name));
    const response = await fetch(`${url}/business/mine`, { headers });
    expect([response.status, await response.json()]).toEqual([
      401,
      { code: 'missing_business_context' },
    ]);
  }
  const wrong = (name: string) => ask('GET', '/business/mine', undefined, { [name]: 'other' });
  expect((await wrong('X-API-KEY')).status).toBe(401);
  expect((await wrong('X-USER-ID')).status).toBe(401);
  expect((await wrong('X-BUSINESS-ID')).status).toBe(403);
});

test('the business says who it is and which zone it lives in', async () => {
  const { ask, businessId, revoke } = await kizen();
  expect(await ask('GET', '/business/mine')).toMatchObject({
    status: 200,
    body: { id: businessId, name: 'Demo', timezone: { name: 'America/Chicago' } },
  });
  revoke();
  expect((await ask('GET', '/business/mine')).status).toBe(401);
});

test.each(['/business/mine/', '/custom-objects/', '/records/deals/search/', '/nowhere'])(
  'the path %s is a 404 with a page, whoever asks',
  async (path) => {
    const { url } = await kizen();
    const response = await fetch(`${url}${path}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toContain('<html>');
  },
);

test('a path that there is, asked by another method, is a 405 in JSON', async () => {
  const { ask } = await kizen();
  expect(await ask('DELETE', '/business/mine')).toMatchObject({
    status: 405,
    body: { code: 'method_not_allowed' },
  });
});

test('every answer has a request id of its own, a fault’s as well', async () => {
  const { ask, faults } = await kizen();
  faults.add({ kind: 'status', status: 500, count: 1, after: 1 });
  const answers = [
    await ask('GET', '/business/mine'),
    await ask('GET', '/business/mine'),
    await ask('GET', '/nowhere'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 500, 404]);
  const ids = answers.map(({ headers }) => headers.get('x-request-id'));
  expect(new Set(ids).size).toBe(3);
  expect(ids).not.toContain(null);
});

test('no budget is told of, and a 429 says when to come back, or does not', async () => {
  let ms = 0;
  const now = Date.UTC(2026, 4, 1);
  const { ask, switches } = await kizen({ monotonicMs: () => ms, clock: () => now });
  const plain = await ask('GET', '/business/mine');
  expect([...plain.headers.keys()].filter((name) => /limit|retry/.test(name))).toEqual([]);
  switches.requestsPerSecond = 1;
  ms = 2_000;
  expect((await ask('GET', '/business/mine')).status).toBe(200);
  const seconds = await ask('GET', '/business/mine');
  expect(seconds).toMatchObject({ status: 429, body: { code: 'throttled' } });
  expect(seconds.headers.get('retry-after')).toBe('1');
  switches.retryAfter = 'date';
  switches.limitForm = 'html';
  const date = await ask('GET', '/business/mine');
  expect(date.headers.get('retry-after')).toBe('Fri, 01 May 2026 00:00:01 GMT');
  expect(date.body).toContain('<html>');
  switches.retryAfter = 'absent';
  switches.limitForm = 'empty';
  const bare = await ask('GET', '/business/mine');
  expect(bare).toMatchObject({ status: 429, body: '' });
  expect(bare.headers.get('retry-after')).toBeNull();
  ms = 3_001;
  expect((await ask('GET', '/business/mine')).status).toBe(200);
});

test('a body above 50 MB is refused', async () => {
  const { url, apiKey, userId, businessId } = await kizen();
  const response = await fetch(`${url}/records/companies/add`, {
    method: 'POST',
    headers: { 'X-API-KEY': apiKey, 'X-USER-ID': userId, 'X-BUSINESS-ID': businessId },
    body: ' '.repeat(50 * 1024 * 1024 + 1),
  });
  expect([response.status, at(await response.json(), 'code')]).toEqual([413, 'payload_exceeded']);
});

test('what the key may not see is a 404 or left out, what it may not write a 403', async () => {
  const { add, ask, patch, search, steer, read } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme', employees: 3 }));
  await steer('access', { object: 'companies', field: 'employees', view: false });
  expect(valuesOf((await read('companies', id)).body)).not.toHaveProperty('employees');
  const fields = (await ask('GET', '/custom-objects/companies/fields')).body;
  expect(fields).toContainEqual(
    expect.objectContaining({ name: 'employees', access: { view: false, edit: true } }),
  );
  await steer('access', { object: 'companies', field: 'name', edit: false });
  expect(await patch('companies', id, { name: 'Other' })).toMatchObject({ status: 403 });
  await steer('access', { object: 'companies', edit: false });
  expect(await patch('companies', id, { customer: true })).toMatchObject({
    status: 403,
    body: { code: 'permission_required' },
  });
  await steer('access', { object: 'companies', view: false });
  expect((await search('companies')).status).toBe(404);
  expect((await ask('GET', '/records/companies/lookup?identifier=Acme')).status).toBe(403);
  const listed = (await ask('GET', '/custom-objects?custom_only=false')).body;
  expect(JSON.stringify(listed)).not.toContain('"companies"');
});

test('a record that is hidden from the key is neither found nor read nor written', async () => {
  const { add, store, search, read, patch } = await kizen();
  const id = idOf(await add('companies', { name: 'Acme' }));
  store.hide('companies', [id]);
  expect((await search('companies')).body).toMatchObject({ count: 0, results: [] });
  expect((await read('companies', id)).status).toBe(404);
  expect((await patch('companies', id, { employees: 1 })).status).toBe(404);
  store.unhide('companies', [id]);
  expect((await read('companies', id)).status).toBe(200);
});
