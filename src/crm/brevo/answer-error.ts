import * as z from 'zod';
import { type Disposition, RemoteError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/json.ts';
import type { SettingNames } from '../adapter.ts';
import type { Refusal } from '../wire/api.ts';
import type { CallSubject } from '../wire/call.ts';
import { ACCOUNT } from './account.ts';

interface Verdict {
  readonly code: string;
  readonly disposition: Disposition;
  readonly says: string;
  readonly hint?: string | undefined;
}

interface About {
  readonly subject: CallSubject;
  readonly names: SettingNames;
}

/** Classifies an answer other than 2xx by its status and its `code`, never by its message. */
export function answerError(
  { status, text, retryAfterMs }: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const complaint = readComplaint(text);
  const about = { subject, names };
  const verdict = isGateways(text, status)
    ? gatewayVerdict(status, names)
    : judge(status, complaint.code, about);
  const field = complaint.clashes[0];
  const where = field === undefined ? '' : `, field ${JSON.stringify(field)}`;
  return new RemoteError(`${subject.endpoint}: ${verdict.says} (${status}${where})`, {
    code: verdict.code,
    disposition: verdict.disposition,
    hint: verdict.hint,
    status,
    culprit: subject.records === 1 ? 0 : undefined,
    field,
    reason: complaint.reason,
    retryAfterMs: retryAfterMs ?? undefined,
  });
}

function judge(status: number, code: string | undefined, about: About): Verdict {
  switch (code) {
    case 'duplicate_parameter':
      return {
        code: 'remote-duplicate',
        disposition: 'park',
        says: 'another contact has one of its identifiers',
        hint: 'Change the e-mail, `ext_id` or SMS, or edit the contact that has it.',
      };
    case 'account_in_process':
      return { code: 'remote-busy', disposition: 'retry', says: 'the account is being set up' };
    case 'unauthorized':
      return judgeStatus(401, about);
    case 'permission_denied':
      return judgeStatus(403, about);
    case 'not_enough_credits':
      return judgeStatus(402, about);
    default:
      return judgeStatus(status, about);
  }
}

function judgeStatus(status: number, { subject, names }: About): Verdict {
  switch (status) {
    case 401:
      return {
        code: 'remote-unauthorized',
        disposition: 'halt',
        says: 'Brevo does not accept the key',
        hint: `Check ${names['apiKey']}: the whole key, an API key and not an SMTP key, and that this machine’s address may use it.`,
      };
    case 402:
      return {
        code: 'remote-payment-required',
        disposition: subject.records === undefined ? scopeOf(subject) : 'retry',
        says: 'Brevo wants to be paid first',
        hint: 'Check the plan and the credits of the account in Brevo.',
      };
    case 403:
      return {
        code: 'remote-forbidden',
        disposition: scopeOf(subject),
        says: 'Brevo forbids it',
        hint: subject.endpoint.includes('/objects/')
          ? 'Check that the plan has custom objects, and that the object is one.'
          : 'Check the plan, and what the key may do.',
      };
    case 404:
      return {
        code: 'remote-not-found',
        disposition: scopeOf(subject),
        says: 'Brevo knows no such object or record',
        hint: subject.endpoint === ACCOUNT ? `Check ${names['apiUrl']}.` : undefined,
      };
    case 408:
    case 425:
      return { code: 'remote-busy', disposition: 'retry', says: 'it is too early for that' };
    case 409:
      return { code: 'remote-busy', disposition: 'retry', says: 'Brevo is busy with a change' };
    case 413:
      return {
        code: 'remote-too-large',
        disposition: 'park',
        says: 'the request is larger than Brevo takes',
      };
    case 424:
      return {
        code: 'remote-invalid',
        disposition: 'park',
        says: 'the object has no primary attribute',
        hint: 'Give the object a primary attribute in Brevo.',
      };
    case 429:
      return {
        code: 'remote-rate-limited',
        disposition: 'retry',
        says: 'the budget of requests is used up',
        hint: 'It passes by itself; lower `allowance` if other programs need their share.',
      };
  }
  if (status >= 500) {
    return { code: 'remote-unavailable', disposition: 'retry', says: 'Brevo has a problem' };
  }
  if (status >= 400) {
    return {
      code: 'remote-invalid',
      disposition: 'park',
      says: 'Brevo refuses the request',
      hint: 'The server’s reason is kept with the change in the outbox.',
    };
  }
  return {
    code: 'remote-bad-answer',
    disposition: 'retry',
    says: 'an answer that is not the API’s',
    hint: `Check ${names['apiUrl']}; redirects are not followed.`,
  };
}

/** Without the account nothing can go on; any other refusal concerns one object, or a record. */
function scopeOf({ endpoint }: CallSubject): Disposition {
  return endpoint === ACCOUNT ? 'halt' : 'park';
}

/**
 * A page comes from what stands before the API: its 404 is no evidence that a record is gone. An
 * answer without a body may be the API's own.
 */
function isGateways(said: string, status: number): boolean {
  return status !== 413 && status !== 429 && /^\s*</.test(said);
}

function gatewayVerdict(status: number, names: SettingNames): Verdict {
  return {
    code: status >= 500 ? 'remote-unavailable' : 'remote-bad-answer',
    disposition: 'retry',
    says: 'a gateway answered instead of Brevo',
    hint: `It usually passes; if not, check ${names['apiUrl']}.`,
  };
}

interface Complaint {
  readonly code: string | undefined;
  readonly reason: string | undefined;
  /** Columns of a contact whose value another one has. */
  readonly clashes: readonly string[];
}

const body = z.looseObject({
  code: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  metadata: z.unknown(),
});

/** Never throws: errors come in every shape, and without one. */
function readComplaint(said: string): Complaint {
  const parsed = body.safeParse(parseOrNull(said));
  if (!parsed.success) return { code: undefined, reason: undefined, clashes: [] };
  const { code, message, metadata } = parsed.data;
  const clashes = clashesIn(metadata);
  const told = clashes.length === 0 ? [] : [`taken: ${clashes.join(', ')}`];
  const reasons = [message ?? code ?? [], told].flat();
  return { code, reason: reasons.length === 0 ? undefined : reasons.join('; '), clashes };
}

const COLUMNS: readonly (readonly [RegExp, string])[] = [
  [/^e-?mail(_?id)?$/i, 'email'],
  [/^ext_?id$/i, 'ext_id'],
  [/^(sms|phone(_?id)?)$/i, 'sms'],
];

/** Which identifiers clash, however `metadata` says it: as names of members, or as texts. */
function clashesIn(metadata: unknown): readonly string[] {
  const words: string[] = [];
  const look = (value: unknown, depth: number): void => {
    if (depth > 3) return;
    if (typeof value === 'string') words.push(value);
    else if (Array.isArray(value)) for (const one of value) look(one, depth + 1);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value)) {
        words.push(key);
        look(part, depth + 1);
      }
    }
  };
  look(metadata, 0);
  return COLUMNS.filter(([pattern]) => words.some((word) => pattern.test(word))).map(
    ([, column]) => column,
  );
}

function parseOrNull(said: string): unknown {
  try {
    return parseJson(said);
  } catch {
    return null;
  }
}
