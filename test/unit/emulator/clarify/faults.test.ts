import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../../src/emulator/kernel/faults.ts';
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

describe('an answer that says too little', () => {
  const people = ['ann', 'bob', 'cid', 'dan'].map((name) => newPerson(`${name}@x.example`));
  async function withPeople(fault: Fault) {
    const connection = await connect();
    const { body } = await connection.call('POST', '/objects/person/records/bulk', {
      data: people,
    });
    connection.emulator.faults.add(fault);
    const titles = () =>
      connection.emulator.store.all('person').map(({ attributes }) => attributes.job_title);
    const patch = () =>
      connection.call('PATCH', '/objects/person/records', {
        data: body.data.map(({ type, id }) => ({ type, id, attributes: { job_title: 'Chief' } })),
      });
    return { ...connection, ids: body.data.map(({ id }) => id), titles, patch };
  }

  test('207 with part of the records, the others not carried out', async () => {
    const { patch, titles, ids } = await withPeople({ kind: 'partial', keep: 1, errors: true });
    const answer = await patch();
    expect([answer.status, answer.body.data.map(({ id }) => id)]).toEqual([207, [ids[0]]]);
    expect(answer.body.errors.map(({ source }) => source?.pointer)).toEqual([
      '/data/1',
      '/data/2',
      '/data/3',
    ]);
    expect(titles()).toEqual(['Chief', null, null, null]);
  });

  test('part of the records, all carried out, and half a page', async () => {
    const { patch, titles, get } = await withPeople({
      kind: 'partial',
      status: 200,
      applied: true,
    });
    const answer = await patch();
    expect([answer.status, answer.body.data.length]).toEqual([200, 2]);
    expect(titles()).toEqual(['Chief', 'Chief', 'Chief', 'Chief']);
    expect((await get('/objects/person/resources')).body.data).toHaveLength(2);
  });

  test('nothing of a bulk delete, or of one record', async () => {
    const { call, ids, emulator } = await withPeople({ kind: 'partial', keep: 0 });
    const bulk = await call('DELETE', '/objects/person/records', { items: ids });
    expect([bulk.status, bulk.body.data]).toEqual([207, []]);
    const one = await call('PATCH', `/objects/person/records/${ids[0]}`, { data: people[0] });
    expect([one.status, one.body.data]).toEqual([207, []]);
    expect(emulator.store.count('person')).toBe(4);
  });

  test('word for word: 200 with errors, 200 with no data, a page of a firewall', async () => {
    const { emulator, get } = await connect();
    const errors = [{ status: '422', title: 'Invalid input', detail: 'no' }];
    emulator.faults.add({ kind: 'answer', status: 200, body: { errors }, count: 1 });
    emulator.faults.add({ kind: 'answer', status: 200, body: { data: [] }, count: 1 });
    emulator.faults.add({ kind: 'html', status: 403, count: 1 });
    expect(await get('/users')).toMatchObject({ status: 200, body: { errors } });
    expect(await get('/users')).toMatchObject({ status: 200, body: { data: [] } });
    const url = `${emulator.url}/workspaces/demo/users`;
    const page = await fetch(url, { headers: { 'user-agent': 'test' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html']);
    expect(await page.text()).toContain('403 Forbidden');
  });

  test('a word-for-word answer may come with headers, after the write', async () => {
    const { create, created } = await withFault({
      kind: 'answer',
      status: 200,
      body: '<p>wait</p>',
      contentType: 'text/plain',
      headers: { 'retry-after': '3600' },
      applied: true,
      count: 1,
    });
    await expect(create()).rejects.toThrow('JSON');
    expect(created()).toBe(1);
  });

  test('records with an attribute that cannot be read, or without it', async () => {
    const { emulator, get, ids } = await withPeople({
      kind: 'attribute',
      attribute: '_updated_at',
      value: 'yesterday',
      count: 1,
    });
    const times = async () => {
      const { body } = await get('/objects/person/resources');
      return body.data.map(({ attributes }) => attributes._updated_at);
    };
    expect(await times()).toEqual(['yesterday', 'yesterday', 'yesterday', 'yesterday']);
    emulator.faults.add({ kind: 'attribute', attribute: '_updated_at', ids: ids.slice(0, 1) });
    const [first, second] = await times();
    expect([first, typeof second]).toEqual([undefined, 'string']);
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

  test('by what is in the body', async () => {
    const { create } = await withFault({ kind: 'status', status: 500, requestBody: 'ann@' });
    expect((await create()).status).toBe(500);
    const other = await withFault({ kind: 'status', status: 500, requestBody: 'bob@' });
    expect((await other.create()).status).toBe(201);
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
