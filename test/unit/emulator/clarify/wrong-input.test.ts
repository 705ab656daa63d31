import { connect as connectSocket } from 'node:net';
import { Readable } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { collectBody } from '../../../../src/emulator/kernel/request-body.ts';
import { connect, newPerson } from './api-client.ts';

const PEOPLE = '/objects/person/resources';

/** Sends just these lines, which `fetch` would put right, and reads until the other side ends. */
function spoken(port: number, target: string): Promise<string> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\nConnection: close\r\n\r\n`);
  return textOfStream(socket);
}

describe('a query that would be half understood is refused', () => {
  test.each([
    'filter=1',
    'filter[]=1',
    'filter[job_title][Is][Is]=x',
    'page=1',
    'page[]=1',
    'page[limit][]=1',
    'page[size]=1',
    'sortOrder=_id',
    'sortOrder[column][]=_id',
    'page[limit]=1&page[limit]=2',
    'page[offset]=1&page%5Boffset%5D=2',
    'sortOrder[column]=_id&sortOrder[column]=_created_at',
  ])('%s', async (query) => {
    const { call } = await connect();
    const answer = await call('GET', `${PEOPLE}?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0]).toEqual({ status: '400', detail: expect.any(String) });
  });

  test('what has no meaning anywhere is ignored', async () => {
    const { call } = await connect();
    expect((await call('GET', `${PEOPLE}?fields[person]=name&utm=1`)).status).toBe(200);
  });
});

test('relationships may be named in one include or in several', async () => {
  const { call, emulator } = await connect();
  emulator.store.create('person', {});
  const { body } = await call('GET', `${PEOPLE}?include=company_id&include=deals,tasks`);
  expect(Object.keys(body.data[0]?.relationships ?? {})).toEqual(['company_id', 'deals', 'tasks']);
});

describe('links need to be named', () => {
  test.each([
    ['PATCH', {}],
    ['PATCH', { data: null }],
    ['PATCH', { items: [] }],
    ['DELETE', {}],
    ['DELETE', { data: null }],
    ['DELETE', undefined],
  ])('%s %o changes no set', async (method, body) => {
    const { call, emulator } = await connect();
    const { store } = emulator;
    const ann = store.create('person', {});
    const deal = store.create('deal', {});
    store.link('deal', deal, 'people', [ann]);
    const path = `/objects/deal/records/${deal}/relationships/people`;
    const answer = await call(method, path, body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0]?.source?.pointer).toBe('/data');
    expect(store.linked('deal', deal, 'people')).toEqual([ann]);
  });

  test('a to-one link is cleared by an id of null, and by nothing else', async () => {
    const { call, emulator } = await connect();
    const company = emulator.store.create('company', {});
    const ann = emulator.store.create('person', { company_id: company });
    const path = `/objects/person/records/${ann}/relationships/company_id`;
    const one = { type: 'company', id: company };
    for (const data of [undefined, null, one, [null], [{ id: null }]]) {
      expect((await call('PATCH', path, { data })).status).toBe(422);
    }
    expect(emulator.store.get('person', ann)?.attributes.company_id).toBe(company);
    const cleared = await call('PATCH', path, { data: [{ type: 'company', id: null }] });
    expect(cleared.status).toBe(200);
    expect(emulator.store.get('person', ann)?.attributes.company_id).toBeNull();
  });

  test('a set holds no null', async () => {
    const { call, emulator } = await connect();
    const deal = emulator.store.create('deal', {});
    const path = `/objects/deal/records/${deal}/relationships/people`;
    const answer = await call('PATCH', path, { data: [{ type: 'person', id: null }] });
    expect(answer.body.errors[0]?.source?.pointer).toBe('/data/0/id');
  });
});

test('what is to be deleted is named by ids', async () => {
  const { call } = await connect();
  const answer = await call('DELETE', '/objects/person/records', { items: ['a', 5, null] });
  expect(answer.status).toBe(422);
  expect(answer.body.errors.map((error) => error.source?.pointer)).toEqual([
    '/items/1',
    '/items/2',
  ]);
});

test('yes or no is compared by Is and Is not, and is nothing but true and false', async () => {
  const { ids, get, emulator } = await connect();
  const yes = emulator.store.create('person', { do_not_contact: true });
  const no = emulator.store.create('person', { do_not_contact: false });
  const filter = (how: string, value: string) =>
    ids(PEOPLE, { [`filter[do_not_contact]${how}`]: value });
  expect(await filter('[Is]', 'true')).toEqual([yes]);
  expect(await filter('[Is not]', 'true')).toEqual([no]);
  expect(await filter('', 'false')).toEqual([no]);
  const wrong = await get(PEOPLE, { 'filter[do_not_contact]': 'yes' });
  expect(wrong.status).toBe(400);
});

describe('what HTTP makes possible', () => {
  test.each([
    ['http://[x', 400],
    ['//', 404],
    ['//:80/', 404],
    ['http://elsewhere/v1/x', 404],
  ])('a request for %s is answered', async (target, status) => {
    const { emulator } = await connect();
    expect(await spoken(emulator.port, target)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('a body is read to its end, and kept up to a limit', async () => {
    const chunks = [Buffer.from('1234'), Buffer.from('5678')];
    expect(await collectBody(Readable.from(chunks), 8)).toEqual({ text: '12345678', bytes: 8 });
    expect(await collectBody(Readable.from(chunks), 7)).toEqual({ text: '', bytes: 8 });
  });

  test('a body beyond the limit is a 413, and nothing is done', async () => {
    const { call, emulator } = await connect({ switches: { bulkBytesMax: 1000 } });
    const data = Array.from({ length: 50 }, (_, n) => newPerson(`p${n}@x.example`));
    expect((await call('POST', '/objects/person/records/bulk', { data })).status).toBe(413);
    expect(emulator.store.count('person')).toBe(0);
  });
});

test('people are sent nowhere that is no address', async () => {
  const { emulator } = await connect();
  const { authorizeUrl, clientId } = emulator.oauth;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: 'http://127.0.0.1:99999999/',
  });
  const answer = await fetch(`${authorizeUrl}?${query.toString()}`);
  expect(answer.status).toBe(400);
});
