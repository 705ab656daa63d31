import * as z from 'zod';
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
import { TITLE } from './title.ts';

/** What tells whether the key is accepted. */
export const SELF = 'GET /self';
/** Without it nothing is known. */
export const OBJECTS = 'GET /objects';

/** Classifies an answer other than 2xx by its status and its `code`, never by its message. */
export function answerError(
  refusal: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const { status, text } = refusal;
  const complaint = readComplaint(text);
  const about = { title: TITLE, names, subject, needed: [OBJECTS, SELF] };
  const verdict = isGateways(text, { complaint, status })
    ? gatewayVerdict(status, about)
    : judge(status, complaint?.code, about);
  const field = complaint?.field;
  return remoteError(refusal, subject, verdict, {
    where: fieldNamed(field),
    culprit: subject.records === 1 ? 0 : undefined,
    field,
    reason: complaint?.reason,
  });
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
      return DUPLICATE;
    case 'billing_error':
      return judgeStatus(402, about);
    default:
  }
  return judgeStatus(status, about);
}

function judgeStatus(status: number, about: About): Verdict {
  const { names, subject } = about;
  // It answers 400 where the key does not even look like one.
  const ofKey = status === 401 || (subject.endpoint === SELF && status === 400);
  const ordinary = ordinaryVerdict(ofKey ? 401 : status, about);
  if (ofKey) {
    return { ...ordinary, hint: `Check ${names['apiKey']}: the whole key, and not revoked.` };
  }
  if (status === 402) return { ...ordinary, hint: 'Check the plan of the workspace in Attio.' };
  if (status !== 403) return ordinary;
  return {
    ...ordinary,
    hint: / \/webhooks/.test(subject.endpoint)
      ? `Give ${names['apiKey']} the scope webhook:read-write.`
      : `Check the scopes of ${names['apiKey']}: record_permission:read-write, object_configuration:read, user_management:read.`,
  };
}

/**
 * Every refusal of the API's own is JSON with a code: anything else comes from what stands before
 * it, whose 404 is no evidence that a record is gone, nor its 401 that a key is.
 */
function isGateways(
  said: string,
  { complaint, status }: { readonly complaint: Complaint | null; readonly status: number },
): boolean {
  if (complaint !== null) return false;
  return status >= 500 || (status >= 401 && status <= 404) || /^\s*</.test(said);
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
