import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import { changedError } from './answer-error.ts';
import type { BatchLimit } from './batch-limit.ts';
import { ignoreBody, sendBulk, sendSingleDelete } from './bulk.ts';
import type { Send } from './call.ts';
import { readList } from './envelope.ts';
import { isNotFound } from './reads.ts';

export interface DeleteDeps {
  readonly send: Send;
  readonly batchLimit: BatchLimit;
}

/** A part of the ids to delete, and where in the caller's list it begins. */
interface Part {
  readonly object: ObjectSchema;
  readonly ids: readonly string[];
  readonly start: number;
  /** Whether the object itself was seen to be there, since the first 404. */
  readonly isKnown: boolean;
}

/**
 * Deletes records; those that are gone already count as deleted, so that a deletion is repeatable.
 *
 * One unknown id makes a bulk deletion answer 404 with nothing applied, and so does a server
 * without the endpoint: the batch is halved until a single deletion tells which it is.
 */
export function createDelete(deps: DeleteDeps): Remote['delete'] {
  const { send } = deps;
  /** Whether there is a bulk endpoint; null until something tells. */
  let hasBulk: boolean | null = null;

  async function remove(part: Part, options: CallOptions): Promise<void> {
    const { object, ids, start } = part;
    if (ids.length === 0) return;
    if (hasBulk === false) return removeEach(part, options);
    try {
      await sendBulk(deps, bulkDelete(object, ids), options);
      hasBulk = true;
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      if (error.status === 405 || error.status === 501) {
        hasBulk = false;
        return remove(part, options);
      }
      if (!isNotFound(error)) throw movedBy(error, start);
      if (!part.isKnown) await expectObject(send, object, options);
      if (ids.length === 1) {
        const found = await removeOne({ object, id: ids[0] ?? '', start }, options);
        // The bulk call did not find what the single one did: there is no bulk call.
        if (found && hasBulk === null) hasBulk = false;
        return;
      }
      const half = Math.ceil(ids.length / 2);
      await remove({ object, ids: ids.slice(0, half), start, isKnown: true }, options);
      await remove({ object, ids: ids.slice(half), start: start + half, isKnown: true }, options);
    }
  }

  async function removeEach(part: Part, options: CallOptions): Promise<void> {
    const { object, ids, start } = part;
    let { isKnown } = part;
    for (const [at, id] of ids.entries()) {
      const found = await removeOne({ object, id, start: start + at }, options);
      if (!found && !isKnown) await expectObject(send, object, options);
      isKnown ||= !found;
    }
  }

  /** False where the record was gone already. */
  async function removeOne(
    { object, id, start }: { object: ObjectSchema; id: string; start: number },
    options: CallOptions,
  ): Promise<boolean> {
    try {
      await sendSingleDelete(send, { object, id }, options);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error instanceof RemoteError ? movedBy(error, start) : error;
    }
  }

  return ({ object, ids }, options) => remove({ object, ids, start: 0, isKnown: false }, options);
}

function bulkDelete(object: ObjectSchema, ids: readonly string[]) {
  return {
    object,
    method: 'DELETE',
    below: ['records'],
    records: ids.length,
    body: { items: ids },
    repeatable: true,
    read: ignoreBody,
  } as const;
}

/** A 404 about an id counts only where the object itself is there (invariant 6). */
function expectObject(send: Send, object: ObjectSchema, options: CallOptions): Promise<unknown> {
  return send(
    {
      endpoint: `GET /objects/${object.object}/resources`,
      method: 'GET',
      path: ['objects', object.object, 'resources'],
      query: [['page[limit]', '1']],
      repeatable: true,
      doubts: [402, 403, 404],
      read: readList,
    },
    options,
  );
}

function movedBy(error: RemoteError, start: number): RemoteError {
  return error.culprit === undefined || start === 0
    ? error
    : changedError(error, { culprit: error.culprit + start });
}
