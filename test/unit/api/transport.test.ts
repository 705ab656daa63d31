import { describe, expect, it } from 'vitest';
import { checkExchange } from '../../api/clarify/check-exchange.ts';
import { ada, errors, exchange, listing, page, person } from './exchanges.ts';

const answer = page([person], { included: [] });
const one = `GET /objects/person/records/${ada}`;

const asked = (headers: Record<string, string | undefined>, status = 200) =>
  checkExchange(
    exchange(listing, {
      requestHeaders: headers,
      status,
      answer: status < 300 ? answer : errors(status),
    }),
  );
const answered = (headers: Record<string, string | undefined>, status = 200) =>
  checkExchange(
    exchange(listing, {
      answerHeaders: headers,
      status,
      answer: status < 300 ? answer : errors(status),
    }),
  );

describe('the headers of a request', () => {
  it('may hold an access token', () => {
    expect(asked({ authorization: 'Bearer token-1' })).toEqual([]);
  });

  it.each([
    ['no User-Agent', { 'user-agent': undefined }, 403],
    ['no key', { authorization: undefined }, 401],
    ['the key as Bearer', { authorization: 'Bearer key-1' }, 401],
    ['a scheme of its own', { authorization: 'Token key-1' }, 401],
    ['the bare key', { authorization: 'key-1' }, 401],
  ])('deviate with %s, which is refused', (_name, headers, status) => {
    expect(asked(headers, status)).toHaveLength(1);
    expect(asked(headers)).toHaveLength(2);
  });

  it('deviate with what does not exist, or describes nobody', () => {
    expect(asked({ 'if-match': '"1"' })).toHaveLength(1);
    expect(asked({ 'idempotency-key': '1' })).toHaveLength(1);
    expect(asked({ 'user-agent': 'got (https://github.com/sindresorhus/got)' })).toHaveLength(1);
  });

  it('say that a body is JSON', () => {
    const body = { data: { type: 'person', id: ada, attributes: {} } };
    const call = `PATCH /objects/person/records/${ada}`;
    const headers = { 'content-type': 'text/plain' };
    expect(checkExchange(exchange(call, { body, answer: { data: person } }))).toEqual([]);
    expect(
      checkExchange(exchange(call, { body, requestHeaders: headers, answer: { data: person } })),
    ).toHaveLength(1);
  });

  it('repeat no secret in what is found', () => {
    expect(asked({ authorization: 'Token key-1' }).join()).not.toContain('key-1');
  });
});

describe('the address of a request', () => {
  it('begins with /v1, or is not found', () => {
    const call = exchange(listing, { answer });
    const url = call.request.url.replace('/v1', '');
    expect(checkExchange({ ...call, request: { ...call.request, url } })).toHaveLength(2);
  });

  it('is one that the page names', () => {
    expect(
      checkExchange(exchange('GET /changes', { status: 404, answer: errors(404) })),
    ).toHaveLength(1);
  });
});

describe('the headers of an answer', () => {
  it.each([
    ['no limit', { 'x-ratelimit-limit': undefined }],
    ['no remaining', { 'x-ratelimit-remaining': undefined }],
    ['more remaining than there is', { 'x-ratelimit-remaining': '3001' }],
    ['an epoch for seconds', { 'x-ratelimit-reset': '1788000000' }],
    ['parts of a second', { 'x-ratelimit-reset': '1.5' }],
    ['another type', { 'content-type': 'text/html' }],
  ])('deviate with %s', (_name, headers) => {
    expect(answered(headers)).toHaveLength(1);
  });

  it('tell how long to wait', () => {
    expect(answered({ 'retry-after': '30' }, 429)).toEqual([]);
    expect(answered({}, 429)).toHaveLength(1);
    expect(answered({ 'retry-after': 'Tue, 01 Sep 2026 08:30:00 GMT' }, 429)).toHaveLength(1);
  });
});

describe('an error', () => {
  const failed = (status: number, body: unknown) =>
    checkExchange(exchange(one, { status, answer: body }));

  it('is a list, with title and source where input is wrong', () => {
    expect(failed(404, errors(404))).toEqual([]);
    const source = { pointer: '/data/attributes/email' };
    expect(failed(422, errors(422, { title: 'Invalid input', source }))).toEqual([]);
    expect(failed(403, { statusCode: 403, message: 'Forbidden', error: 'Forbidden' })).toEqual([]);
  });

  it.each([
    ['a number for a status', 404, { errors: [{ status: 404, detail: 'x' }] }],
    ['another status inside', 404, errors(400)],
    ['no detail', 404, { errors: [{ status: '404' }] }],
    ['none', 404, { errors: [] }],
    ['another form', 404, { errors: 'Not found' }],
    ['a source that is no validation', 404, errors(404, { source: { pointer: '/data' } })],
    ['a code of its own', 422, errors(422, { code: 'invalid' })],
    ['a pointer that is none', 422, errors(422, { source: { pointer: 'data.email' } })],
    ['nothing', 404, undefined],
    ['a status that nobody knows', 418, errors(418)],
  ])('deviates with %s', (_name, status, body) => {
    expect(failed(status, body)).toHaveLength(1);
  });

  it('is never half JSON', () => {
    const call = exchange(one, { status: 500 });
    const broken = { ...call.answer, body: '<html>' };
    expect(checkExchange({ ...call, answer: broken })).toHaveLength(1);
  });

  it('follows where a body is no JSON', () => {
    const call = exchange('POST /objects/person/records', {
      body: {},
      answer: { data: person },
      status: 201,
    });
    const found = checkExchange({ ...call, request: { ...call.request, body: '{' } });
    expect(found.join('\n')).toContain('expected 400, for request.body is no JSON');
  });
});

it.each(['//', '//:80/', '//host:x/v1', 'http://other/v1'])('%s is no call of the API', (url) => {
  const call = exchange('GET /schemas');
  expect(checkExchange({ ...call, request: { ...call.request, url } })).toEqual([]);
});
