import { expect, test } from 'vitest';
import { at, brevo, column, NOON } from './client.ts';

const items = (told: { readonly body: unknown }) => at(told.body, 'items');
const ids = (told: { readonly body: unknown }) => column(items(told), 'id');

test('attributes of companies and deals are bare lists, at an older address too', async () => {
  const { get } = await brevo();
  const companies = (await get('/crm/attributes/companies')).body;
  expect(companies).toEqual(
    expect.arrayContaining([
      {
        internalName: 'industry',
        label: 'Industry',
        attributeTypeName: 'single-select',
        attributeOptions: expect.arrayContaining([{ key: 'food', value: 'Food' }]),
        isRequired: false,
        isValueReadonly: false,
      },
      expect.objectContaining({ internalName: 'name', isRequired: true }),
      expect.objectContaining({ internalName: 'last_updated_at', isValueReadonly: true }),
    ]),
  );
  expect((await get('/companies/attributes')).body).toEqual(companies);
  expect(column((await get('/crm/attributes/deals')).body, 'internalName')).toEqual(
    expect.arrayContaining(['deal_name', 'deal_owner', 'amount', 'pipeline', 'deal_stage']),
  );
});

test('a company has an id of 24 digits, nothing unique, and times in the zone of the account', async () => {
  const { post, get } = await brevo({ clock: () => NOON });
  expect(await post('/companies', { attributes: { domain: 'acme.example' } })).toMatchObject({
    status: 400,
    body: { code: 'missing_parameter' },
  });
  const body = {
    name: 'Acme',
    attributes: { industry: 'food', phone_number: 612 },
    countryCode: 33,
  };
  const made = await post('/companies', body);
  const id = String(at(made.body, 'id'));
  expect(id).toMatch(/^[0-9a-f]{24}$/);
  expect((await post('/companies', body)).status).toBe(201);
  expect((await get(`/companies/${id}`)).body).toEqual({
    id,
    attributes: {
      name: 'Acme',
      industry: 'food',
      phone_number: 612,
      number_of_contacts: 0,
      created_at: '2026-06-01T14:00:00.000+02:00',
      last_updated_at: '2026-06-01T14:00:00.000+02:00',
    },
    linkedContactsIds: [],
    linkedDealsIds: [],
  });
  expect(await get('/companies/66ffffffffffffffffffffff')).toMatchObject({
    status: 404,
    body: { message: 'Document not found' },
  });
  expect((await get('/companies/1')).status).toBe(400);
});

test('companies by page from 1, deals by offset, newest first, until a page is empty', async () => {
  const { get, store, switches } = await brevo();
  const companies: unknown[] = [];
  const deals: unknown[] = [];
  for (let i = 0; i < 60; i += 1) {
    companies.unshift(store.create('companies', { name: `C${i}` }));
    deals.unshift(store.create('deals', { deal_name: `D${i}` }));
  }
  const first = await get('/companies');
  expect(ids(first)).toEqual(companies.slice(0, 50));
  expect(first.body).not.toHaveProperty('count');
  expect(ids(await get('/companies?limit=40&page=2'))).toEqual(companies.slice(40));
  expect(ids(await get('/companies?limit=40&page=3'))).toEqual([]);
  expect((await get('/companies?page=0')).status).toBe(400);
  switches.crmPageMax = 20;
  expect(ids(await get('/companies'))).toEqual(companies.slice(0, 20));
  expect((await get('/companies?limit=21')).status).toBe(400);
  switches.limitOver = 'cut';
  expect(ids(await get('/companies?limit=60&page=2'))).toEqual(companies.slice(20, 40));
  expect(ids(await get('/crm/deals?limit=40&offset=40'))).toEqual(deals.slice(40));
  expect(ids(await get('/crm/deals?limit=2&sort=asc'))).toEqual(deals.slice(-2).toReversed());
  expect(ids(await get('/companies?limit=1&sort=asc&sortBy=name'))).toEqual([companies.at(-1)]);
  expect((await get('/companies?sortBy=nothing')).status).toBe(400);
});

test('filters by attribute and by link', async () => {
  const { get, store } = await brevo();
  const contact = store.create('contacts', { EMAIL: 'a@mail.example' });
  const one = store.create('companies', { name: 'One' }, { links: { contacts: [contact] } });
  store.create('companies', { name: 'Two' });
  const deal = store.create('deals', { deal_name: 'Deal' }, { links: { companies: [one] } });
  expect(ids(await get('/companies?filters%5Battributes.name%5D=One'))).toEqual([one]);
  expect(ids(await get('/companies?linkedContactsIds=1'))).toEqual([one]);
  expect(ids(await get(`/crm/deals?filters[linkedCompaniesIds]=${one}`))).toEqual([deal]);
  expect((await get('/companies?filters[attributes.nothing]=1')).status).toBe(400);
});

test('a PATCH changes what is sent, answers the company, and nothing of a deal', async () => {
  let now = NOON;
  const { patch, get, store } = await brevo({ clock: () => now });
  const company = store.create('companies', { name: 'Acme', industry: 'food', revenue: 5 });
  const deal = store.create('deals', { deal_name: 'Deal' });
  now += 1_000;
  const changed = await patch(`/companies/${company}`, {
    attributes: { revenue: 7, industry: '' },
  });
  expect(changed).toMatchObject({ status: 200, body: { id: company } });
  expect(at(changed.body, 'attributes')).toEqual({
    name: 'Acme',
    revenue: 7,
    number_of_contacts: 0,
    created_at: '2026-06-01T14:00:00.000+02:00',
    last_updated_at: '2026-06-01T14:00:01.000+02:00',
  });
  expect(await patch(`/crm/deals/${deal}`, { name: 'Better' })).toMatchObject({
    status: 204,
    body: undefined,
  });
  expect((await get(`/crm/deals/${deal}`)).body).toMatchObject({
    attributes: {
      deal_name: 'Better',
      created_at: '2026-06-01T12:00:00.000Z',
      last_updated_date: '2026-06-01T12:00:01.000Z',
    },
  });
  expect((await patch(`/companies/${company}`, { attributes: { revenue: 'much' } })).status).toBe(
    400,
  );
});

test('linked ids in a PATCH are all there are; link-unlink changes single ones', async () => {
  const { patch, get, post, store } = await brevo();
  for (const name of ['a', 'b', 'c']) store.create('contacts', { EMAIL: `${name}@mail.example` });
  const made = await post('/companies', { name: 'Acme', linkedContactsIds: [1, 2] });
  const id = String(at(made.body, 'id'));
  const deal = String(
    at((await post('/crm/deals', { name: 'Deal', linkedCompaniesIds: [id] })).body, 'id'),
  );
  const links = async () => (await get(`/companies/${id}`)).body;
  expect(await links()).toMatchObject({
    linkedContactsIds: [1, 2],
    linkedDealsIds: [deal],
    attributes: { number_of_contacts: 2 },
  });
  await patch(`/companies/${id}`, { linkedContactsIds: [3] });
  expect(await links()).toMatchObject({ linkedContactsIds: [3], linkedDealsIds: [deal] });
  const single = { linkContactIds: [1], unlinkContactIds: [3], unlinkDealsIds: [deal] };
  expect((await patch(`/companies/link-unlink/${id}`, single)).status).toBe(204);
  expect(await links()).toMatchObject({ linkedContactsIds: [1], linkedDealsIds: [] });
  await patch(`/crm/deals/link-unlink/${deal}`, { linkCompanyIds: [id], linkContactIds: [2] });
  expect((await get(`/crm/deals/${deal}`)).body).toMatchObject({
    linkedCompaniesIds: [id],
    linkedContactsIds: [2],
  });
  store.delete('contacts', '1');
  expect(await links()).toMatchObject({ linkedContactsIds: [] });
});

test('a deleted company is 404, and its deals know it no more', async () => {
  const { remove, get, store } = await brevo();
  const id = store.create('companies', { name: 'Acme' });
  const deal = store.create('deals', { deal_name: 'Deal' }, { links: { companies: [id] } });
  expect((await remove(`/companies/${id}`)).status).toBe(204);
  expect((await remove(`/companies/${id}`)).status).toBe(404);
  expect((await get(`/crm/deals/${deal}`)).body).toMatchObject({ linkedCompaniesIds: [] });
});

test('a move names pipeline and stage, both', async () => {
  let now = NOON;
  const { get, post, patch, admin } = await brevo({ clock: () => now });
  const { body: pipelines } = await get('/crm/pipeline/details/all');
  expect(pipelines).toMatchObject([
    {
      pipeline_name: 'Sales',
      stages: expect.arrayContaining([{ id: expect.any(String), name: 'Won' }]),
    },
    { pipeline_name: 'Partners' },
  ]);
  const [pipeline, stage] = [at(pipelines, 0, 'pipeline'), at(pipelines, 0, 'stages', 3, 'id')];
  const made = await post('/crm/deals', { name: 'Deal' });
  const id = String(at(made.body, 'id'));
  expect((await get(`/crm/deals/${id}`)).body).toMatchObject({
    attributes: { pipeline, deal_stage: at(pipelines, 0, 'stages', 0, 'id') },
  });
  now += 1_000;
  const alone = { attributes: { deal_stage: stage } };
  expect((await patch(`/crm/deals/${id}`, alone)).status).toBe(400);
  const foreign = { pipeline: at(pipelines, 1, 'pipeline'), deal_stage: stage };
  expect((await patch(`/crm/deals/${id}`, { attributes: foreign })).status).toBe(400);
  const move = { attributes: { pipeline, deal_stage: stage } };
  expect((await patch(`/crm/deals/${id}`, move)).status).toBe(204);
  expect((await get(`/crm/deals/${id}`)).body).toMatchObject({
    attributes: { deal_stage: stage, stage_updated_at: '2026-06-01T12:00:01.000Z' },
  });
  await admin('stage', { pipeline, stage, name: 'Signed' });
  expect(at((await get(`/crm/pipeline/details/${String(pipeline)}`)).body, 0, 'stages', 3)).toEqual(
    {
      id: stage,
      name: 'Signed',
    },
  );
});
