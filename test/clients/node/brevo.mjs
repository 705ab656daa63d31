import { BrevoClient } from '@getbrevo/brevo';

// Every call of the vendor's client that the emulator has, with what has to be in the answer: the
// client itself checks none.

const { API_URL: baseUrl } = process.env;
const sdk = new BrevoClient({ apiKey: 'demo-key', baseUrl, maxRetries: 0 });
const { contacts, companies, deals, customObjects, process: processes, webhooks } = sdk;
let right = 0;
const wrong = {};
async function see(name, call, expected = () => true) {
  try {
    const answer = await call();
    if (!expected(answer)) throw new Error(`unexpected: ${JSON.stringify(answer)}`);
    right += 1;
    return answer;
  } catch (error) {
    wrong[name] = String(error.message ?? error).slice(0, 600);
  }
}

await see(
  'account',
  () => sdk.account.getAccount(),
  (a) => a.organization_id,
);

const mail = 'ts@clients.example';
const since = '2026-01-01T00:00:00.000Z';
await see(
  'attributes',
  () => contacts.getAttributes(),
  (a) => a.attributes.length > 10,
);
await see(
  'contacts',
  () => contacts.getContacts({ limit: 30, sort: 'asc' }),
  (a) => a.contacts.length === 30,
);
await see(
  'contacts since',
  () => contacts.getContacts({ modifiedSince: since, createdSince: since }),
  (a) => a.count > 0 && a.count < 40,
);
await see(
  'contacts by ids',
  () => contacts.getContacts({ ids: [1, 2] }),
  (a) => a.count === 2,
);
await see(
  'contacts by lists',
  () => contacts.getContacts({ listIds: [1, 2] }),
  (a) => a.count > 0,
);
const made = await see('create', () =>
  contacts.createContact({
    email: mail,
    ext_id: 'ts-1',
    attributes: { FIRSTNAME: 'Ts', SMS: '+33698765433', SCORE: 1.5, INTERESTS: ['Music'] },
    listIds: [1],
    emailBlacklisted: true,
  }),
);
await see(
  'contacts by attribute',
  () => contacts.getContacts({ filter: 'equals(FIRSTNAME,"Ts")' }),
  (a) => a.contacts[0].id === made.id,
);
await see('create again', () => contacts.createContact({ email: mail }));
await see('create or update', () => contacts.createContact({ email: mail, updateEnabled: true }));
for (const [identifierType, identifier] of [
  ['contact_id', made.id],
  ['email_id', mail],
  ['ext_id', 'ts-1'],
  ['phone_id', '+33698765433'],
]) {
  await see(
    `contact by ${identifierType}`,
    () => contacts.getContactInfo({ identifier, identifierType }),
    (a) => a.id === made.id && a.emailBlacklisted && a.listIds[0] === 1,
  );
}
await see('update', () =>
  contacts.updateContact({
    identifier: made.id,
    identifierType: 'contact_id',
    ext_id: 'ts-2',
    attributes: { EMAIL: 'ts2@clients.example', NEWSLETTER: true },
    unlinkListIds: [1],
    listIds: [2],
  }),
);
await see(
  'updated',
  () => contacts.getContactInfo({ identifier: 'ts-2', identifierType: 'ext_id' }),
  (a) => a.email === 'ts2@clients.example' && !a.emailBlacklisted && a.listIds[0] === 2,
);
await see('batch', () => contacts.updateBatchContacts({ contacts: [] }));

await see(
  'lists',
  () => contacts.getLists({ limit: 5, sort: 'asc' }),
  (a) => a.count === 3,
);
await see(
  'lists of a folder',
  () => contacts.getFolderLists({ folderId: 1 }),
  (a) => a.count === 3,
);
const { id: listId } = await see('list create', () =>
  contacts.createList({ folderId: 1, name: 'Ts' }),
);
await see(
  'list',
  () => contacts.getList({ listId }),
  (a) => a.name === 'Ts',
);
await see('list update', () => contacts.updateList({ listId, name: 'Ts 2' }));
await see(
  'list add',
  () => contacts.addContactToList({ listId, body: { emails: ['ts2@clients.example'] } }),
  (a) => a.contacts.success.length === 1,
);
await see(
  'list members',
  () => contacts.getContactsFromList({ listId }),
  (a) => a.contacts[0].id === made.id,
);
await see(
  'list remove',
  () => contacts.removeContactFromList({ listId, body: { ids: [made.id] } }),
  (a) => a.contacts.total === 1,
);
const { processId } = await see('import', () =>
  contacts.importContacts({
    jsonBody: [{ email: 'in@clients.example', attributes: { FIRSTNAME: 'In' } }, { email: 'none' }],
    listIds: [listId],
  }),
);
await see(
  'import done',
  () => processes.getProcess({ processId }),
  (a) => a.status === 'completed' && a.info.import.invalid_emails !== null,
);
await see('list delete', () => contacts.deleteList({ listId }));

await see(
  'company attributes',
  () => companies.getCompanyAttributes(),
  (a) => a.length > 5,
);
const { id } = await see('company create', () =>
  companies.createACompany({
    name: 'Ts',
    attributes: { industry: 'food', phone_number: 698765432 },
    countryCode: 33,
    linkedContactsIds: [1],
  }),
);
await see(
  'company',
  () => companies.getACompany({ id }),
  (a) => a.linkedContactsIds[0] === 1,
);
await see(
  'companies',
  () => companies.getAllCompanies({ page: 1, limit: 3 }),
  (a) => a.items.length === 3,
);
await see(
  'companies by name',
  () => companies.getAllCompanies({ 'filters[attributes.name]': 'Ts' }),
  (a) => a.items.length === 1,
);
await see(
  'companies by link',
  () => companies.getAllCompanies({ linkedContactsIds: 1 }),
  (a) => a.items.length > 0,
);
await see(
  'companies since',
  () => companies.getAllCompanies({ modifiedSince: since, sort: 'asc', sortBy: 'name' }),
  (a) => a.items.length > 1,
);
await see(
  'company update',
  () => companies.updateACompany({ id, attributes: { revenue: 5 }, linkedContactsIds: [2] }),
  (a) => a.linkedContactsIds[0] === 2,
);

await see(
  'deal attributes',
  () => deals.getDealAttributes(),
  (a) => a.length > 5,
);
const pipelines = await see(
  'pipelines',
  () => deals.getAllPipelines(),
  (a) => a.length === 2,
);
const [{ pipeline, stages }] = pipelines;
await see(
  'pipeline',
  () => deals.getAPipeline({ pipelineID: pipeline }),
  (a) => a[0].pipeline_name === 'Sales',
);
const { id: dealId } = await see('deal create', () =>
  deals.createADeal({
    name: 'Ts',
    attributes: { amount: 5.5, pipeline, deal_stage: stages[2].id },
    linkedCompaniesIds: [id],
  }),
);
await see(
  'deal',
  () => deals.getADeal({ id: dealId }),
  (a) => a.attributes.amount === 5.5,
);
await see(
  'deals',
  () => deals.getAllDeals({ offset: 1, limit: 3 }),
  (a) => a.items.length === 3,
);
await see(
  'deals by stage',
  () =>
    deals.getAllDeals({
      'filters[attributes.deal_name]': 'Ts',
      'filters[attributes.deal_stage]': stages[2].id,
      'filters[attributes.pipeline]': pipeline,
      'filters[linkedCompaniesIds]': id,
    }),
  (a) => a.items.length === 1 && a.items[0].id === dealId,
);
await see('deal update', () =>
  deals.updateADeal({ id: dealId, attributes: { pipeline, deal_stage: stages[3].id } }),
);
await see('deal links', () =>
  deals.linkAndUnlinkADealWithContactsAndCompanies({
    id: dealId,
    linkContactIds: [4],
    unlinkCompanyIds: [id],
  }),
);
await see('company links', () =>
  companies.linkAndUnlinkCompanyWithContactAndDeal({
    id,
    linkContactIds: [5],
    unlinkContactIds: [2],
    linkDealsIds: [dealId],
  }),
);
await see(
  'deal linked',
  () => deals.getADeal({ id: dealId }),
  (a) => a.linkedContactsIds[0] === 4 && a.linkedCompaniesIds[0] === id,
);

const vehicle = { object_type: 'vehicle' };
const job = await see('upsert', () =>
  customObjects.upsertrecords({
    ...vehicle,
    records: [1, 2].map((n) => ({
      identifiers: { ext_id: `ts-${n}` },
      attributes: { plate: `TS-${n}`, colour: 'red', features: ['sunroof'] },
      associations: [
        { object_type: 'contact', action: 'link', records: [{ identifiers: { id: made.id } }] },
        { object_type: 'company', records: [{ identifiers: { ext_id: id } }] },
      ],
    })),
  }),
);
await see(
  'process',
  () => processes.getProcess({ processId: job.processId }),
  (a) => a.status === 'completed',
);
await see(
  'processes',
  () => processes.getProcesses({ limit: 5, offset: 0, sort: 'desc' }),
  (a) => a.processes.length >= 2,
);
const listed = await see(
  'records',
  () =>
    customObjects.getrecords({
      ...vehicle,
      limit: 2,
      page_num: 1,
      sort: 'desc',
      association: 'true',
    }),
  ({ records: [first] }) =>
    first.identifiers.ext_id === 'ts-2' &&
    first.associations.length === 2 &&
    first.attributes.plate === 'TS-2',
);
await see(
  'associated',
  () =>
    customObjects.getAssociatedRecords({
      ...vehicle,
      ext_id: 'ts-2',
      type: ['contact', 'company'],
    }),
  (a) => a.items.length === 2 && a.has_more === false,
);
await see(
  'associated by e-mail',
  () =>
    customObjects.getAssociatedRecords({
      object_type: 'contact',
      email: 'ts2@clients.example',
      offset: 0,
    }),
  (a) => a.items.map(({ object }) => object.ext_id).join() === 'ts-2,ts-1',
);
await see(
  'associated by number',
  () => customObjects.getAssociatedRecords({ object_type: 'contact', sms: '+33698765433' }),
  (a) => a.items.length === 2,
);
const ids = [listed.records[0].identifiers.id];
await see('batch delete', () =>
  customObjects.batchDeleteObjectRecords({ ...vehicle, identifiers: { ids } }),
);
await see('batch delete by ext_id', () =>
  customObjects.batchDeleteObjectRecords({ ...vehicle, identifiers: { ext_ids: ['ts-1'] } }),
);
await see(
  'deleted',
  () => customObjects.getrecords({ ...vehicle, limit: 1, page_num: 1 }),
  (a) => !a.records[0].identifiers.ext_id.startsWith('ts-'),
);
await see('records of a standard object', () =>
  customObjects.getrecords({ object_type: 'contact', limit: 1, page_num: 1 }),
);

const { id: webhookId } = await see('webhook create', () =>
  webhooks.createWebhook({
    url: 'https://clients.example/ts',
    type: 'marketing',
    events: ['contactUpdated', 'contactDeleted', 'listAddition'],
    auth: { type: 'bearer', token: 'secret' },
    headers: [{ key: 'x-from', value: 'brevo' }],
    batched: true,
  }),
);
await see(
  'webhooks',
  () => webhooks.getWebhooks({ type: 'marketing' }),
  (a) => a.webhooks.length === 1,
);
await see(
  'webhook',
  () => webhooks.getWebhook({ webhookId }),
  (a) => a.type === 'marketing',
);
await see('webhook update', () =>
  webhooks.updateWebhook({ webhookId, url: 'https://clients.example/ts2' }),
);
await see('webhook delete', () => webhooks.deleteWebhook({ webhookId }));

await see('deal delete', () => deals.deleteADeal({ id: dealId }));
await see('company delete', () => companies.deleteACompany({ id }));
await see('company gone', () => companies.getACompany({ id }));
await see('contact delete', () =>
  contacts.deleteContact({ identifier: made.id, identifierType: 'contact_id' }),
);
await see('contact gone', () =>
  contacts.getContactInfo({ identifier: made.id, identifierType: 'contact_id' }),
);

// Left to itself it sends a POST again after a 503 that came from behind the write.
await fetch(new URL('/_emulator/faults', baseUrl), {
  method: 'POST',
  body: JSON.stringify({
    kind: 'status',
    status: 503,
    applied: true,
    method: 'POST',
    path: 'companies',
    count: 1,
  }),
});
const asMade = new BrevoClient({ apiKey: 'demo-key', baseUrl });
await see('create, and again', () => asMade.companies.createACompany({ name: 'Twice' }));
await see(
  'company twice',
  () => companies.getAllCompanies({ 'filters[attributes.name]': 'Twice' }),
  (a) => a.items.length === 2,
);
console.log(JSON.stringify({ right, wrong }));
