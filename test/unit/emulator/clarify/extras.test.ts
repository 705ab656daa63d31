import { expect, test } from 'vitest';
import { SAMPLE_CAMPAIGN } from '../../../../src/emulator/clarify/sample-data/fill-extras.ts';
import { connect } from './api-client.ts';

const sizes = { company: 12, person: 30, deal: 40, task: 0, meeting: 0, message: 0, c_project: 0 };

test('lists: the dynamic ones where asked for, members as whole records, and as CSV', async () => {
  const { call, get, emulator } = await connect({ sizes });
  const [fixed] = (await get('/lists')).body.data;
  expect(fixed?.attributes).toMatchObject({ type: 'static', entity: 'company' });
  const [dynamic] = (await get('/lists', { 'filter[type]': 'dynamic' })).body.data;
  expect(dynamic?.attributes).toMatchObject({ type: 'dynamic', entity: 'deal' });
  expect((await get('/objects/deal/lists')).body.data).toEqual([dynamic]);

  const path = `/objects/company/lists/${fixed?.id}`;
  const members = await get(`${path}/resources`, { 'page[limit]': 4, include: 'people' });
  expect(members.body.meta.total_records).toBe(10);
  expect(members.body.data[0]).toMatchObject({ type: 'company', attributes: { domains: {} } });
  expect(members.body.included).toEqual(expect.any(Array));
  const stages = await get(`/objects/deal/lists/${dynamic?.id}/resources`);
  const inStage = emulator.store
    .all('deal')
    .filter(({ attributes }) => attributes.stage === 'Negotiation');
  expect(stages.body.meta.total_records).toBe(inStage.length);

  const csv = await fetch(`${emulator.url}/workspaces/demo${path}/rows/csv`, {
    method: 'POST',
    headers: { authorization: 'api-key demo-key', 'user-agent': 'test' },
  });
  expect([csv.status, csv.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
  const rows = (await csv.text()).trim().split('\r\n');
  expect(rows[0]).toMatch(/^_id,name,domains,/);
  expect(rows).toHaveLength(11);
  expect((await call('GET', '/objects/deal/lists/unknown')).status).toBe(404);
});

test('comments are flat, repeatable by their id, and named by activities alone', async () => {
  const { call, get, emulator } = await connect();
  const person = emulator.store.create('person', {});
  const _id = '872aced7-8f28-4bc8-9c2b-2602cb943c0d';
  const message = [{ type: 'paragraph', content: [{ type: 'text', text: 'Hello' }] }];
  const body = { _id, message, owner_id: person, entity: 'person' };
  const made = await call('POST', '/comments', body);
  expect([made.status, made.body]).toMatchObject([201, { _id, owner_id: person, message }]);
  expect((await call('POST', '/comments', { ...body, message: [] })).text).toBe(made.text);
  const feed = await get(`/objects/person/records/${person}/activities`);
  expect(feed.body.data[0]?.attributes.data).toMatchObject([{ object: { _id } }]);
  const changed = await call('PATCH', `/comments/${_id}`, { message: [] });
  expect([changed.status, changed.body]).toMatchObject([200, { message: [] }]);
  expect((await call('DELETE', `/comments/${_id}`)).status).toBe(200);
  expect((await get(`/comments/${_id}`)).status).toBe(404);
  expect((await call('POST', '/comments', { ...body, _id: 'mine' })).status).toBe(422);
  expect((await call('POST', '/comments', { message: 'Hello' })).body.errors).toHaveLength(3);
  expect((await call('POST', '/comments', { ...body, owner_id: 'nobody' })).status).toBe(404);
});

test('settings by key, workflows by type, recipients of a campaign, attachments', async () => {
  const { get, emulator } = await connect({ sizes });
  expect((await get('/settings/closedWonDealStage')).body).toEqual({ value: 'Won' });
  expect((await get('/settings')).body).toMatchObject({ fiscalYearOffset: 0 });
  expect((await get('/settings/nothing')).status).toBe(404);
  expect((await get('/workflows')).body.meta.total_records).toBe(2);
  const scheduled = await get('/workflows', { 'filter[type]': 'schedule' });
  expect(scheduled.body.data).toMatchObject([{ type: 'workflow', attributes: {} }]);
  const recipients = await get(`/campaigns/${SAMPLE_CAMPAIGN}/recipients`, { 'page[limit]': 1 });
  expect(recipients.body.data[0]?.attributes).toMatchObject({
    opened: true,
    clicked: true,
    replied: true,
  });
  expect((await get('/campaigns/unknown/recipients')).status).toBe(404);
  const [first = '', second = ''] = emulator.store.ids('company');
  const attachments = async (id: string) =>
    (await get(`/objects/company/records/${id}/attachments`)).body.data;
  expect(await attachments(first)).toMatchObject([
    { _id: expect.any(String), name: 'Brief.pdf', mime_type: 'application/pdf' },
  ]);
  expect(await attachments(second)).toEqual([]);
});
