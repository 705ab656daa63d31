import type { RemoteError } from '../../domain/errors.ts';
import type { SettingNames } from '../adapter.ts';
import type { Refusal } from '../wire/api.ts';
import type { CallSubject } from '../wire/call.ts';
import {
  type About,
  DUPLICATE,
  fieldNamed,
  gatewayVerdict,
  ordinaryVerdict,
  parseOrNull,
  remoteError,
  type Verdict,
} from '../wire/verdict.ts';
import { type Complaint, readComplaint } from './complaint.ts';
import { TITLE } from './title.ts';

/** What tells whether the key is accepted. */
export const BUSINESS = 'GET /business/mine';
/** Without it nothing is known. */
export const OBJECTS = 'GET /custom-objects';

/** Classifies an answer other than 2xx by its status, its form and its codes, never by its words. */
export function answerError(
  refusal: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const { status, text, headers } = refusal;
  const complaint = readComplaint(parseOrNull(text), subject.entries ?? []);
  const about = { title: TITLE, names, subject, needed: [OBJECTS, BUSINESS] };
  const verdict = isGateways(status, complaint)
    ? gatewayVerdict(status, about)
    : judge(status, complaint, about);
  const field = complaint?.field;
  const which = requestIn(headers);
  const reason = complaint?.reason;
  return remoteError(refusal, subject, verdict, {
    where: `${fieldNamed(field)}${which}`,
    culprit: subject.records === 1 ? 0 : undefined,
    field,
    reason: reason === undefined || which === '' ? reason : `${reason} (${status}${which})`,
  });
}

/** What Kizen's people look a request up by. */
const REQUEST_ID = /^[\w.:-]{1,100}$/;

function requestIn(headers: Refusal['headers']): string {
  const id = headers?.['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? `, request ${id}` : '';
}

function judge(status: number, complaint: Complaint | null, about: About): Verdict {
  const { names } = about;
  const ordinary = ordinaryVerdict(status, about);
  if (ordinary.code === 'remote-invalid') return judgeRefused(complaint, ordinary);
  switch (status) {
    case 401:
      return {
        ...ordinary,
        hint: `Check ${names['apiKey']}, ${names['userId']} and ${names['businessId']}: all three of one user.`,
      };
    case 403:
      return {
        ...ordinary,
        hint: `Check what the user of ${names['userId']} may see and edit in Kizen.`,
      };
    case 409:
      return { ...ordinary, says: 'the record is being written or archived' };
    default:
      return ordinary;
  }
}

function judgeRefused(complaint: Complaint | null, ordinary: Verdict): Verdict {
  if (complaint?.isPart) {
    return {
      code: 'remote-bad-answer',
      disposition: 'retry',
      says: 'a part of the page, with errors instead of the rest',
    };
  }
  return complaint?.codes.has('unique') ? DUPLICATE : ordinary;
}

/**
 * Every refusal of the API's own is JSON: a page of HTML or nothing comes from what stands before
 * it, or from an address that is none of the API's.
 */
function isGateways(status: number, complaint: Complaint | null): boolean {
  return complaint === null && status >= 400;
}
