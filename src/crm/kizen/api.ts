import { isObject } from '../../domain/json.ts';
import type { SettingNames } from '../adapter.ts';
import type { Api } from '../wire/api.ts';
import { createPacedAllowance } from '../wire/paced-allowance.ts';
import { readRateHeaders } from '../wire/rate-headers.ts';
import { answerError } from './answer-error.ts';
import { businessCall } from './business.ts';
import { hasErrors } from './envelope.ts';
import { TITLE } from './title.ts';

/** No limit is published: gentle, for all endpoints together. */
const PER_SECOND = 10;
export const AT_ONCE = 4;
const SECOND_MS = 1_000;

export function kizenApi(baseUrl: string, names: SettingNames): Api {
  return {
    title: TITLE,
    root: baseUrl.replace(/\/+$/, ''),
    addressName: names['apiUrl'] ?? '',
    readRefusal: (refusal, subject) => answerError(refusal, subject, names),
    // A part of a page is told with status 400; should it come as a good answer, it is none.
    readToldErrors: (body) =>
      isObject(body) && hasErrors(body) ? { status: null, hasData: false } : null,
    readRate({ status, headers }, nowMs) {
      const rate = readRateHeaders(headers, nowMs);
      // No answer tells what is left, and a 429 that there is nothing: for every endpoint.
      return status === 429 ? { ...rate, limit: PER_SECOND, remaining: 0 } : rate;
    },
    counterOf: () => 'all',
    createCounter: (_name, percent) =>
      createPacedAllowance({ requests: PER_SECOND, windowMs: SECOND_MS, atOnce: AT_ONCE }, percent),
    keyProbe: businessCall,
  };
}
