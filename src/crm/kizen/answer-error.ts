import { type Disposition, RemoteError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/json.ts';
import type { SettingNames } from '../adapter.ts';
import type { Refusal } from '../wire/api.ts';
import type { CallSubject } from '../wire/call.ts';
import { type Complaint, readComplaint } from './complaint.ts';

/** What tells whether the key is accepted. */
export const BUSINESS = 'GET /business/mine';
/** Without it nothing is known. */
export const OBJECTS = 'GET /custom-objects';

interface Verdict {
  readonly code: string;
  readonly disposition: Disposition;
  readonly says: string;
  readonly hint?: string | undefined;
}

/** Classifies an answer other than 2xx by its status, its form and its codes, never by its words. */
export function answerError(
  { status, text, retryAfterMs, headers }: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const complaint = readComplaint(parseOrNull(text), subject.entries ?? []);
  const verdict = isGateways(status, complaint)
    ? gatewayVerdict(status, names)
    : judge(status, complaint, { subject, names });
  const field = complaint?.field;
  const where = field === undefined ? '' : `, field ${JSON.stringify(field)}`;
  const which = requestIn(headers);
  const reason = complaint?.reason;
  return new RemoteError(`${subject.endpoint}: ${verdict.says} (${status}${where}${which})`, {
    code: verdict.code,
    disposition: verdict.disposition,
    hint: verdict.hint,
    status,
    culprit: subject.records === 1 ? 0 : undefined,
    field,
    reason: reason === undefined || which === '' ? reason : `${reason} (${status}${which})`,
    retryAfterMs: retryAfterMs ?? undefined,
  });
}

/** What Kizen's people look a request up by. */
const REQUEST_ID = /^[\w.:-]{1,100}$/;

function requestIn(headers: Refusal['headers']): string {
  const id = headers?.['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? `, request ${id}` : '';
}

interface About {
  readonly subject: CallSubject;
  readonly names: SettingNames;
}

function judge(status: number, complaint: Complaint | null, about: About): Verdict {
  const { subject, names } = about;
  switch (status) {
    case 400:
    case 422:
      return judgeRefused(complaint);
    case 401:
      return {
        code: 'remote-unauthorized',
        disposition: 'halt',
        says: 'Kizen does not accept the key',
        hint: `Check ${names['apiKey']}, ${names['userId']} and ${names['businessId']}: all three of one user.`,
      };
    case 403:
      return {
        code: 'remote-forbidden',
        disposition: scopeOf(subject),
        says: 'Kizen forbids it',
        hint: `Check what the user of ${names['userId']} may see and edit in Kizen.`,
      };
    case 404:
      return {
        code: 'remote-not-found',
        disposition: scopeOf(subject),
        says: 'Kizen knows no such object or record',
      };
    case 408:
    case 425:
      return { code: 'remote-unavailable', disposition: 'retry', says: 'Kizen gave up waiting' };
    case 409:
      return {
        code: 'remote-busy',
        disposition: 'retry',
        says: 'the record is being written or archived',
      };
    case 413:
      return {
        code: 'remote-too-large',
        disposition: 'park',
        says: 'the request is larger than Kizen takes',
      };
    case 429:
      return {
        code: 'remote-rate-limited',
        disposition: 'retry',
        says: 'Kizen wants to be asked less often',
        hint: 'It passes by itself; lower `allowance` if other programs need their share.',
      };
  }
  if (status >= 500) {
    return { code: 'remote-unavailable', disposition: 'retry', says: 'Kizen has a problem' };
  }
  if (status >= 400) return judgeRefused(complaint);
  return {
    code: 'remote-bad-answer',
    disposition: 'retry',
    says: 'an answer that is not the API’s',
    hint: `Check ${names['apiUrl']}; redirects are not followed.`,
  };
}

function judgeRefused(complaint: Complaint | null): Verdict {
  if (complaint?.isPart) {
    return {
      code: 'remote-bad-answer',
      disposition: 'retry',
      says: 'a part of the page, with errors instead of the rest',
    };
  }
  if (complaint?.codes.has('unique')) {
    return {
      code: 'remote-duplicate',
      disposition: 'park',
      says: 'another record has this unique value',
      hint: 'Change the value, or edit the record that has it.',
    };
  }
  return {
    code: 'remote-invalid',
    disposition: 'park',
    says: 'Kizen refuses the request',
    hint: 'The server’s reason is kept with the change in the outbox.',
  };
}

/** Without the list of objects nothing can go on; any other refusal concerns one of them, or a record. */
function scopeOf({ endpoint }: CallSubject): Disposition {
  return endpoint === OBJECTS || endpoint === BUSINESS ? 'halt' : 'park';
}

/**
 * Every refusal of the API's own is JSON: a page of HTML or nothing comes from what stands before
 * it, or from an address that is none of the API's. Its 404 is no evidence that a record is gone.
 */
function isGateways(status: number, complaint: Complaint | null): boolean {
  // Of a limit it tells the truth, whoever's limit it is.
  return complaint === null && status >= 400 && status !== 413 && status !== 429;
}

function gatewayVerdict(status: number, names: SettingNames): Verdict {
  return {
    code: status >= 500 ? 'remote-unavailable' : 'remote-bad-answer',
    disposition: 'retry',
    says: 'an answer that is not the API’s',
    hint: `It usually passes; if not, check ${names['apiUrl']}.`,
  };
}

function parseOrNull(said: string): unknown {
  try {
    return parseJson(said);
  } catch {
    return null;
  }
}
