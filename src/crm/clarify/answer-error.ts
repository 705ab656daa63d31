import * as z from 'zod';
import type { Blame, RemoteError } from '../../domain/errors.ts';
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

interface Complaint {
  /** Position of the record in the bulk request. */
  readonly culprit: number | undefined;
  readonly field: string | undefined;
  /** The list of records itself, or another key of the body, rather than one record. */
  readonly about: 'record' | 'list' | 'body' | 'unknown';
  readonly reason: string | undefined;
}

/** What concerns everything is known by it. */
export const SCHEMAS = 'GET /schemas';

/** Classifies an answer other than 2xx, by its status and by what its pointer names. */
export function answerError(
  refusal: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const { status, text } = refusal;
  const about = { title: TITLE, names, subject, needed: [SCHEMAS] };
  const all = readComplaints(text);
  const complaint = mainComplaint(all, subject.records);
  const { culprit, field, reason } = complaint;
  const ofGateway = isGateways(text, status);
  const verdict = ofGateway ? gatewayVerdict(status, about) : judge(status, complaint, about);
  const which =
    subject.records !== undefined && subject.records > 1 && culprit !== undefined
      ? `, record ${culprit + 1} of ${subject.records}`
      : '';
  return remoteError(refusal, subject, verdict, {
    where: `${which}${fieldNamed(field)}`,
    culprit,
    blames:
      verdict.disposition === 'park' && !ofGateway
        ? blamesOf(all, (one) => judge(status, one, about).code)
        : undefined,
    field,
    reason,
  });
}

function judge(status: number, complaint: Complaint, about: About): Verdict {
  const { subject, names } = about;
  const ordinary = ordinaryVerdict(status, about);
  switch (status) {
    case 401:
      return {
        ...ordinary,
        hint: `Check ${names['apiKey']} (the whole key, not revoked) and ${names['workspace']} (the slug in the app’s address): a wrong slug is answered like a wrong key. Or sign in again.`,
      };
    case 402:
      return { ...ordinary, hint: 'Check the plan of the workspace in Clarify.' };
    case 403:
      // A write may be forbidden for one record, such as a calendar-synced meeting: its batch is
      // taken apart, and the rest delivered.
      return {
        ...ordinary,
        hint: 'Check what the key may do: a Workspace key sees public data only.',
      };
    case 404:
      return subject.endpoint === SCHEMAS
        ? {
            code: 'remote-workspace-not-found',
            disposition: 'halt',
            says: 'Clarify knows no such workspace',
            hint: `Check ${names['workspace']} (the slug in the app’s address) and that ${names['apiUrl']} ends in /v1.`,
          }
        : ordinary;
    case 409:
      return {
        ...ordinary,
        says: 'Clarify is busy with another change, such as one of the schema',
      };
    default:
      return ordinary.code === 'remote-invalid'
        ? judgeRefused(status, complaint, { subject, ordinary })
        : ordinary;
  }
}

function judgeRefused(
  status: number,
  complaint: Complaint,
  { subject, ordinary }: { readonly subject: CallSubject; readonly ordinary: Verdict },
): Verdict {
  if (complaint.about === 'list' && subject.records !== undefined && subject.records > 1) {
    return { code: 'remote-too-large', disposition: 'park', says: 'too many records at once' };
  }
  return status === 400 && isDuplicate(complaint, subject) ? DUPLICATE : ordinary;
}

/**
 * The one case that status and pointer do not always settle: a duplicate is a plain 400 with
 * neither title nor source. Both readings park, so a wrong guess costs a worse hint only.
 */
function isDuplicate(complaint: Complaint, { uniqueFields }: CallSubject): boolean {
  if (complaint.field !== undefined && uniqueFields?.has(complaint.field)) return true;
  return /\b(?:duplicate|unique|already)\b/i.test(complaint.reason ?? '');
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

/** What the server's error body names, in its order. Never throws: errors come in every shape. */
function readComplaints(text: string): readonly Complaint[] {
  const parsed = complaints.safeParse(parseOrNull(text));
  if (!parsed.success) return [];
  if ('message' in parsed.data) {
    const { message } = parsed.data;
    return [
      { ...NO_COMPLAINT, reason: typeof message === 'string' ? message : message.join('; ') },
    ];
  }
  return parsed.data.errors.map(({ detail, title, source }) => ({
    ...readPointer(source?.pointer ?? /^(\/\S*?):?(?:\s|$)/.exec(detail ?? '')?.[1]),
    reason: detail ?? title,
  }));
}

/** The one that says most of what the call is refused for. */
function mainComplaint(found: readonly Complaint[], records?: number): Complaint {
  const only = records === 1 ? 0 : undefined;
  const best =
    found.find(({ culprit }) => culprit !== undefined) ??
    found.find(({ field }) => field !== undefined) ??
    found[0];
  // A complaint about another key of the body is about no record, not even the only one.
  const culprit = best?.culprit ?? (best?.about === 'body' ? undefined : only);
  return { ...NO_COMPLAINT, ...best, culprit };
}

/** Of each record that is named what comes first; undefined where none or only one is. */
function blamesOf(
  found: readonly Complaint[],
  codeOf: (complaint: Complaint) => string,
): readonly Blame[] | undefined {
  const blames = new Map<number, Blame>();
  for (const complaint of found) {
    const { culprit: position, field, reason } = complaint;
    if (position === undefined || blames.has(position)) continue;
    blames.set(position, { position, code: codeOf(complaint), field, reason: asAlone(reason) });
  }
  return blames.size > 1 ? [...blames.values()] : undefined;
}

/** A text that begins with where the record stands among others, as it is of that record alone. */
function asAlone(reason: string | undefined): string | undefined {
  return reason?.replace(/^\/(data|items)\/\d{1,6}(?=\/|:|\s|$)/, '/$1/0');
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
