import * as attio from 'attio-ts-sdk';

// Every call is checked by the schemas of the published OpenAPI that the client was made from. What
// live answers are known to break of them is mended on the way, and nothing else: ids of system
// actors, codes of currencies and of countries may be null.

const SOME_ID = '11111111-1111-4111-8111-111111111111';
const NULLS = {
  id: SOME_ID,
  default_currency_code: 'USD',
  currency_code: 'USD',
  display_type: 'symbol',
  country_code: 'US',
};
const mended = (value) => {
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      one === null && key in NULLS ? NULLS[key] : mended(one),
    ]),
  );
};
const { fetch } = globalThis;
globalThis.fetch = async (...request) => {
  const answer = await fetch(...request);
  const body = JSON.stringify(mended(JSON.parse(await answer.text())));
  return new Response(body, { status: answer.status, headers: answer.headers });
};

const client = attio.createAttioClient({ apiKey: 'demo-key', baseUrl: process.env.API_URL });
const sdk = attio.createAttioSdk({ client });
let right = 0;
const wrong = {};
async function see(name, call) {
  try {
    const answer = await call();
    if (answer?.error) throw answer.error;
    right += 1;
    return answer?.data?.data ?? answer?.data ?? answer;
  } catch (error) {
    wrong[name] = String(error.message ?? JSON.stringify(error)).slice(0, 300);
  }
}

await see('self', () => attio.getV2Self({ client }));
await see('objects', () => attio.getV2Objects({ client }));
await see('members', () => attio.getV2WorkspaceMembers({ client }));
for (const object of ['people', 'companies', 'deals', 'projects']) {
  const path = { target: 'objects', identifier: object };
  await see(object, () => attio.getV2ObjectsByObject({ client, path: { object } }));
  const attributes = await see(`${object} attributes`, () =>
    attio.getV2ByTargetByIdentifierAttributes({ client, path, query: { show_archived: true } }),
  );
  const records = await see(`${object} query`, () =>
    attio.postV2ObjectsByObjectRecordsQuery({
      client,
      path: { object },
      body: { limit: 30, sorts: [{ attribute: 'created_at', direction: 'asc' }] },
    }),
  );
  const record = { object, record_id: records?.[0]?.id?.record_id };
  await see(`${object} record`, () =>
    attio.getV2ObjectsByObjectRecordsByRecordId({ client, path: record }),
  );
  for (const { api_slug: attribute, type } of attributes ?? []) {
    const one = { client, path: { ...path, attribute } };
    const name = `${object}.${attribute}`;
    await see(name, () => attio.getV2ByTargetByIdentifierAttributesByAttribute(one));
    if (type === 'select') {
      await see(`${name} options`, () =>
        attio.getV2ByTargetByIdentifierAttributesByAttributeOptions(one),
      );
    }
    if (type === 'status') {
      await see(`${name} statuses`, () =>
        attio.getV2ByTargetByIdentifierAttributesByAttributeStatuses(one),
      );
    }
    await see(`${name} values`, () =>
      attio.getV2ObjectsByObjectRecordsByRecordIdAttributesByAttributeValues({
        client,
        path: { ...record, attribute },
        query: { show_historic: false },
      }),
    );
  }
}

const people = { object: 'people' };
const values = (fields) => ({ data: { values: fields } });
const mail = { email_addresses: ['ts@clients.example'] };
const made = await see('create', () =>
  attio.postV2ObjectsByObjectRecords({ client, path: people, body: values(mail) }),
);
const path = { ...people, record_id: made?.id?.record_id };
const body = values({ description: ['Written by id'] });
await see('patch', () => attio.patchV2ObjectsByObjectRecordsByRecordId({ client, path, body }));
await see('put', () => attio.putV2ObjectsByObjectRecordsByRecordId({ client, path, body }));
await see('upsert', () =>
  attio.putV2ObjectsByObjectRecords({
    client,
    path: people,
    query: { matching_attribute: 'email_addresses' },
    body: values({ ...mail, description: ['Upserted'] }),
  }),
);
await see('taken', () =>
  attio.postV2ObjectsByObjectRecords({ client, path: people, body: values(mail) }),
);
await see('delete', () => attio.deleteV2ObjectsByObjectRecordsByRecordId({ client, path }));
await see('gone', () => attio.getV2ObjectsByObjectRecordsByRecordId({ client, path }));

const hook = await see('webhook create', () =>
  attio.postV2Webhooks({
    client,
    body: {
      data: {
        target_url: 'https://clients.example/ts',
        subscriptions: [{ event_type: 'record.created', filter: null }],
      },
    },
  }),
);
const named = { client, path: { webhook_id: hook?.id?.webhook_id } };
await see('webhooks', () => attio.getV2Webhooks({ client }));
await see('webhook', () => attio.getV2WebhooksByWebhookId(named));
await see('webhook patch', () =>
  attio.patchV2WebhooksByWebhookId({
    ...named,
    body: { data: { target_url: 'https://clients.example/ts2' } },
  }),
);
await see('webhook delete', () => attio.deleteV2WebhooksByWebhookId(named));

// The layer of its own above those calls.
await see('helper query', () => sdk.records.query({ object: 'people', limit: 10 }));
await see('helper create', () =>
  sdk.records.create({
    object: 'companies',
    values: {
      name: attio.value.string('Clients'),
      domains: attio.value.domain('clients-ts.example'),
    },
  }),
);
await see('helper schema', () =>
  sdk.metadata.schema({ target: 'objects', identifier: 'companies' }),
);
console.log(JSON.stringify({ right, wrong }));
