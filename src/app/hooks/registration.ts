import type { Database } from '../../db/connection/database.ts';
import { holdsLease } from '../../db/lease/lease.ts';
import { checkedHook, type Hook, readHook, storeHook } from '../../db/service/hook.ts';
import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, Remote, RemoteHook, RemoteHooks } from '../../domain/remote.ts';

export interface RegistrationDeps {
  readonly db: Database;
  readonly remote: Pick<Remote, 'hooks'>;
  /** Where the CRM is to call. */
  readonly url: string;
}

export interface Registering extends CallOptions {
  /** Of the leader: what is made while another has come to lead is the other's to make. */
  readonly epoch: bigint;
  /** Since when this process has led, database time: taken away since, none is made again. */
  readonly since: string;
  /** Mirrored objects by the name that calls have for them. */
  readonly objects: ReadonlyMap<string, string>;
}

/**
 * Sees to it that the CRM calls our address, and that whoever is called knows the secret: one address
 * of ours in all, whole and in order. What is of ours and not that (it was given up, another address
 * was set, the answer that told its secret got lost) is taken away, and made anew. Safe to repeat after
 * a crash anywhere. One request where all is well.
 *
 * @throws RemoteError
 */
export async function registerHook(
  { db, remote: { hooks }, url }: RegistrationDeps,
  options: Registering,
): Promise<'made' | 'standing' | 'forgotten' | 'none'> {
  if (hooks === undefined) return 'none';
  const known = await readHook(db);
  if (known?.state === 'forgotten' && Date.parse(known.madeAt) > Date.parse(options.since)) {
    return 'forgotten';
  }
  const found = await hooks.list(options);
  const good = found.find((hook) => isGood(hook, known, url));
  const others = found.filter((hook) => hook !== good && isOurs(hook, known, url));
  for (const { id } of others) await hooks.delete({ id }, options);
  if (good !== undefined) {
    await checkedHook(db, 'active');
    return 'standing';
  }
  const made = await createHook(hooks, url, options);
  await db.transaction(async (tx) => {
    // Who leads by now finds it by its address, and makes another.
    if (await holdsLease(tx, options.epoch)) {
      const { objects } = options;
      await storeHook(tx, { hookId: made.id, targetUrl: url, secret: made.secret, objects });
    }
  });
  return 'made';
}

async function createHook(
  hooks: RemoteHooks,
  url: string,
  options: CallOptions,
): Promise<{ readonly id: string; readonly secret: string }> {
  try {
    return await hooks.create({ url }, options);
  } catch (error) {
    if (!(error instanceof RemoteError) || error.code !== 'remote-duplicate') throw error;
  }
  // An earlier attempt has made it after all, and what told its secret got lost.
  for (const hook of await hooks.list(options)) {
    if (isSameAddress(hook.url, url)) await hooks.delete({ id: hook.id }, options);
  }
  return await hooks.create({ url }, options);
}

/** Takes away whatever is ours. @returns how many there were. @throws RemoteError */
export async function removeHooks(
  hooks: RemoteHooks,
  { known, url }: { readonly known: Hook | null; readonly url: string | null },
  options: CallOptions,
): Promise<number> {
  const ours = (await hooks.list(options)).filter((hook) => isOurs(hook, known, url));
  for (const { id } of ours) await hooks.delete({ id }, options);
  return ours.length;
}

/** Calls its address, or the one that was set before; whoever else calls elsewhere is not ours. */
function isOurs(hook: RemoteHook, known: Hook | null, url: string | null): boolean {
  const addresses = [url, known?.targetUrl ?? null];
  return hook.id === known?.hookId || addresses.some((one) => isSameAddress(hook.url, one));
}

function isGood(hook: RemoteHook, known: Hook | null, url: string): boolean {
  const isKnown = known !== null && known.secret !== null && hook.id === known.hookId;
  const isThere = isSameAddress(hook.url, url) && isSameAddress(known?.targetUrl ?? null, url);
  return isKnown && isThere && hook.state === 'active' && hook.isWhole;
}

/** Whether both are one address, in whatever way the CRM writes it. */
export function isSameAddress(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && tidied(one) === tidied(other);
}

function tidied(url: string): string {
  return (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '');
}
