import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import type { ObjectSchema } from '../domain/schema.ts';

/** Requests under way at a time, where each record takes one. */
const AT_ONCE = 8;

/**
 * Known records as they are now, in no particular order; who is gone is left out. As few requests
 * as the CRM allows.
 *
 * @throws RemoteError
 */
export async function readRecords(
  remote: Remote,
  { object, ids }: { readonly object: ObjectSchema; readonly ids: readonly string[] },
  options: CallOptions,
): Promise<readonly RemoteRecord[]> {
  if (remote.readRecords) return await remote.readRecords({ object, ids }, options);
  return await readOneByOne(remote, { object, ids }, options);
}

/**
 * The same, each by itself: lists may be late, and what stands is to be known now.
 *
 * @throws RemoteError
 */
export async function readOneByOne(
  remote: Remote,
  { object, ids }: { readonly object: ObjectSchema; readonly ids: readonly string[] },
  options: CallOptions,
): Promise<readonly RemoteRecord[]> {
  const found: RemoteRecord[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    options.signal.throwIfAborted();
    const part = ids.slice(from, from + AT_ONCE);
    const records = await Promise.all(part.map((id) => remote.readRecord({ object, id }, options)));
    found.push(...records.flatMap((record) => record ?? []));
  }
  return found;
}
