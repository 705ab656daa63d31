import { changedError, RemoteError } from '../../domain/errors.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { gone } from '../wire/refusals.ts';

/**
 * A record that goes on being refused because somebody writes or archives it at the same time is
 * looked at: one that is archived by now is gone, any other is for a person, in Kizen's words. A
 * create that meets one is about a record that is archived, and holds the name.
 *
 * @param id null of a record that is to be created.
 */
export async function contested<T>(
  object: ObjectSchema,
  id: string | null,
  {
    readRecord,
    options,
  }: { readonly readRecord: Remote['readRecord']; readonly options: CallOptions },
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    // Tried again a few times by now.
    if (!(error instanceof RemoteError) || error.status !== 409) throw error;
    const { priority, signal } = options;
    const isThere =
      id === null || (await readRecord({ object, id }, { priority, signal })) !== null;
    if (!isThere) throw gone(object);
    throw changedError(error, {
      code: 'remote-conflict',
      disposition: 'park',
      hint: 'Look at the record in Kizen; a later edit, or `outbox retry`, sends it again.',
    });
  }
}
