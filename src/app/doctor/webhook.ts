import type { Database } from '../../db/connection/database.ts';
import { forgetHook, type Hook, readHook } from '../../db/service/hook.ts';
import { SyncError } from '../../domain/errors.ts';
import type { Remote, RemoteHook } from '../../domain/remote.ts';
import type { Config } from '../config/config.ts';
import { isSameAddress, removeHooks } from '../hooks/registration.ts';
import { openDatabaseOnly } from '../open-database.ts';
import { openRemote } from '../open-remote.ts';
import {
  type Check,
  type DoctorOptions,
  type Finding,
  failed,
  ok,
  type ToldHooks,
} from './check.ts';

const NAME = 'webhook';
const FORGET = 'run `clarify-sync doctor --forget-webhook`';

/** Asked where an address is set alone: a key may do without the right to it. */
export async function askHooks(
  config: Config,
  { hooks }: Pick<Remote, 'hooks'>,
  signal: AbortSignal,
): Promise<ToldHooks> {
  if (config.hookUrl == null || hooks === undefined) return null;
  try {
    return { hooks: await hooks.list({ priority: 'push', signal, withinMs: 5_000 }) };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { problem: error };
  }
}

/** Null where no address is set, and none was. */
export async function checkHook(
  db: Database,
  config: Config,
  told: ToldHooks,
): Promise<Finding | null> {
  const hook = await readHook(db);
  const { crm, hookUrl } = config;
  if (hookUrl == null) {
    if (hook === null || hook.secret === null) return null;
    const detail = `${crm.title} calls ${hook.targetUrl}, and CLARIFY_SYNC_PUBLIC_URL is not set`;
    return { state: 'warn', detail, hint: `set it, or ${FORGET}` };
  }
  if (told !== null && 'problem' in told) {
    const { code, message, hint } = told.problem;
    const detail = `changes arrive by scans alone: [${code}] ${message}`;
    return { state: 'warn', detail, hint: hint ?? `look up ${code} in docs/errors.md` };
  }
  return judgeHook(hook, { title: crm.title, url: hookUrl, hooks: told?.hooks ?? null });
}

function judgeHook(
  hook: Hook | null,
  about: {
    readonly title: string;
    readonly url: string;
    readonly hooks: readonly RemoteHook[] | null;
  },
): Finding {
  const { title, url, hooks } = about;
  if (hook === null || hook.secret === null) {
    const why = hook === null ? 'none yet' : 'taken away';
    return ok(`${why}: \`clarify-sync run\` asks ${title} to call ${url}`);
  }
  const standing = hooks?.find(({ id }) => id === hook.hookId);
  const addresses = [hook.targetUrl, ...(standing === undefined ? [] : [standing.url])];
  const isElsewhere = !addresses.every((one) => isSameAddress(one, url));
  if (isElsewhere || (hooks !== null && standing === undefined)) {
    const detail = isElsewhere ? `${title} calls another address` : `${title} calls ${url} no more`;
    return { state: 'warn', detail, hint: 'a running `clarify-sync run` mends it within minutes' };
  }
  const state = standing?.state ?? hook.state;
  if (state === 'active') return ok(`${title} calls ${url}`);
  const detail = `${state}: ${title} could not deliver what it told to ${url}`;
  return {
    state: 'warn',
    detail,
    hint: 'see that this address is reached from outside; `clarify-sync run` makes it anew',
  };
}

/** Has the CRM call nobody any more, whether or not a service runs. */
export async function forgetWebhook(config: Config, options: DoctorOptions): Promise<Check> {
  const { log, signal } = options;
  const { title } = config.crm;
  const remote = await openRemote(config, log);
  try {
    if (remote.hooks === undefined) return { name: NAME, ...ok(`${title} calls nobody`) };
    const { db, stop } = await openDatabaseOnly(config, { log });
    try {
      const about = { known: await readHook(db), url: config.hookUrl ?? null };
      const call = { priority: 'push', signal, withinMs: 10_000 } as const;
      const removed = await removeHooks(remote.hooks, about, call);
      await forgetHook(db);
      const detail = removed === 0 ? 'there was none' : `taken away: ${title} calls no more`;
      return { name: NAME, ...ok(detail) };
    } finally {
      await stop();
    }
  } catch (error) {
    return failed(NAME, error);
  } finally {
    await remote.stop();
  }
}
