import { isObject } from '../../domain/json.ts';
import type { SettingNames } from '../adapter.ts';
import type { Api } from '../wire/api.ts';
import { createPacedAllowance } from '../wire/paced-allowance.ts';
import { readRateHeaders } from '../wire/rate-headers.ts';
import { answerError } from './answer-error.ts';
import { selfCall } from './self.ts';
import { TITLE } from './title.ts';

/** In any second, over the whole API. */
const PER_SECOND = { reads: 100, writes: 25 };
const SECOND_MS = 1_000;

export function attioApi(baseUrl: string, names: SettingNames): Api {
  return {
    title: TITLE,
    root: `${baseUrl.replace(/\/+$/, '')}/v2`,
    addressName: names['apiUrl'] ?? '',
    readRefusal: (refusal, subject) => answerError(refusal, subject, names),
    // A revoked key is told in an answer that calls itself good.
    readToldErrors: (body) =>
      isObject(body) && body.active === false ? { status: 401, hasData: false } : null,
    readRate({ status, headers }, nowMs) {
      const rate = readRateHeaders(headers, nowMs);
      // No answer tells what is left, and a 429 that there is nothing: for whoever shares the limit.
      return status === 429 ? { ...rate, limit: PER_SECOND.reads, remaining: 0 } : rate;
    },
    counterOf: (endpoint) =>
      endpoint.startsWith('GET ') || endpoint.endsWith('/query') ? 'reads' : 'writes',
    createCounter: (name, percent) =>
      createPacedAllowance(
        { requests: name === 'reads' ? PER_SECOND.reads : PER_SECOND.writes, windowMs: SECOND_MS },
        percent,
      ),
    keyProbe: selfCall,
  };
}
