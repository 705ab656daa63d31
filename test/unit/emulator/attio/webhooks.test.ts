import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { at, attio, idOf } from './client.ts';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Somebody who is told of events; answers with the statuses given, then 200. */
async function listener(...statuses: number[]) {
  const got: { readonly headers: IncomingHttpHeaders; readonly text: string }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      got.push({ headers: request.headers, text });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}/hook`;
  return {
    url,
    got,
    events: () => got.map(({ text }) => at(JSON.parse(text), 'events', 0)),
    has: (count: number) => expect.poll(() => got.length, { timeout: 5_000 }).toBe(count),
  };
}

const to = (url: string, ...types: string[]) => ({
  data: {
    target_url: url,
    subscriptions: types.map((type) => ({ event_type: type, filter: null })),
  },
});

const any = { webhookTargets: 'any' } as const;

test('a delivery tells ids alone, signed over the raw body', async () => {
  const { ask, create, workspaceId } = await attio({ switches: any });
  const { url, got, events, has } = await listener();
  const hook = (await ask('POST', '/webhooks', to(url, 'record.created'))).body;
  const secret = String(at(hook, 'data', 'secret'));
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  const made = await create('companies', { name: 'Acme' });
  await has(1);
  const [{ headers, text } = { headers: {}, text: '' }] = got;
  const signature = createHmac('sha256', secret).update(text).digest('hex');
  expect(headers).toMatchObject({
    'attio-signature': signature,
    'x-attio-signature': signature,
    'idempotency-key': expect.any(String),
  });
  expect(events()).toEqual([
    {
      event_type: 'record.created',
      id: {
        workspace_id: workspaceId,
        object_id: at(made.body, 'data', 'id', 'object_id'),
        record_id: idOf(made),
      },
      actor: { type: 'api-token', id: expect.any(String) },
    },
  ]);
  expect(text).not.toContain('Acme');
});

test('an update is told once for each attribute, and of both ends of a relationship', async () => {
  const { ask, create, put } = await attio({ switches: any });
  const company = idOf(await create('companies', {}));
  const person = idOf(await create('people', {}));
  const { url, events, has } = await listener();
  await ask('POST', '/webhooks', to(url, 'record.updated'));
  const target = { target_object: 'companies', target_record_id: company };
  await put('people', person, { job_title: 'x', company: target });
  await has(3);
  const records = events().map((event) => String(at(event, 'id', 'record_id')));
  expect(records.toSorted()).toEqual([company, person, person].toSorted());
  expect(events()).toEqual(
    events().map(() =>
      expect.objectContaining({
        id: expect.objectContaining({ attribute_id: expect.any(String) }),
      }),
    ),
  );
});

test('a merge is told of each original, under the id of the new record', async () => {
  const { ask, create } = await attio({ switches: any });
  const [one, other] = [idOf(await create('people', {})), idOf(await create('people', {}))];
  const { url, events, has } = await listener();
  await ask('POST', '/webhooks', to(url, 'record.merged', 'record.deleted'));
  const data = { primary_record_id: one, secondary_record_id: other };
  const { body } = await ask('POST', '/objects/people/records/merge', { data });
  await has(2);
  expect(events()).toMatchObject(
    [one, other].map((id) => ({
      id: { record_id: at(body, 'data', 'new_record_id') },
      duplicate_record_id: id,
    })),
  );
});

test('a filter narrows it to an object', async () => {
  const { ask, create } = await attio({ switches: any });
  const made = await create('people', {});
  const { url, events, has } = await listener();
  const field = { field: 'id.object_id', operator: 'equals' };
  const $and = [{ ...field, value: at(made.body, 'data', 'id', 'object_id') }];
  await ask('POST', '/webhooks', {
    data: { target_url: url, subscriptions: [{ event_type: 'record.created', filter: { $and } }] },
  });
  await create('companies', {});
  const person = idOf(await create('people', {}));
  await has(1);
  expect(events()).toMatchObject([{ id: { record_id: person } }]);
});

test('what is not taken is sent again under the same key, until it is', async () => {
  const { ask, create } = await attio({ switches: { ...any, webhookRetryMs: 5 } });
  const { url, got, has } = await listener(500, 204, 202);
  await ask('POST', '/webhooks', to(url, 'record.created'));
  await create('people', {});
  await has(3);
  expect(new Set(got.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
});

test('ten tries in vain, and a webhook counts as degraded', async () => {
  const { ask, create } = await attio({ switches: { ...any, webhookRetryMs: 1 } });
  const { url, has } = await listener(...Array.from({ length: 10 }, () => 500));
  const { body } = await ask('POST', '/webhooks', to(url, 'record.created'));
  const id = String(at(body, 'data', 'id', 'webhook_id'));
  await create('people', {});
  await has(10);
  const status = async () => at((await ask('GET', `/webhooks/${id}`)).body, 'data', 'status');
  await expect.poll(status).toBe('degraded');
});

test('an event can come twice, under one key, and an inactive webhook hears nothing', async () => {
  const { ask, create, adminUrl } = await attio({ switches: { ...any, webhookCopies: 2 } });
  const { url, got, has } = await listener();
  await ask('POST', '/webhooks', to(url, 'record.created'));
  await create('people', {});
  await has(2);
  expect(new Set(got.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  const status = { method: 'POST', body: JSON.stringify({ status: 'inactive' }) };
  await fetch(`${adminUrl}/webhooks`, status);
  await create('people', {});
  expect(at((await ask('GET', '/webhooks')).body, 'data', 0, 'status')).toBe('inactive');
  expect(got).toHaveLength(2);
});

test('the secret shows once; an equal webhook is refused; deleted, it is silent', async () => {
  const { ask, create } = await attio({ switches: any });
  const { url, got } = await listener();
  const { body } = await ask('POST', '/webhooks', to(url, 'record.created'));
  const id = String(at(body, 'data', 'id', 'webhook_id'));
  expect(await ask('POST', '/webhooks', to(url, 'record.created'))).toMatchObject({
    status: 409,
    body: { code: 'uniqueness_conflict' },
  });
  const listed = (await ask('GET', '/webhooks')).body;
  expect(at(listed, 'data', 0)).toMatchObject({ target_url: url, status: 'active' });
  expect(at(listed, 'data', 0)).not.toHaveProperty('secret');
  expect((await ask('PATCH', `/webhooks/${id}`, to(url, 'record.deleted'))).status).toBe(200);
  expect((await ask('DELETE', `/webhooks/${id}`)).body).toEqual({});
  expect((await ask('DELETE', `/webhooks/${id}`)).status).toBe(404);
  await create('people', {});
  expect(got).toEqual([]);
});

test('a webhook needs https, a filter that is named, and a page of ten at least', async () => {
  const { ask } = await attio();
  const refused = { status: 400, body: { validation_errors: [{ code: 'invalid_type' }] } };
  expect(await ask('POST', '/webhooks', to('http://x.example', 'record.created'))).toMatchObject(
    refused,
  );
  const data = {
    target_url: 'https://x.example',
    subscriptions: [{ event_type: 'record.created' }],
  };
  expect(await ask('POST', '/webhooks', { data })).toMatchObject(refused);
  expect(await ask('GET', '/webhooks?limit=5')).toMatchObject(refused);
});
