import type { SettingNames } from '../adapter.ts';
import type { Api } from '../wire/api.ts';
import { readRateHeaders } from '../wire/rate-headers.ts';
import { accountCall } from './account.ts';
import { answerError } from './answer-error.ts';
import { counterOf, createCounter } from './budget.ts';
import { TITLE } from './title.ts';

const PREFIX = 'x-sib-ratelimit';

export function brevoApi(baseUrl: string, names: SettingNames): Api {
  return {
    title: TITLE,
    root: baseUrl.replace(/\/+$/, ''),
    addressName: names['apiUrl'] ?? '',
    readRefusal: (refusal, subject) => answerError(refusal, subject, names),
    readToldErrors: () => null,
    readRate({ status, headers }, nowMs) {
      const rate = readRateHeaders(headers, nowMs, PREFIX);
      // Whatever else it says, there is nothing left, for everybody who spends from the same budget.
      return status === 429 ? { ...rate, limit: rate.limit ?? 0, remaining: 0 } : rate;
    },
    counterOf,
    createCounter,
    keyProbe: accountCall,
  };
}
