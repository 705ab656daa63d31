import { z } from 'zod';
import { type Disposition, RemoteError, type RemoteErrorOptions } from '../domain/errors.ts';
import { parseJson } from '../domain/json.ts';

/** What the error is about, for its message: names and counts, never a value. */
export interface CallSubject {
  /** `POST /objects/person/records/bulk` */
  readonly endpoint: string;
  /** Records in a bulk write. */
  readonly records?: number | undefined;
  /** Fields the CRM keeps unique. */
  readonly uniqueFields?: ReadonlySet<string> | undefined;
}

export interface Complaint {
  /** Position of the record in the bulk request. */
  readonly culprit: number | undefined;
  readonly field: string | undefined;
  /** The list of records itself, or another key of the body, rather than one record. */
  readonly about: 'record' | 'list' | 'body' | 'unknown';
  readonly reason: string | undefined;
}

/** What concerns everything is known by it. */
export const SCHEMAS = 'GET /schemas';

interface Verdict {
  readonly code: string;
  readonly disposition: Disposition;
  readonly says: string;
  readonly hint?: string;
}

/** Classifies an answer other than 2xx, by its status and by what its pointer names. */
export function answerError(
  { status, text, retryAfterMs }: { status: number; text: string; retryAfterMs: number | null },
  subject: CallSubject,
): RemoteError {
  const complaint = readComplaint(text, subject.records);
  const verdict = isGateways(text, status)
    ? gatewayVerdict(status)
    : judge(status, complaint, subject);
  const which =
    subject.records !== undefined && subject.records > 1 && complaint.culprit !== undefined
      ? `, record ${complaint.culprit + 1} of ${subject.records}`
      : '';
  const where = complaint.field === undefined ? '' : `, field ${JSON.stringify(complaint.field)}`;
  return new RemoteError(`${subject.endpoint}: ${verdict.says} (${status}${which}${where})`, {
    code: verdict.code,
    disposition: verdict.disposition,
    hint: verdict.hint,
    status,
    culprit: complaint.culprit,
    field: complaint.field,
    reason: complaint.reason,
    retryAfterMs: retryAfterMs ?? undefined,
  });
}

/** The same error, with something told better by one who knows more. */
export function changedError(
  error: RemoteError,
  { message, ...changes }: Partial<RemoteErrorOptions> & { message?: string },
): RemoteError {
  const { code, disposition, hint, cause, status, ambiguous, culprit, field } = error;
  const { retryAfterMs, reason } = error;
  return new RemoteError(message ?? error.message, {
    code,
    disposition,
    hint,
    cause,
    status,
    ambiguous,
    culprit,
    field,
    retryAfterMs,
    reason,
    ...changes,
  });
}

function judge(status: number, complaint: Complaint, subject: CallSubject): Verdict {
  switch (status) {
    case 401:
      return {
        code: 'remote-unauthorized',
        disposition: 'halt',
        says: 'Clarify does not accept the key',
        hint: 'Check CLARIFY_API_KEY (the whole key, not revoked) and CLARIFY_WORKSPACE (the slug in the app’s address): a wrong slug is answered like a wrong key. Or sign in again.',
      };
    case 402:
      return {
        code: 'remote-payment-required',
        // No record is to blame: what waits to be written goes out once that is settled.
        disposition: subject.records === undefined ? scopeOf(subject) : 'retry',
        says: 'Clarify wants to be paid first',
        hint: 'Check the plan of the workspace in Clarify.',
      };
    case 403:
      return {
        code: 'remote-forbidden',
        // A write may be forbidden for one record, such as a calendar-synced meeting: its batch is
        // taken apart, and the rest delivered.
        disposition: scopeOf(subject),
        says: 'Clarify forbids it',
        hint: 'Check what the key may do: a Workspace key sees public data only.',
      };
    case 404:
      return subject.endpoint === SCHEMAS
        ? {
            code: 'remote-workspace-not-found',
            disposition: 'halt',
            says: 'Clarify knows no such workspace',
            hint: 'Check CLARIFY_WORKSPACE (the slug in the app’s address) and that CLARIFY_API_URL ends in /v1.',
          }
        : {
            code: 'remote-not-found',
            disposition: 'park',
            says: 'Clarify knows no such object or record',
          };
    case 408:
    case 425:
      return { code: 'remote-unavailable', disposition: 'retry', says: 'Clarify gave up waiting' };
    case 409:
      return {
        code: 'remote-busy',
        disposition: 'retry',
        says: 'Clarify is busy with another change, such as one of the schema',
      };
    case 413:
      return {
        code: 'remote-too-large',
        disposition: 'park',
        says: 'the request is larger than Clarify takes',
      };
    case 429:
      return {
        code: 'remote-rate-limited',
        disposition: 'retry',
        says: 'the rate limit is used up',
        hint: 'It passes by itself; lower `allowance` if other programs need their share.',
      };
    default:
      return judgeRange(status, complaint, subject);
  }
}

/** Without the schema nothing can go on; any other refusal concerns one object, or one record. */
function scopeOf({ endpoint }: CallSubject): Disposition {
  return endpoint === SCHEMAS ? 'halt' : 'park';
}

function judgeRange(status: number, complaint: Complaint, subject: CallSubject): Verdict {
  if (status >= 500) {
    return { code: 'remote-unavailable', disposition: 'retry', says: 'Clarify has a problem' };
  }
  if (complaint.about === 'list' && subject.records !== undefined && subject.records > 1) {
    return { code: 'remote-too-large', disposition: 'park', says: 'too many records at once' };
  }
  if (status >= 400) {
    return status === 400 && isDuplicate(complaint, subject)
      ? {
          code: 'remote-duplicate',
          disposition: 'park',
          says: 'another record has this unique value',
          hint: 'Change the value, or edit the record that has it.',
        }
      : {
          code: 'remote-invalid',
          disposition: 'park',
          says: 'Clarify refuses the request',
          hint: 'The server’s reason is kept with the change in the outbox.',
        };
  }
  return {
    code: 'remote-bad-answer',
    disposition: 'retry',
    says: 'an answer that is not the API’s',
    hint: 'Check CLARIFY_API_URL; redirects are not followed.',
  };
}

/**
 * The one case that status and pointer do not always settle: a duplicate is a plain 400 with
 * neither title nor source. Both readings park, so a wrong guess costs a worse hint only.
 */
function isDuplicate(complaint: Complaint, { uniqueFields }: CallSubject): boolean {
  if (complaint.field !== undefined && uniqueFields?.has(complaint.field)) return true;
  return /\b(?:duplicate|unique|already)\b/i.test(complaint.reason ?? '');
}

/**
 * It comes from what stands before the API, such as a firewall: its 404 is no evidence that a record
 * is gone, nor its 401 or 403 that a key is.
 */
function gatewayVerdict(status: number): Verdict {
  if (status === 413 || status === 429) {
    return judge(status, NO_COMPLAINT, { endpoint: '' });
  }
  return {
    code: status >= 500 ? 'remote-unavailable' : 'remote-bad-answer',
    disposition: 'retry',
    says: 'a gateway answered instead of Clarify',
    hint: 'It usually passes; if not, check CLARIFY_API_URL.',
  };
}

/** The API speaks JSON, or says nothing: a page is another's, and so is a firewall's line of text. */
function isGateways(text: string, status: number): boolean {
  if (/^\s*</.test(text)) return true;
  return status >= 401 && status <= 404 && /^\s*[^\s{["]/.test(text);
}

const NO_COMPLAINT: Complaint = {
  culprit: undefined,
  field: undefined,
  about: 'unknown',
  reason: undefined,
};

const complaints = z.union([
  z.object({
    errors: z
      .array(
        z.looseObject({
          title: z.string().optional().catch(undefined),
          detail: z.string().optional().catch(undefined),
          source: z
            .looseObject({ pointer: z.string().optional().catch(undefined) })
            .optional()
            .catch(undefined),
        }),
      )
      .min(1),
  }),
  z.object({ message: z.union([z.string(), z.array(z.string())]) }),
]);

/** What the server's error body names. Never throws: errors come in every shape. */
export function readComplaint(text: string, records?: number): Complaint {
  const parsed = complaints.safeParse(parseOrNull(text));
  const only = records === 1 ? 0 : undefined;
  if (!parsed.success) return { ...NO_COMPLAINT, culprit: only };
  if ('message' in parsed.data) {
    const { message } = parsed.data;
    const reason = typeof message === 'string' ? message : message.join('; ');
    return { ...NO_COMPLAINT, culprit: only, reason };
  }
  const found = parsed.data.errors.map(({ detail, title, source }) => ({
    ...readPointer(source?.pointer ?? /^(\/\S*?):?(?:\s|$)/.exec(detail ?? '')?.[1]),
    reason: detail ?? title,
  }));
  const best =
    found.find(({ culprit }) => culprit !== undefined) ??
    found.find(({ field }) => field !== undefined) ??
    found[0];
  // A complaint about another key of the body is about no record, not even the only one.
  const culprit = best?.culprit ?? (best?.about === 'body' ? undefined : only);
  return { ...NO_COMPLAINT, ...best, culprit };
}

function parseOrNull(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

/**
 * `/data/3/attributes/email_addresses/items/0`, `/data/attributes/x`, `/items/2`, `/data`; another
 * key of the body, such as `/match_on`, counts as a field.
 */
function readPointer(pointer: string | undefined): Omit<Complaint, 'reason'> {
  const path = (pointer ?? '')
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const [list, ...rest] = path;
  if (list === undefined) return { culprit: undefined, field: undefined, about: 'unknown' };
  if (list !== 'data' && list !== 'items') {
    return { culprit: undefined, field: list, about: 'body' };
  }
  const indexed = rest[0] !== undefined && /^\d{1,6}$/.test(rest[0]);
  const inside = indexed ? rest.slice(1) : rest;
  const [part, name] = inside;
  return {
    culprit: indexed ? Number(rest[0]) : undefined,
    field: part === 'attributes' || part === 'relationships' ? name : undefined,
    about: rest.length === 0 ? 'list' : 'record',
  };
}
