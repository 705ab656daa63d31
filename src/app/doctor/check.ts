import type { Logger } from '../log.ts';

/** What was found, without key and value, and what to do about it; null where it is fine. */
export type Finding = { readonly detail: string } & (
  | { readonly state: 'ok' | 'warn'; readonly hint: string | null }
  /** Whatever fails, there is something to do about it. */
  | { readonly state: 'fail'; readonly hint: string }
);

export function ok(detail: string): Finding {
  return { state: 'ok', detail, hint: null };
}

/** One thing that was looked at. */
export type Check = Finding & { readonly name: string };

export interface DoctorOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Make a copied database an installation of its own. */
  readonly adopt: boolean;
  /** Clarify is given up after this long; default 10 s. */
  readonly remoteLimitMs?: number;
}
