import { expect, test } from 'vitest';
import { at, brevo, NOON } from './client.ts';

const limits = ({ headers }: { readonly headers: Headers }) =>
  ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-sib-ratelimit-${name}`));

test('an account says what identifies it, and neither zone nor form of dates', async () => {
  const { get, organizationId } = await brevo();
  const { status, body } = await get('/account');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    organization_id: organizationId,
    user_id: expect.any(Number),
    enterprise: true,
    companyName: 'Demo',
    email: 'owner@demo.example',
    plan: [{ credits: expect.any(Number) }],
    relay: { enabled: true },
  });
  expect(typeof at(body, 'organization_id')).toBe('string');
  expect(JSON.stringify(body)).not.toMatch(/zone|date/i);
});

test('the key goes in api-key, a token of an app as Bearer', async () => {
  const { ask, apiKey, revoke } = await brevo();
  const bearer = await ask('GET', '/account', undefined, {
    'api-key': '',
    authorization: `Bearer ${apiKey}`,
  });
  expect(bearer.status).toBe(401);
  const plain = { authorization: `Bearer ${apiKey}` };
  expect((await fetchWith(await brevo(), plain)).status).toBe(200);
  revoke();
  expect(await ask('GET', '/account')).toMatchObject({
    status: 401,
    body: { code: 'unauthorized', message: expect.any(String) },
  });
});

function fetchWith({ url }: { readonly url: string }, headers: Record<string, string>) {
  return fetch(`${url}/account`, { headers });
}

test('what is not there is 404, and a method that is not 405', async () => {
  const { get, remove, ask } = await brevo();
  expect(await get('/nowhere')).toMatchObject({
    status: 404,
    body: { message: expect.any(String) },
  });
  expect(await remove('/account')).toMatchObject({
    status: 405,
    body: { code: 'method_not_allowed' },
  });
  expect(await get('/processes/7')).toMatchObject({
    status: 404,
    body: { code: 'document_not_found' },
  });
  expect(await ask('POST', '/contacts', [])).toMatchObject({ status: 400 });
});

test('a hundred requests in an hour for all but contacts, told in every answer', async () => {
  let ms = 0;
  const { get, switches, stats } = await brevo({
    monotonicMs: () => ms,
    switches: { othersPerHour: 3, contactsPerSecond: 2, contactsPerHour: 5 },
  });
  expect(limits(await get('/account'))).toEqual(['3', '2', '3600']);
  ms = 600_500;
  expect(limits(await get('/companies'))).toEqual(['3', '1', '3000']);
  expect(limits(await get('/objects/vehicle/records?limit=1&page_num=1'))).toEqual([
    '3',
    '0',
    '3000',
  ]);
  const refused = await get('/processes');
  expect(refused.status).toBe(429);
  expect(at(refused.body, 'code')).toBeUndefined();
  expect(limits(refused)).toEqual(['3', '0', '3000']);
  expect(refused.headers.get('retry-after')).toBeNull();
  expect((await get('/contacts')).status).toBe(200);
  ms = 3_600_000;
  expect(limits(await get('/account'))).toEqual(['3', '2', '3600']);
  switches.othersPerHour = 10;
  expect(limits(await get('/account'))).toEqual(['10', '8', '3600']);
  expect(stats().buckets).toMatchObject({
    contacts: { requests: 1 },
    others: { requests: 6, byStatus: { 200: 5, 429: 1 } },
  });
});

test('contacts have two windows, and both hold', async () => {
  let ms = 0;
  const { get, switches } = await brevo({
    monotonicMs: () => ms,
    switches: { contactsPerSecond: 2, contactsPerHour: 3 },
  });
  expect(limits(await get('/contacts'))).toEqual(['2', '1', '1']);
  expect((await get('/contacts/attributes')).status).toBe(200);
  expect((await get('/contacts/lists')).status).toBe(429);
  ms = 1_000;
  expect((await get('/contacts')).status).toBe(200);
  expect((await get('/contacts')).status).toBe(429);
  switches.headersTell = 'hour';
  expect(limits(await get('/contacts'))).toEqual(['3', '0', '3599']);
  switches.headersTell = 'scarcer';
  expect(limits(await get('/contacts'))).toEqual(['3', '0', '3599']);
  expect((await get('/account')).status).toBe(200);
});

test('others spend from the same account', async () => {
  const { get, admin } = await brevo({ switches: { othersPerHour: 5 } });
  await admin('spend', { path: '/crm/deals', requests: 4 });
  expect((await get('/companies')).status).toBe(200);
  expect((await get('/companies')).status).toBe(429);
});

test('without a plan for it an object is 403, without credits a contact 402', async () => {
  const { get, post, admin } = await brevo();
  await admin('account', { plan: 'starter', credits: false });
  expect(await get('/objects/vehicle/records?limit=1&page_num=1')).toMatchObject({
    status: 403,
    body: { code: 'permission_denied' },
  });
  expect((await post('/contacts', { email: 'a@b.example' })).status).toBe(402);
  await admin('account', { plan: 'professional', credits: true });
  expect((await get('/objects/vehicle/records?limit=1&page_num=1')).status).toBe(200);
});

test('faults speak the language of the API, and a wait is told in its headers', async () => {
  const { get, faults, store } = await brevo({ clock: () => NOON });
  store.create('contacts', { EMAIL: 'ada@mail.example', FIRSTNAME: 'Ada' });
  faults.add({ kind: 'status', status: 429, retryAfter: 7, count: 1 });
  const wait = await get('/contacts');
  expect(limits(wait).slice(1)).toEqual(['0', '7']);
  expect(wait.headers.get('retry-after')).toBeNull();
  faults.add({ kind: 'attribute', attribute: 'FIRSTNAME', count: 1 });
  expect(at((await get('/contacts')).body, 'contacts', 0, 'attributes')).toEqual({});
  faults.add({ kind: 'attribute', attribute: 'FIRSTNAME', value: 'Eve', ids: ['1'], count: 1 });
  expect(at((await get('/contacts')).body, 'contacts', 0, 'attributes')).toEqual({
    FIRSTNAME: 'Eve',
  });
});
