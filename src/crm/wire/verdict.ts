import {
  type Disposition,
  INTERCEPTED,
  RemoteError,
  type RemoteErrorOptions,
} from '../../domain/errors.ts';
import { parseJson } from '../../domain/json.ts';
import type { Refusal } from './api.ts';
import type { CallSubject } from './call.ts';

/** What a refusal comes to. */
export interface Verdict {
  readonly code: string;
  readonly disposition: Disposition;
  /** For the message: never a value. */
  readonly says: string;
  readonly hint?: string | undefined;
}

/** What was refused, and by whom. */
export interface About {
  /** The CRM, as people name it. */
  readonly title: string;
  /** By key: what each setting is called where it was given. */
  readonly names: Readonly<Record<string, string>>;
  readonly subject: CallSubject;
  /** Endpoints without which nothing can go on; a refusal by any other concerns one object, or a record. */
  readonly needed: readonly string[];
}

/** What a status says of itself, to any client of HTTP; what an API means by it besides goes before. */
export function ordinaryVerdict(status: number, about: About): Verdict {
  const { title, names, subject } = about;
  switch (status) {
    case 401:
      return {
        code: 'remote-unauthorized',
        disposition: 'halt',
        says: `${title} does not accept the key`,
        hint: `Check ${names['apiKey']}.`,
      };
    case 402:
      return {
        code: 'remote-payment-required',
        // No record is to blame: what waits to be written goes out once that is settled.
        disposition: subject.records === undefined ? scopeOf(about) : 'retry',
        says: `${title} wants to be paid first`,
        hint: `Check the plan in ${title}.`,
      };
    case 403:
      return {
        code: 'remote-forbidden',
        disposition: scopeOf(about),
        says: `${title} forbids it`,
        hint: `Check what ${names['apiKey']} may do.`,
      };
    case 404:
      return {
        code: 'remote-not-found',
        disposition: scopeOf(about),
        says: `${title} knows no such object or record`,
        hint: isNeeded(about) ? `Check ${names['apiUrl']}.` : undefined,
      };
    case 408:
    case 425:
      return { code: 'remote-unavailable', disposition: 'retry', says: `${title} gave up waiting` };
    case 409:
      return {
        code: 'remote-busy',
        disposition: 'retry',
        says: `${title} is busy with another change`,
      };
    case 413:
      return {
        code: 'remote-too-large',
        disposition: 'park',
        says: `the request is larger than ${title} takes`,
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
    return { code: 'remote-unavailable', disposition: 'retry', says: `${title} has a problem` };
  }
  if (status >= 400) {
    return {
      code: 'remote-invalid',
      disposition: 'park',
      says: `${title} refuses the request`,
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

/** A value that no two records may share. */
export const DUPLICATE: Verdict = {
  code: 'remote-duplicate',
  disposition: 'park',
  says: 'another record has this unique value',
  hint: 'Change the value, or edit the record that has it.',
};

/**
 * It comes from what stands before the API, such as a firewall: its 404 is no evidence that a record
 * is gone, nor its 401 or 403 that a key is. Of a limit it tells the truth, whoever's limit it is.
 */
export function gatewayVerdict(status: number, about: About): Verdict {
  if (status === 413 || status === 429) return ordinaryVerdict(status, about);
  if (about.subject.records !== undefined && status < 500) {
    return {
      code: INTERCEPTED,
      disposition: 'retry',
      says: `a gateway or a firewall answered instead of ${about.title}`,
      hint: 'It usually passes. If one change alone meets it, what it holds is taken for an attack: write it in other words, or have it let through.',
    };
  }
  return {
    code: status >= 500 ? 'remote-unavailable' : 'remote-bad-answer',
    disposition: 'retry',
    says: `a gateway answered instead of ${about.title}`,
    hint: `It usually passes; if not, check ${about.names['apiUrl']}.`,
  };
}

/** @param where what the message says behind the status, such as `, field "name"` */
export function remoteError(
  { status, retryAfterMs }: Refusal,
  { endpoint }: CallSubject,
  { code, disposition, says, hint }: Verdict,
  {
    where,
    ...details
  }: Pick<RemoteErrorOptions, 'culprit' | 'blames' | 'field' | 'reason'> & {
    readonly where: string;
  },
): RemoteError {
  return new RemoteError(`${endpoint}: ${says} (${status}${where})`, {
    ...details,
    code,
    disposition,
    hint,
    status,
    retryAfterMs: retryAfterMs ?? undefined,
  });
}

/** `, field "name"`, where one is named. */
export function fieldNamed(field: string | undefined): string {
  return field === undefined ? '' : `, field ${JSON.stringify(field)}`;
}

/** What a body says; null where it is no JSON. */
export function parseOrNull(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function isNeeded({ subject, needed }: About): boolean {
  return needed.includes(subject.endpoint);
}

function scopeOf(about: About): Disposition {
  return isNeeded(about) ? 'halt' : 'park';
}
