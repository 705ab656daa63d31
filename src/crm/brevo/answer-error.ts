import * as z from 'zod';
import type { RemoteError } from '../../domain/errors.ts';
import type { SettingNames } from '../adapter.ts';
import type { Refusal } from '../wire/api.ts';
import type { CallSubject } from '../wire/call.ts';
import {
  type About,
  fieldNamed,
  gatewayVerdict,
  ordinaryVerdict,
  parseOrNull,
  remoteError,
  type Verdict,
} from '../wire/verdict.ts';
import { ACCOUNT } from './account.ts';
import { TITLE } from './title.ts';

/** Classifies an answer other than 2xx by its status and its `code`, never by its message. */
export function answerError(
  refusal: Refusal,
  subject: CallSubject,
  names: SettingNames,
): RemoteError {
  const { status, text } = refusal;
  const { code, reason, clashes } = readComplaint(text);
  const about = { title: TITLE, names, subject, needed: [ACCOUNT] };
  const verdict = isGateways(text) ? gatewayVerdict(status, about) : judge(status, code, about);
  const [field] = clashes;
  return remoteError(refusal, subject, verdict, {
    where: fieldNamed(field),
    culprit: subject.records === 1 ? 0 : undefined,
    field,
    reason,
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

function judgeStatus(status: number, about: About): Verdict {
  const ordinary = ordinaryVerdict(status, about);
  switch (status) {
    case 401:
      return {
        ...ordinary,
        hint: `Check ${about.names['apiKey']}: the whole key, an API key and not an SMTP key, and that this machine’s address may use it.`,
      };
    case 402:
      return { ...ordinary, hint: 'Check the plan and the credits of the account in Brevo.' };
    case 403:
      return {
        ...ordinary,
        hint: about.subject.endpoint.includes('/objects/')
          ? 'Check that the plan has custom objects, and that the object is one.'
          : 'Check the plan, and what the key may do.',
      };
    case 408:
    case 425:
      return { code: 'remote-busy', disposition: 'retry', says: 'it is too early for that' };
    case 424:
      return {
        ...ordinary,
        says: 'the object has no primary attribute',
        hint: 'Give the object a primary attribute in Brevo.',
      };
    default:
      return ordinary;
  }
}

/**
 * A page comes from what stands before the API: its 404 is no evidence that a record is gone. An
 * answer without a body may be the API's own.
 */
function isGateways(said: string): boolean {
  return /^\s*</.test(said);
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
