import { RemoteError } from '../../domain/errors.ts';
import { stringifyJson } from '../../domain/json.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { NewComment, SideItem } from '../../domain/side.ts';
import type { Send } from '../wire/call.ts';
import { isNotFound } from '../wire/refusals.ts';
import { readComment } from './side-reads.ts';

/**
 * Creates by an id of ours, which makes it repeatable. Where the server says that there is such a comment,
 * or refuses what may have arrived before, the comment itself is asked for.
 */
export function createComments(send: Send): NonNullable<Remote['createComment']> {
  return async (comment, options) => {
    const { id, object, recordId, message } = comment;
    try {
      const call = {
        endpoint: 'POST /comments',
        method: 'POST',
        path: ['comments'],
        body: stringifyJson({ _id: id, entity: object, owner_id: recordId, message }),
        repeatable: true,
        read: readComment,
      } as const;
      return ours(comment, await send(call, options));
    } catch (error) {
      if (!(error instanceof RemoteError) || !mayBeThere(error, comment)) throw error;
      const found = await find(send, comment, options);
      if (found === null) throw error;
      return found;
    }
  };
}

function mayBeThere(error: RemoteError, { inDoubt }: NewComment): boolean {
  if (error.status === 409 || error.code === 'remote-duplicate') return true;
  return error.disposition === 'park' && (error.ambiguous || inDoubt);
}

async function find(
  send: Send,
  comment: NewComment,
  options: CallOptions,
): Promise<SideItem | null> {
  try {
    const call = {
      endpoint: 'GET /comments/{id}',
      method: 'GET',
      path: ['comments', comment.id],
      repeatable: true,
      read: readComment,
    } as const;
    return ours(comment, await send(call, options));
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/**
 * Of a record that was merged meanwhile it may name either.
 *
 * @throws RemoteError `remote-duplicate` where the id is that of another record's.
 */
function ours({ recordId, formerIds }: NewComment, told: SideItem): SideItem {
  const owner = told.fields['owner_id'];
  if (typeof owner !== 'string' || owner === recordId || formerIds.includes(owner)) return told;
  throw new RemoteError('POST /comments: another record has a comment of this id', {
    code: 'remote-duplicate',
    disposition: 'park',
    status: 409,
    hint: 'Write it again without an id.',
  });
}
