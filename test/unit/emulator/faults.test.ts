import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../src/emulator/faults.ts';
import { connect, newPerson } from './api-client.ts';

async function withFault(fault: Fault) {
  const connection = await connect();
  connection.emulator.faults.add(fault);
  const create = () =>
    connection.call('POST', '/objects/person/records', { data: newPerson('ann@x.example') });
  return { ...connection, create, created: () => connection.emulator.store.count('person') };
}

describe('instead of an answer', () => {
  test('a 429 says when to come back, in seconds or as a date', async () => {
    const clock = () => Date.parse('2026-03-10T12:00:00.000Z');
    const { emulator, get } = await connect({ clock });
    emulator.faults.add({ kind: 'status', status: 429, retryAfter: 7, count: 1 });
    const date = { retryAfter: 7, retryAfterForm: 'date' } as const;
    emulator.faults.add({ kind: 'status', status: 429, ...date, count: 1 });
    const seconds = await get('/users');
    expect([seconds.status, seconds.headers.get('retry-after')]).toEqual([429, '7']);
    expect(seconds.headers.get('x-ratelimit-limit')).toBe('3000');
    const dated = await get('/users');
    expect(dated.headers.get('retry-after')).toBe('Tue, 10 Mar 2026 12:00:07 GMT');
    expect((await get('/users')).status).toBe(200);
  });

  test('a schema change in progress', async () => {
    const { create, created } = await withFault({ kind: 'status', status: 409, count: 1 });
    const answer = await create();
    expect(answer.body.errors[0]?.detail).toBe('Schema is being modified by another request');
    expect(created()).toBe(0);
    expect((await create()).status).toBe(201);
  });

  test('a status can hide that the write was done', async () => {
    const fault = { kind: 'status', status: 500, applied: true, count: 1 } as const;
    const { create, created } = await withFault(fault);
    expect((await create()).status).toBe(500);
    expect(created()).toBe(1);
  });

  test('the body may be of the form gateways use', async () => {
    const { emulator, get } = await connect();
    emulator.faults.add({ kind: 'status', status: 429, form: 'gateway', retryAfter: 1, count: 1 });
    const answer = await get('/users');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.body).toEqual({
      statusCode: 429,
      message: 'Too many requests',
      error: 'Too Many Requests',
    });
  });

  test('HTML, or nothing at all', async () => {
    const { emulator } = await connect();
    const url = `${emulator.url}/workspaces/demo/users`;
    const headers = { authorization: 'api-key demo-key', 'user-agent': 'test' };
    emulator.faults.add({ kind: 'html', count: 1 });
    const html = await fetch(url, { headers });
    expect([html.status, html.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await html.text()).toContain('<html>');
    emulator.faults.add({ kind: 'empty', status: 200, count: 1 });
    const empty = await fetch(url, { headers });
    expect([empty.status, await empty.text()]).toEqual([200, '']);
  });

  test('a body cut short, or broken JSON, after the write was done', async () => {
    for (const kind of ['truncated', 'malformed'] as const) {
      const { create, created } = await withFault({ kind, count: 1 });
      await expect(create()).rejects.toThrow(kind === 'malformed' ? /JSON/ : 'terminated');
      expect(created()).toBe(1);
    }
  });
});

describe('the connection', () => {
  test.each([
    ['reset-before-write', 0],
    ['reset-after-write', 1],
  ] as const)('%s', async (kind, count) => {
    const { create, created } = await withFault({ kind, count: 1 });
    await expect(create()).rejects.toThrow('fetch failed');
    expect(created()).toBe(count);
  });

  test('no answer comes until the client gives up', async () => {
    for (const applied of [true, false]) {
      const { emulator, created } = await withFault({ kind: 'timeout', applied });
      const given = new AbortController();
      const sent = fetch(`${emulator.url}/workspaces/demo/objects/person/records`, {
        method: 'POST',
        headers: { authorization: 'api-key demo-key', 'user-agent': 'test' },
        body: JSON.stringify({ data: newPerson('ann@x.example') }),
        signal: given.signal,
      });
      const outcome = sent.then(
        () => 'answered',
        () => 'gave up',
      );
      await waitFor(() => emulator.faults.list()[0]?.hits === 1);
      expect(emulator.stats().requests).toBe(0);
      given.abort();
      expect(await outcome).toBe('gave up');
      await waitFor(() => emulator.stats().requests === 1);
      expect(created()).toBe(applied ? 1 : 0);
    }
  });

  test('an answer that comes late comes whole', async () => {
    const { create } = await withFault({ kind: 'slow', ms: 15 });
    const startedMs = performance.now();
    expect((await create()).status).toBe(201);
    expect(performance.now() - startedMs).toBeGreaterThan(10);
  });
});

describe('which requests', () => {
  test('by method and path, from the n-th on, so many times', async () => {
    const { emulator, get, call } = await connect();
    emulator.faults.add({
      kind: 'status',
      status: 503,
      method: 'GET',
      path: 'person/resources\\?.*limit',
      after: 1,
      count: 2,
    });
    const list = async () => (await get('/objects/person/resources', { 'page[limit]': 1 })).status;
    expect((await get('/objects/deal/resources', { 'page[limit]': 1 })).status).toBe(200);
    expect((await call('GET', '/objects/person/resources')).status).toBe(200);
    expect([await list(), await list(), await list(), await list()]).toEqual([200, 503, 503, 200]);
    expect(emulator.faults.list()).toMatchObject([{ id: 1, hits: 2 }]);
    expect(emulator.stats().faults).toBe(2);
  });

  test('with a probability, the same ones for the same seed', async () => {
    const statuses = async () => {
      const { emulator, get } = await connect({ seed: 'faults' });
      emulator.faults.add({ kind: 'status', status: 500, probability: 0.5 });
      const seen: number[] = [];
      for (let i = 0; i < 20; i += 1) seen.push((await get('/users')).status);
      return seen;
    };
    const first = await statuses();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await statuses()).toEqual(first);
  });

  test('cleared by id, or all', async () => {
    const { emulator, get } = await connect();
    const { faults } = emulator;
    const first = faults.add({ kind: 'status', status: 500 });
    faults.add({ kind: 'status', status: 502 });
    faults.clear(first);
    expect((await get('/users')).status).toBe(502);
    faults.clear();
    expect((await get('/users')).status).toBe(200);
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition did not come true');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
