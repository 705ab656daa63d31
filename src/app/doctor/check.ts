import { SyncError } from '../../domain/errors.ts';
import type { RemoteHook, Undescribed } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
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

/** An error as a check. What is no SyncError is a bug, and not ours to hide. */
export function failed(name: string, error: unknown): Check {
  if (!(error instanceof SyncError)) throw error;
  const detail = `[${error.code}] ${error.message}`;
  return { name, state: 'fail', detail, hint: hintOf(error) };
}

/** What to do about it. */
export function hintOf({ code, hint }: SyncError): string {
  // Its own says to run what was just run.
  return code === 'database-permission'
    ? 'as an administrator, grant what is named here or listed at rights'
    : (hint ?? `look up ${code} in docs/errors.md`);
}

/** What the CRM tells of the addresses it calls; null where it was not asked. */
export type ToldHooks =
  | { readonly hooks: readonly RemoteHook[] }
  | { readonly problem: SyncError }
  | null;

/** What the CRM told of the workspace; null for what it did not. */
export interface ToldWorkspace {
  /** Which one it is. */
  readonly workspace: string | null;
  /** Its objects. */
  readonly schemas: readonly ObjectSchema[] | null;
  /** Those of them that it does not describe. */
  readonly undescribed: Undescribed;
  /** The addresses it calls. */
  readonly hooks: ToldHooks;
}

export interface DoctorOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Make a copied database an installation of its own. */
  readonly adopt: boolean;
  /** Have the CRM call nobody any more. */
  readonly forgetWebhook?: boolean;
  /** The CRM is given up after this long; default 10 s. */
  readonly remoteLimitMs?: number;
}
