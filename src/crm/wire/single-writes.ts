import type { CallOptions } from '../../domain/remote.ts';
import type { Call, Send } from './call.ts';
import { isNotFound } from './refusals.ts';

/** For APIs without bulk writes: in the order given, each after the one before. @throws what the first that fails throws */
export async function oneByOne<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** Deletes one record; that it is gone already is as good. */
export async function deleteOne(
  send: Send,
  record: Pick<Call<void>, 'endpoint' | 'path' | 'query'>,
  options: CallOptions,
): Promise<void> {
  try {
    await send(
      {
        ...record,
        method: 'DELETE',
        repeatable: true,
        records: 1,
        doubts: [403],
        read: () => undefined,
      },
      options,
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
