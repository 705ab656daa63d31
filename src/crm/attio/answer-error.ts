import * as z from 'zod';
import { type Disposition, RemoteError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/json.ts';
import type { SettingNames } from '../adapter.ts';
import type { Refusal } from '../wire/api.ts';
import type { CallSubject } from '../wire/call.ts';

/** What tells whether the key is accepted. */
export const SELF = 'GET /self';
/** Without it nothing is known. */
export const OBJECTS = 'GET /objects';

interface Verdict {
  readonly code: string;
  readonly disposition: Disposition;
  readonly says: string;
  readonly hint?: string | undefined;
}

/** Classifies an answer other than 2xx by its status and its `code`, never by its message. */
export function answerError(
  { status, text, retryAfterMs }: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const complaint = readComplaint(text);
  const verdict = isGateways(text, { complaint, status })
    ? gatewayVerdict(status, names)
    : judge(status, complaint?.code, { subject, names });
  const field = complaint?.field;
  const where = field === undefined ? '' : `, field ${JSON.stringify(field)}`;
  return new RemoteError(`${subject.endpoint}: ${verdict.says} (${status}${where})`, {
    code: verdict.code,
    disposition: verdict.disposition,
    hint: verdict.hint,
    status,
    culprit: subject.records === 1 ? 0 : undefined,
    field,
    reason: complaint?.reason,
    retryAfterMs: retryAfterMs ?? undefined,
  });
}

interface About {
  readonly subject: CallSubject;
  readonly names: SettingNames;
}

/** Codes that say more than the status they come with, or come with several. */
function judge(status: number, code: string | undefined, about: About): Verdict {
  switch (code) {
    case 'merge_in_progress':
      return { code: 'remote-busy', disposition: 'retry', says: 'the record is being merged' };
    case 'concurrent_write_conflict':
      return {
        code: 'remote-busy',
        disposition: 'retry',
        says: 'Attio is busy with another change of the record',
      };
    case 'uniqueness_conflict':
    case 'multiple_match_results':
      if (status >= 500) break;
      return {
        code: 'remote-duplicate',
        disposition: 'park',
        says: 'another record has this unique value',
        hint: 'Change the value, or edit the record that has it.',
      };
    case 'billing_error':
      return {
        code: 'remote-payment-required',
        // No record is to blame: what waits to be written goes out once that is settled.
        disposition: about.subject.records === undefined ? scopeOf(about.subject) : 'retry',
        says: 'Attio wants to be paid first',
        hint: 'Check the plan of the workspace in Attio.',
      };
    default:
  }
  return judgeStatus(status, about);
}

function judgeStatus(status: number, { subject, names }: About): Verdict {
  // It answers 400 where the key does not even look like one.
  if (status === 401 || (subject.endpoint === SELF && status === 400)) {
    return {
      code: 'remote-unauthorized',
      disposition: 'halt',
      says: 'Attio does not accept the key',
      hint: `Check ${names['apiKey']}: the whole key, and not revoked.`,
    };
  }
  switch (status) {
    case 402:
      return judge(status, 'billing_error', { subject, names });
    case 403:
      return {
        code: 'remote-forbidden',
        disposition: scopeOf(subject),
        says: 'Attio forbids it',
        hint: / \/webhooks/.test(subject.endpoint)
          ? `Give ${names['apiKey']} the scope webhook:read-write.`
          : `Check the scopes of ${names['apiKey']}: record_permission:read-write, object_configuration:read, user_management:read.`,
      };
    case 404:
      return {
        code: 'remote-not-found',
        disposition: scopeOf(subject),
        says: 'Attio knows no such object or record',
        hint: subject.endpoint === OBJECTS ? `Check ${names['apiUrl']}.` : undefined,
      };
    case 408:
    case 425:
      return { code: 'remote-unavailable', disposition: 'retry', says: 'Attio gave up waiting' };
    case 409:
      return {
        code: 'remote-busy',
        disposition: 'retry',
        says: 'Attio is busy with another change',
      };
    case 413:
      return {
        code: 'remote-too-large',
        disposition: 'park',
        says: 'the request is larger than Attio takes',
      };
    case 429:
      return {
        code: 'remote-rate-limited',
        disposition: 'retry',
        says: 'the rate limit is used up',
        hint: 'It passes by itself; lower `allowance` if other programs need their share.',
      };
  }
  if (status >= 500) {
    return { code: 'remote-unavailable', disposition: 'retry', says: 'Attio has a problem' };
  }
  if (status >= 400) {
    return {
      code: 'remote-invalid',
      disposition: 'park',
      says: 'Attio refuses the request',
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

/** Without the list of objects nothing can go on; any other refusal concerns one of them, or a record. */
function scopeOf({ endpoint }: CallSubject): Disposition {
  return endpoint === OBJECTS || endpoint === SELF ? 'halt' : 'park';
}

/**
 * Every refusal of the API's own is JSON with a code: anything else comes from what stands before
 * it, whose 404 is no evidence that a record is gone, nor its 401 that a key is.
 */
function isGateways(
  said: string,
  { complaint, status }: { readonly complaint: Complaint | null; readonly status: number },
): boolean {
  // Of a limit it tells the truth, whoever's limit it is.
  if (complaint !== null || status === 413 || status === 429) return false;
  return status >= 500 || (status >= 401 && status <= 404) || /^\s*</.test(said);
}

function gatewayVerdict(status: number, names: SettingNames): Verdict {
  return {
    code: status >= 500 ? 'remote-unavailable' : 'remote-bad-answer',
    disposition: 'retry',
    says: 'a gateway answered instead of Attio',
    hint: `It usually passes; if not, check ${names['apiUrl']}.`,
  };
}

interface Complaint {
  readonly code: string | undefined;
  readonly field: string | undefined;
  readonly reason: string | undefined;
}

const maybeText = z.string().optional().catch(undefined);

const body = z.looseObject({
  /** All that is said of a key that was revoked. */
  active: z.boolean().optional().catch(undefined),
  code: maybeText,
  type: maybeText,
  message: maybeText,
  validation_errors: z
    .array(
      z.looseObject({
        message: maybeText,
        path: z
          .union([z.string(), z.array(z.union([z.string(), z.number()]))])
          .optional()
          .catch(undefined),
      }),
    )
    .optional()
    .catch(undefined),
});

/** Null where it is not the API that speaks. Never throws: errors come in every shape. */
function readComplaint(said: string): Complaint | null {
  const parsed = body.safeParse(parseOrNull(said));
  if (!parsed.success) return null;
  const { active, code, type, message, validation_errors: found = [] } = parsed.data;
  if ([active, code, type, message].every((part) => part === undefined)) return null;
  const fields = found.map(({ path }) => fieldIn(path));
  // The useful text is in what failed; the message alone often says no more than that it did.
  const reasons = [message, ...found.map((one) => one.message)].filter(
    (reason) => reason !== undefined,
  );
  return {
    code,
    field: fields.find((field) => field !== undefined),
    reason: reasons.length === 0 ? undefined : reasons.join('; '),
  };
}

/** `["data", "values", "email_addresses", 0]`, also written with dots or slashes. */
function fieldIn(path: string | readonly (string | number)[] | undefined): string | undefined {
  const parts = typeof path === 'string' ? path.split(/[./]/) : (path ?? []).map(String);
  const at = parts.indexOf('values');
  return at === -1 ? undefined : parts[at + 1];
}

function parseOrNull(said: string): unknown {
  try {
    return parseJson(said);
  } catch {
    return null;
  }
}
