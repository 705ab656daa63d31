import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Serving } from '../../../../src/emulator/kernel/serve.ts';
import { startToy } from './toy.ts';

let nowMs = Date.UTC(2026, 0, 1);
let serving: Serving;

beforeEach(async () => {
  nowMs = Date.UTC(2026, 0, 1);
  serving = await startToy(() => nowMs);
});

afterEach(() => serving.stop());

async function ask(method: string, path: string, body: unknown = {}, key = 'secret') {
  const response = await fetch(`${serving.origin}${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { 'x-toy-key': key },
  });
  const text = await response.text();
  const told: unknown = text.startsWith('{') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body: told };
}

async function steer(name: string, body: unknown) {
  const response = await fetch(`${serving.adminUrl}/${name}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const told: unknown = await response.json();
  return { status: response.status, body: told };
}

const query = (body: unknown = {}) => ask('POST', '/objects/note/query', body);

test('a CRM of another kind refuses in its own words', async () => {
  expect(await ask('POST', '/objects/note/query', {}, 'wrong')).toMatchObject({
    status: 401,
    body: { status_code: 401, code: 'unauthorized' },
  });
  expect(await ask('POST', '/nowhere')).toMatchObject({
    status: 404,
    body: { code: 'no POST /nowhere' },
  });
  expect(await ask('PATCH', '/objects/note/a', { values: 'x'.repeat(1_000) })).toMatchObject({
    status: 413,
    body: { code: 'too_large' },
  });
});

test('a POST that only reads is counted as a read, and has headers of its own', async () => {
  const read = await query();
  expect(read).toMatchObject({ status: 200, body: { results: [{ id: 'a' }, {}, {}] } });
  expect(read.headers.get('x-score')).toBe('1');
  await ask('PATCH', '/objects/note/a', { values: { text: 'new' } });
  expect(serving.stats()).toMatchObject({
    endpoints: { 'POST /objects/note/query': { requests: 1 } },
    recordsRead: 3,
    loudWrites: 1,
    silentWrites: 0,
  });
});

test('a budget by the second ends with a date to come back at', async () => {
  await steer('switches', { readsPerSecond: 1 });
  expect((await query()).status).toBe(200);
  const refused = await query();
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate' } });
  expect(refused.headers.get('retry-after')).toBe('Thu, 01 Jan 2026 00:00:01 GMT');
  // Writes have a budget of their own.
  expect((await ask('PATCH', '/objects/note/a')).status).toBe(200);
  nowMs += 1_000;
  expect((await query()).status).toBe(200);
});

test('its switches are checked, shown and obeyed', async () => {
  expect((await query({ limit: 11 })).status).toBe(200);
  expect(await steer('switches', { pageOver: 'refuse' })).toMatchObject({
    status: 200,
    body: { pageOver: 'refuse', latencyMs: 0 },
  });
  expect((await query({ limit: 11 })).status).toBe(400);
  expect(await steer('switches', { pageOver: 'grow', readsPerSecond: 1 })).toMatchObject({
    status: 400,
    body: { error: 'pageOver is one of cut, refuse' },
  });
  expect((await query()).status).toBe(200);
});

test('faults speak its language', async () => {
  await steer('faults', [
    { kind: 'status', status: 429, retryAfter: 2, count: 1 },
    { kind: 'status', status: 503, form: 'gateway', count: 1 },
    { kind: 'attribute', attribute: 'stars', value: 5, ids: ['b'], count: 1 },
    { kind: 'partial', keep: 1, count: 1 },
    { kind: 'truncated', count: 1 },
  ]);
  const wait = await query();
  expect(wait).toMatchObject({ status: 429, body: { status_code: 429, code: 'errors' } });
  expect(wait.headers.get('retry-after')).toBe('Thu, 01 Jan 2026 00:00:02 GMT');
  expect(await query()).toMatchObject({ status: 503, body: { code: 'gateway' } });
  expect(await query()).toMatchObject({
    body: { results: [{ values: { stars: 1 } }, { values: { text: 'b', stars: 5 } }, {}] },
  });
  const part = await query();
  expect(part).toMatchObject({ status: 207, body: { results: [{ id: 'a' }] } });
  await expect(query()).rejects.toThrow('terminated');
  expect(serving.stats().faults).toBe(5);
});

test('a write that is carried out in part tells what it left out, as the CRM would', async () => {
  await steer('faults', { kind: 'partial', keep: 0, errors: true });
  expect(await ask('PATCH', '/objects/note/a', { values: { text: 'new' } })).toMatchObject({
    body: { results: [], missing: ['/values/0'] },
  });
});

test('people do in its app what only it has', async () => {
  expect(await steer('forget', { id: 'a' })).toMatchObject({ status: 200 });
  expect(await steer('forget', {})).toMatchObject({ status: 400 });
  const held: unknown = await (await fetch(`${serving.adminUrl}/objects`)).json();
  expect(held).toEqual({ note: 2 });
  const all: unknown = await (await fetch(`${serving.adminUrl}/objects/note`)).json();
  expect(all).toMatchObject({
    data: [
      ['b', {}],
      ['c', {}],
    ],
    meta: { total_records: 2 },
  });
  const overview: unknown = await (await fetch(serving.adminUrl)).json();
  expect(overview).toMatchObject({ POST: ['faults', 'switches', 'forget', 'reset-stats'] });
});
