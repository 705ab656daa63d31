import { errorAnswer } from './errors.ts';
import type { Call, Deviation, Exchange } from './exchange.ts';
import { queryDeviations } from './listing.ts';
import { isOauth, oauthAnswer, oauthRequest } from './oauth.ts';
import { match, type Operation } from './operations.ts';
import { answerTransport, requestTransport } from './transport.ts';
import { valueDeviations } from './values.ts';
import { bodyDeviations } from './writes.ts';

/** Which side has deviated, as `GET /objects/{object}/resources: answer.body.data[3].id: …`. */
export interface Checked {
  readonly request: readonly string[];
  readonly answer: readonly string[];
}

/**
 * In which ways an exchange is not as the page of API facts says. What the page leaves open, and
 * calls that are not of the API, deviate in nothing. No value is repeated.
 */
export function checkExchange(exchange: Exchange): readonly string[] {
  const { request, answer } = checkSides(exchange);
  return [...request, ...answer];
}

export function checkSides(exchange: Exchange): Checked {
  const { pathname: path, searchParams: query } = readTarget(exchange.request.url);
  if (isOauth(path)) {
    const say = told(`${exchange.request.method} ${path}`);
    return {
      request: oauthRequest(exchange, path, query).map(say),
      answer: oauthAnswer(exchange, path, parse(exchange.answer.body)).map(say),
    };
  }
  if (!/^(?:\/v1)?\/workspaces\/[^/]+\//.test(path)) return { request: [], answer: [] };
  return checkApi(exchange, path, query);
}

/** A target that begins with `//` is a path all the same, and no other host. */
function readTarget(target: string): URL {
  return new URL(target.startsWith('/') ? `http://host${target}` : target, 'http://host');
}

function checkApi(exchange: Exchange, path: string, query: URLSearchParams): Checked {
  const { request, answer, dialect } = exchange;
  const { method } = request;
  const matched = match(method, path.replace(/^(?:\/v1)?\/workspaces\/[^/]+/, ''));
  const operation = matched?.operation;
  const body = parse(request.body);
  const call: Call = {
    dialect,
    method,
    path,
    params: matched?.params ?? {},
    query,
    body: body === malformed ? undefined : body,
    workspace: exchange.workspace ?? {},
    sample: exchange.sample ?? Number.POSITIVE_INFINITY,
  };
  const say = told(operation ? `${method} ${operation.template}` : `${method} of something else`);
  const asked = requestDeviations(exchange, call, operation);
  if (body === malformed) {
    asked.push({ at: 'request.body', what: 'is no JSON', refusedWith: [400] });
  }
  const answered = [
    ...answerTransport(answer),
    ...answerDeviations(exchange, call, operation),
    ...unrefused([...asked, ...valueDeviations(call)], answer.status),
  ];
  return { request: asked.map(say), answer: answered.map(say) };
}

function requestDeviations(
  { request }: Exchange,
  call: Call,
  operation: Operation | undefined,
): Deviation[] {
  const found = requestTransport(call, request);
  if (!call.path.startsWith('/v1/')) {
    found.push({ at: 'request.path', what: 'lacks /v1', refusedWith: [404] });
  }
  if (!operation) {
    const collection = call.method === 'GET' && /\/objects\/[^/]+\/records$/.test(call.path);
    found.push({
      at: 'request.path',
      what: 'is no call that the page names',
      ...(collection && { refusedWith: [404, 405] }),
    });
    return found;
  }
  return [
    ...found,
    ...queryDeviations(operation.query, call),
    ...bodyDeviations(operation.body, call),
  ];
}

function answerDeviations(
  { answer }: Exchange,
  call: Call,
  operation: Operation | undefined,
): Deviation[] {
  const body = parse(answer.body);
  if (body === malformed) {
    const isText = operation?.template.endsWith('/csv') ?? false;
    return isText ? [] : [{ at: 'answer.body', what: 'is no JSON' }];
  }
  const { status } = answer;
  if (status >= 400) return errorAnswer(call, answer, body);
  if (!operation) return [];
  if (operation.only && operation.only !== call.dialect) {
    return [{ at: 'answer.status', what: `expected 404: not in ${call.dialect}` }];
  }
  const check = operation.answers[status];
  if (!check) {
    const expected = Object.keys(operation.answers).join(' or ');
    return [{ at: 'answer.status', what: `expected ${expected}, not ${status}` }];
  }
  return check(call, body);
}

/** What comes before, or whatever else is wrong with a request. */
const before = [401, 403, 404, 405, 409, 413, 429];

/** A request of a kind that the page says is refused, and that was not, or otherwise. */
function unrefused(asked: readonly Deviation[], status: number): Deviation[] {
  const reasons = asked.filter(({ refusedWith }) => refusedWith);
  const expected = reasons.flatMap(({ refusedWith }) => refusedWith ?? []);
  if (reasons.length === 0 || [...expected, ...before].includes(status)) return [];
  return reasons.map(({ at, what, refusedWith }) => ({
    at: 'answer.status',
    what: `expected ${refusedWith?.join(' or ')}, for ${at} ${what}`,
  }));
}

const malformed = Symbol('malformed');

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return malformed;
  }
}

const told =
  (operation: string) =>
  ({ at, what }: Deviation) =>
    `${operation}: ${at} ${what}`;
