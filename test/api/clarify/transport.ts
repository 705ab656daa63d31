import {
  type Call,
  type Deviation,
  header,
  type WireAnswer,
  type WireRequest,
} from './exchange.ts';

/** Names under which HTTP libraries send what nobody described. */
const anonymousAgents = /^(?:got|node|undici|axios|node-fetch|python-requests)\b/i;

/** Nothing of the kind exists, so that nobody may rely on it. */
const unknownHeaders = ['if-match', 'if-none-match', 'if-unmodified-since', 'idempotency-key'];

export function requestTransport(call: Call, { headers, body }: WireRequest): Deviation[] {
  const found: Deviation[] = [];
  const agent = header(headers, 'user-agent');
  const at = 'request.headers';
  if (!agent) {
    found.push({ at: `${at}.user-agent`, what: 'is missing', refusedWith: [403] });
  } else if (anonymousAgents.test(agent)) {
    found.push({ at: `${at}.user-agent`, what: 'names a library instead of the program' });
  }
  found.push(...authorization(call, header(headers, 'authorization')));
  for (const name of unknownHeaders) {
    if (header(headers, name) !== undefined) {
      found.push({ at: `${at}.${name}`, what: 'does not exist' });
    }
  }
  if (body !== '' && !/^application\/json\b/.test(header(headers, 'content-type') ?? '')) {
    found.push({ at: `${at}.content-type`, what: 'expected application/json' });
  }
  return found;
}

function authorization({ workspace }: Call, value: string | undefined): Deviation[] {
  const at = 'request.headers.authorization';
  if (value === undefined) return [{ at, what: 'is missing', refusedWith: [401] }];
  const [scheme, secret, ...more] = value.split(' ');
  const known = scheme === 'api-key' || scheme === 'Bearer';
  if (!known || !secret || more.length > 0) {
    return [{ at, what: 'expected "api-key KEY" or "Bearer TOKEN"', refusedWith: [401] }];
  }
  if (scheme === 'Bearer' && secret === workspace.apiKey) {
    return [{ at, what: 'an API key is not a Bearer token', refusedWith: [401] }];
  }
  return [];
}

export function answerTransport({ status, headers, body }: WireAnswer): Deviation[] {
  const at = 'answer.headers';
  const found: Deviation[] = [];
  const limit = whole(header(headers, 'x-ratelimit-limit'));
  const remaining = whole(header(headers, 'x-ratelimit-remaining'));
  const reset = whole(header(headers, 'x-ratelimit-reset'));
  if (limit === undefined) {
    found.push({ at: `${at}.x-ratelimit-limit`, what: 'expected a whole number' });
  }
  if (remaining === undefined || (limit !== undefined && remaining > limit)) {
    const what = 'expected a whole number within the limit';
    found.push({ at: `${at}.x-ratelimit-remaining`, what });
  }
  if (reset === undefined || reset > 60) {
    const what = 'expected the seconds left of a minute, not an epoch';
    found.push({ at: `${at}.x-ratelimit-reset`, what });
  }
  if (status === 429 && whole(header(headers, 'retry-after')) === undefined) {
    found.push({ at: `${at}.retry-after`, what: 'expected whole seconds' });
  }
  if (body !== '' && !isText(headers) && !/^application\/json\b/.test(contentType(headers))) {
    found.push({ at: `${at}.content-type`, what: 'expected application/json' });
  }
  if (status === 204 && body !== '') found.push({ at: 'answer.body', what: 'expected none' });
  return found;
}

const contentType = (headers: WireAnswer['headers']) => header(headers, 'content-type') ?? '';
/** The one answer that is not JSON: rows of a list. */
const isText = (headers: WireAnswer['headers']) => contentType(headers).startsWith('text/csv');

function whole(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
