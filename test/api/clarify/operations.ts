import * as z from 'zod';
import { activity, newestFirst } from './activities.ts';
import { type ItemCheck, listAnswer, singleAnswer, writtenAnswer } from './envelope.ts';
import type { Call, Deviation } from './exchange.ts';
import { attachment, comment, recipient, recordList } from './extras.ts';
import { includedDeviations, linkageDeviations, orderDeviations } from './listed.ts';
import { type QueryRules } from './listing.ts';
import { artifacts } from './recordings.ts';
import { deletedRecord, linkedRecord, recordOfPath } from './records.ts';
import { schemasAnswer } from './schemas.ts';
import { isObject, shapeDeviations } from './shape.ts';
import { user } from './users.ts';
import type { BodyName } from './writes.ts';

export type AnswerCheck = (call: Call, body: unknown) => Deviation[];

export interface Operation {
  readonly method: string;
  /** Below `/v1/workspaces/{slug}`. */
  readonly template: string;
  readonly query: QueryRules;
  readonly body: BodyName;
  /** By status; what is not named is an error, or deviates. */
  readonly answers: Readonly<Record<number, AnswerCheck>>;
  /** Exists in this dialect alone: elsewhere the answer is 404. */
  readonly only?: 'current';
}

const all =
  (...checks: readonly AnswerCheck[]): AnswerCheck =>
  (call, body) =>
    checks.flatMap((check) => check(call, body));
const list =
  (item: ItemCheck): AnswerCheck =>
  (call, body) =>
    listAnswer(item, call, body);
const single =
  (item: ItemCheck): AnswerCheck =>
  (call, body) =>
    singleAnswer(item, call, body);
/** The very record that the path names. */
const named: AnswerCheck = (call, body) => {
  const found = singleAnswer(recordOfPath, call, body);
  if (found.length > 0 || idsOf(body)[0] === call.params['id']) return found;
  return [{ at: 'answer.body.data.id', what: 'is not the id of the path' }];
};
const idsOf = (body: unknown): unknown[] => {
  const data = isObject(body) ? [body['data']].flat() : [];
  return data.map((item) => (isObject(item) ? item['id'] : undefined));
};
const shaped =
  (shape: z.ZodType): AnswerCheck =>
  (_call, body) =>
    shapeDeviations(shape, body, 'answer.body');
const nothing: AnswerCheck = (_call, body) =>
  body === undefined ? [] : [{ at: 'answer.body', what: 'expected none' }];
const anything: AnswerCheck = () => [];
const object = shaped(z.looseObject({}));
const flatComment = shaped(comment);

/** One record for each that was sent, in any order. */
const written: AnswerCheck = (call, body) => {
  const found = writtenAnswer(recordOfPath, call, body);
  if (found.length > 0 || !isObject(body) || !isObject(call.body)) return found;
  const [sent, told] = [idsOf(call.body), new Set(idsOf(body))];
  const whole =
    call.method === 'POST'
      ? sent.length === idsOf(body).length
      : told.size === new Set(sent).size && sent.every((id) => told.has(id));
  return whole ? found : [{ at: 'answer.body.data', what: 'is not of the records sent' }];
};

/** `current` says `{}`, `classic` nothing. */
const removed: Operation['answers'] = {
  200: (call, body) =>
    call.dialect === 'current'
      ? shapeDeviations(z.strictObject({}), body, 'answer.body')
      : [{ at: 'answer.status', what: 'expected 204' }],
  204: (call) =>
    call.dialect === 'classic' ? [] : [{ at: 'answer.status', what: 'expected 200' }],
};
const linked: Operation['answers'] = { 200: anything, 204: nothing };

const get = (template: string, query: QueryRules, answer: AnswerCheck): Operation => ({
  method: 'GET',
  template,
  query,
  body: 'none',
  answers: { 200: answer },
});
const change = (
  method: string,
  template: string,
  body: BodyName,
  answers: Operation['answers'],
): Operation => ({ method, template, query: { silent: true }, body, answers });

const paging: QueryRules = { paging: true };
const resources: QueryRules = {
  paging: true,
  limitRequired: true,
  sorting: true,
  filters: 'records',
  include: true,
};

const record = '/objects/{object}/records/{id}';
const records = '/objects/{object}/records';

/** Every call that the page names. */
export const operations: readonly Operation[] = [
  get('/schemas', { cursor: true }, schemasAnswer),
  get(
    '/schemas/{entity}/activities',
    paging,
    all(list(activity), (_call, body) => newestFirst(body)),
  ),
  get(
    '/objects/{object}/resources',
    resources,
    all(list(recordOfPath), linkageDeviations, includedDeviations, orderDeviations),
  ),
  get('/objects/{object}/resources/{id}', { include: true }, named),
  {
    ...get(
      '/objects/{object}/deleted-resources',
      { paging: true, filters: 'deletions' },
      list(deletedRecord),
    ),
    only: 'current',
  },
  get(record, {}, named),
  get(
    `${record}/activities`,
    paging,
    all(list(activity), (_call, body) => newestFirst(body)),
  ),
  get(`${record}/relationships/{field}`, paging, list(linkedRecord)),
  get(`${record}/attachments`, paging, list(attachment)),
  change('POST', records, 'create', { 201: single(recordOfPath) }),
  change('POST', `${records}/bulk`, 'createMany', { 201: written }),
  change('PATCH', record, 'update', { 200: named }),
  change('PATCH', records, 'updateMany', { 200: written }),
  change('DELETE', record, 'none', removed),
  change('DELETE', records, 'removeMany', removed),
  change('POST', `${record}/merges`, 'merge', { 204: nothing }),
  change('PATCH', `${record}/relationships/{field}`, 'link', linked),
  change('DELETE', `${record}/relationships/{field}`, 'link', linked),
  get('/users', paging, list(user)),
  get('/users/{id}', {}, single(user)),
  change('POST', '/meetings/{id}/recordings/{recording}/artifacts', 'emptyAtMost', {
    201: shaped(artifacts),
  }),
  get('/lists', { paging: true, filters: ['type'] }, list(recordList)),
  get(
    '/objects/{object}/lists/{list}/resources',
    resources,
    all(list(recordOfPath), includedDeviations),
  ),
  change('POST', '/objects/{object}/lists/{list}/rows/csv', 'anything', { 200: anything }),
  get('/settings/{key}', {}, anything),
  change('POST', '/comments', 'comment', { 200: flatComment, 201: flatComment }),
  get('/comments/{id}', {}, flatComment),
  change('PATCH', '/comments/{id}', 'flat', { 200: flatComment }),
  change('DELETE', '/comments/{id}', 'none', { 200: anything, 204: nothing }),
  get('/workflows', { paging: true, filters: ['type'] }, object),
  get('/campaigns/{id}/recipients', paging, list(recipient)),
];

export interface Matched {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

/** The call that a method and a path below the workspace mean, or none that the page names. */
export function match(method: string, path: string): Matched | undefined {
  for (const { operation, segments } of compiled) {
    if (operation.method !== method) continue;
    const params = fill(segments, path.split('/'));
    if (params) return { operation, params };
  }
  return undefined;
}

const compiled = operations.map((operation) => ({
  operation,
  segments: operation.template.split('/'),
}));

function fill(
  segments: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = given[index] ?? '';
    if (segment.startsWith('{') && value !== '') params[segment.slice(1, -1)] = decode(value);
    else if (segment !== value) return undefined;
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
