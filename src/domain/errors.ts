/**
 * What to do about an error, decided once, where it enters the program:
 *
 * - `retry` it may pass by itself
 * - `park` this change or record cannot go on without a person; everything else can
 * - `halt` nothing can go on until a person mends the cause
 */
export type Disposition = 'retry' | 'park' | 'halt';

export interface SyncErrorOptions {
  readonly code: string;
  readonly disposition: Disposition;
  /** What the reader should do next, one line. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The base of every error we throw on purpose. `code` is stable and documented in
 * `docs/errors.md`; the message names object, id and next step, and never a field's value.
 */
export class SyncError extends Error {
  override readonly name: string = 'SyncError';
  readonly code: string;
  readonly disposition: Disposition;
  readonly hint: string | undefined;

  constructor(message: string, options: SyncErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.disposition = options.disposition;
    this.hint = options.hint;
  }
}

/**
 * Wrong usage or configuration: exit code 2. `problems` lists every mistake found. `code` is `usage`,
 * unless what is configured is at odds with what stands.
 */
export class UsageError extends SyncError {
  override readonly name = 'UsageError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], hint?: string, code?: string) {
    const isNamed = code !== undefined && { code };
    super(problems.join('; '), { code: 'usage', disposition: 'halt', hint, ...isNamed });
    this.problems = problems;
  }
}

/** What an answer says of one record of a call. */
export interface Blame {
  /** Position in the bulk request. */
  readonly position: number;
  readonly code: string;
  readonly field: string | undefined;
  /** The server's own words, as it would say them of this record alone. */
  readonly reason: string | undefined;
}

export interface RemoteErrorOptions extends SyncErrorOptions {
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  /** The write may have been carried out although no good answer came. */
  readonly ambiguous?: boolean | undefined;
  /** Position in the bulk request of the record the server objects to. */
  readonly culprit?: number | undefined;
  /** Every record of a bulk request that the answer names, once each; default the culprit alone. */
  readonly blames?: readonly Blame[] | undefined;
  /** The field the server objects to. */
  readonly field?: string | undefined;
  /** Not before this many milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The server's own words, which may quote values: for the outbox, never for a log. */
  readonly reason?: string | undefined;
}

/**
 * The code of a write that did not reach the API: something before it, such as a firewall, answered with
 * a refusal of its own. That passes, or has its reason in what one record holds.
 */
export const INTERCEPTED = 'remote-intercepted';

/** The CRM refused, failed, or did not answer. */
export class RemoteError extends SyncError {
  override readonly name = 'RemoteError';
  readonly status: number | null;
  readonly ambiguous: boolean;
  readonly culprit: number | undefined;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly #reason: string | undefined;
  readonly #blames: readonly Blame[];

  constructor(message: string, options: RemoteErrorOptions) {
    super(message, options);
    this.status = options.status;
    this.ambiguous = options.ambiguous ?? false;
    this.culprit = options.culprit;
    this.field = options.field;
    this.retryAfterMs = options.retryAfterMs;
    this.#reason = options.reason;
    const { culprit: position, code, field, reason } = options;
    const only = position === undefined ? [] : [{ position, code, field, reason }];
    this.#blames = options.blames ?? only;
  }

  /** A getter, so that no logger that writes out an error's own properties can leak it. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** A getter for the same reason. */
  get blames(): readonly Blame[] {
    return this.#blames;
  }
}

/** What the answer to a call of several says of one of them. */
export function blameAlone(error: RemoteError, { code, field, reason }: Blame): RemoteError {
  return changedError(error, { code, field, reason, culprit: 0, blames: undefined });
}

/** The same error, with something told better by one who knows more. */
export function changedError(
  error: RemoteError,
  { message, ...changes }: Partial<RemoteErrorOptions> & { message?: string },
): RemoteError {
  const { code, disposition, hint, cause, status, ambiguous, culprit, field } = error;
  const { retryAfterMs, reason, blames } = error;
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
    // Who is named anew is all that is named.
    blames: 'culprit' in changes ? undefined : blames,
    ...changes,
  });
}

/** It may pass: whoever works by a schedule leaves it to the next time. */
export function isPassing(error: unknown): error is SyncError {
  return error instanceof SyncError && error.disposition === 'retry';
}
