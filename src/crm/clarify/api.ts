import type { SettingNames } from '../adapter.ts';
import type { Api } from '../wire/api.ts';
import type { Call } from '../wire/call.ts';
import { readRateHeaders } from '../wire/rate-headers.ts';
import { createSharedAllowance } from '../wire/shared-allowance.ts';
import { skipMember } from '../wire/skip-member.ts';
import { answerError, SCHEMAS } from './answer-error.ts';
import { readList } from './envelope.ts';
import { TITLE } from './title.ts';
import { readToldErrors } from './told-errors.ts';

export interface Address {
  /** Such as `https://api.clarify.ai/v1`. */
  readonly baseUrl: string;
  /** The workspace's slug. */
  readonly workspace: string;
}

export function clarifyApi({ baseUrl, workspace }: Address, names: SettingNames): Api {
  return {
    title: TITLE,
    root: `${baseUrl.replace(/\/+$/, '')}/workspaces/${encodeURIComponent(workspace)}`,
    addressName: names['apiUrl'] ?? '',
    readRefusal: (refusal, subject) => answerError(refusal, subject, names),
    readToldErrors,
    readRate: ({ headers }, nowMs) => readRateHeaders(headers, nowMs),
    counterOf: templateOf,
    createCounter: (_name, percent) => createSharedAllowance(percent),
    keyProbe: SMALLEST,
    // Related records, whole, which nobody here needs: tens of MB a page.
    gather: skipMember('included'),
  };
}

/** Whether all objects share the limit of one endpoint no source says: it is found out. */
function templateOf(endpoint: string): string {
  return endpoint
    .replace(/^([A-Z]+ \/objects\/)[^/]+/, '$1{object}')
    .replace(/\/relationships\/.*$/, '/relationships/{field}');
}

const SMALLEST: Call<unknown> = {
  endpoint: SCHEMAS,
  method: 'GET',
  path: ['schemas'],
  query: [['page[limit]', '1']],
  repeatable: true,
  read: readList,
};
