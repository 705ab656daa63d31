import { describe, expect, it } from 'vitest';
import { checkExchange } from '../../api/clarify/check-exchange.ts';
import { signedDeviations, transcriptDeviations } from '../../api/clarify/recordings.ts';
import { acme, ada, exchange, page, personSchema } from './exchanges.ts';

const time = '2026-09-01T08:30:00.000Z';

describe('schemas', () => {
  const list = (data: readonly unknown[], links: unknown = { next: null }) =>
    checkExchange(exchange('GET /schemas', { answer: { data, links } }));
  const person = (rest: Record<string, unknown>) => [
    { ...personSchema, attributes: { ...personSchema.attributes, ...rest } },
  ];
  const property = (rest: unknown) => list(person({ properties: { field: rest } }));

  it('are a list of documents', () => {
    expect(list([personSchema])).toEqual([]);
    expect(
      list([personSchema], { next: 'http://host/v1/workspaces/acme/schemas?page[cursor]=x' }),
    ).toEqual([]);
    const core = {
      type: 'schema',
      id: 'https://getclarify.ai/schemas/core/domains',
      attributes: { $id: 'x', type: 'object' },
    };
    expect(list([core])).toEqual([]);
    expect(
      checkExchange(exchange('GET /schemas', { dialect: 'classic', answer: [personSchema] })),
    ).toEqual([]);
  });

  it('deviate', () => {
    expect(checkExchange(exchange('GET /schemas', { answer: [personSchema] }))).toHaveLength(1);
    expect(checkExchange(exchange('GET /schemas', { answer: page([personSchema]) }))).toHaveLength(
      1,
    );
    expect(list([{ ...personSchema, type: 'object' }])).toHaveLength(1);
    expect(list([{ ...personSchema, id: 'person' }])).toHaveLength(1);
    expect(list(person({ xClarifyNamespace: undefined }))).toHaveLength(1);
    expect(list(person({ xClarifyLabel: 'Person' }))).toHaveLength(1);
    expect(list(person({ $id: 'https://getclarify.ai/schemas/entities/deal' }))).toHaveLength(1);
    expect(list(person({ properties: [] }))).toHaveLength(1);
    expect(property({ oneOf: {} })).toHaveLength(1);
    expect(property({ xClarifyUnique: 'yes' })).toHaveLength(1);
    expect(
      property({ xClarifyRelationship: { kind: 'many', entity: 'deal', field: 'x' } }),
    ).toHaveLength(1);
    expect(
      property({
        type: ['string', 'null'],
        xClarifyRelationship: { kind: 'many-to-one', entity: 'deal', field: 'x' },
      }),
    ).toEqual([]);
    expect(list(person({ properties: { _created_at: { type: 'object' } } }))).toHaveLength(1);
  });
});

describe('activities', () => {
  const actor = { _id: 'user_01', anonymous_id: null, entity: 'user', source_id: null };
  const diff = { op: 'update', path: ['email_addresses', 'items', 1], val: 'a', oldVal: 'b' };
  const event = {
    _id: acme,
    type: 'clarify:update',
    _created_at: time,
    actor,
    object: { _id: ada, anonymous_id: null, entity: 'person', diff: [diff] },
  };
  const activity = (data: unknown, at = time) => ({
    type: 'activity',
    id: acme,
    attributes: { _id: acme, _created_at: at, aggKey: 'x', data },
  });
  const call = `GET /objects/person/records/${ada}/activities?page[limit]=500`;
  const feed = (rest: Record<string, unknown>) =>
    checkExchange(exchange(call, { answer: page([activity([{ ...event, ...rest }])]) }));
  const change = (rest: Record<string, unknown>) =>
    feed({ object: { ...event.object, diff: [{ ...diff, ...rest }] } });

  it('tell of events', () => {
    expect(feed({})).toEqual([]);
    expect(feed({ type: 'ClarifySetRelationship', relationship: 'deals', ref: acme })).toEqual([]);
    expect(feed({ object: undefined })).toEqual([]);
    expect(checkExchange(exchange('GET /schemas/person/activities', { answer: page([]) }))).toEqual(
      [],
    );
  });

  it.each([
    ['a path that is a string', () => change({ path: 'email_addresses.items.1' })],
    ['a path of nothing', () => change({ path: [] })],
    ['an operation of JSON Patch', () => change({ op: 'replace' })],
    ['a value under its JSON Patch name', () => change({ value: 'a' })],
    ['an actor that is a string', () => feed({ actor: 'user_01' })],
    ['an actor that names itself by id', () => feed({ actor: { id: 'user_01' } })],
    ['a type of its own', () => feed({ type: 'updated' })],
    ['seconds alone', () => feed({ _created_at: '2026-09-01T08:30:00Z' })],
    ['another key', () => feed({ at: time })],
    [
      'events outside',
      () =>
        checkExchange(
          exchange(call, { answer: page([{ type: 'activity', id: acme, attributes: event }]) }),
        ),
    ],
    [
      'the oldest first',
      () =>
        checkExchange(
          exchange(call, {
            answer: page([activity([]), activity([], '2026-09-02T00:00:00.000Z')]),
          }),
        ),
    ],
  ])('deviate with %s', (_name, found) => {
    expect(found().length).toBeGreaterThan(0);
    expect(found().every((each) => each.includes('answer.body.data'))).toBe(true);
  });
});

describe('recordings', () => {
  const call = `POST /meetings/${ada}/recordings/${acme}/artifacts`;
  const made = (data: unknown, status = 201) =>
    checkExchange(exchange(call, { status, answer: { data } }));

  it('open by signed addresses', () => {
    expect(made({ videoUrl: 'https://x.example/1', transcriptionUrl: null })).toEqual([]);
    expect(made({ videoUrl: null, transcriptionUrl: null }, 200)).toHaveLength(1);
    expect(made({ videoUrl: null })).toHaveLength(1);
    expect(made({ video_url: null, transcription_url: null })).toHaveLength(3);
  });

  it('are asked for without the key', () => {
    expect(signedDeviations({ headers: {} })).toEqual([]);
    expect(signedDeviations({ headers: { Authorization: 'api-key key-1' } })).toHaveLength(1);
  });

  it('say what was said in segments of words', () => {
    const word = { text: 'Hello', start_timestamp: 0.1, end_timestamp: 0.5 };
    const segment = { speaker: 'Ada', speaker_id: '1', language: 'en', words: [word] };
    expect(transcriptDeviations([segment])).toEqual([]);
    expect(transcriptDeviations({ segments: [segment] })).toHaveLength(1);
    expect(transcriptDeviations([{ speaker: 'Ada', text: 'Hello' }]).length).toBeGreaterThan(0);
  });
});

describe('users', () => {
  const ada_ = {
    _id: 'google-oauth2|17',
    name: { first_name: 'Ada', last_name: null },
    roles: { items: [] },
    email: 'ada@example.com',
    profile_picture: null,
    last_active_at: time,
    _created_at: time,
    _updated_at: null,
  };
  const list = (user: unknown) => checkExchange(exchange('GET /users', { answer: page([user]) }));

  it('stand flat or in a resource', () => {
    expect(list(ada_)).toEqual([]);
    expect(list({ type: 'user', id: ada_._id, attributes: ada_ })).toEqual([]);
    expect(checkExchange(exchange('GET /users/user_01', { answer: { data: ada_ } }))).toEqual([]);
  });

  it('deviate', () => {
    expect(list({ ...ada_, name: 'Ada' })).toHaveLength(1);
    expect(list({ ...ada_, roles: [] })).toHaveLength(1);
    expect(list({ ...ada_, role: 'admin' })).toHaveLength(1);
    expect(list({ type: 'user', id: 'user_02', attributes: ada_ })).toHaveLength(1);
  });
});

describe('signing in', () => {
  const token = (form: string, answer: unknown) => ({
    ...exchange('POST /x', { answer }),
    request: {
      method: 'POST',
      url: '/oauth2/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    },
  });
  const tokens = { access_token: 'a', token_type: 'Bearer', expires_in: 3600 };

  it('takes a code or a refresh token', () => {
    expect(checkExchange(token('grant_type=refresh_token&refresh_token=a', tokens))).toEqual([]);
    expect(checkExchange(token('grant_type=password', tokens))).toHaveLength(1);
    expect(
      checkExchange(
        token('grant_type=refresh_token&refresh_token=a', { ...tokens, expires_in: '1' }),
      ),
    ).toHaveLength(1);
    const verifier = 'v'.repeat(43);
    const code = `grant_type=authorization_code&code=c&redirect_uri=r&code_verifier=${verifier}`;
    expect(checkExchange(token(code, tokens))).toHaveLength(1);
    expect(checkExchange(token(`${code}&client_id=i`, tokens))).toEqual([]);
  });
});
