import type { Logger } from './log.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail';
  /** What was found; no key, no value. */
  readonly detail: string;
  /** What to do about it; null where it is fine. */
  readonly hint: string | null;
}

export interface DoctorOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Make a copied database an installation of its own. */
  readonly adopt: boolean;
  /** Clarify is given up after this long; default 10 s. */
  readonly remoteLimitMs?: number;
}
