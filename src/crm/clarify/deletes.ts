import { changedError, RemoteError } from '../../domain/errors.ts';
import { isObject } from '../../domain/json.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Send } from '../wire/call.ts';
import { isNotFound } from '../wire/refusals.ts';
import { type BulkDeps, isPlainReceipt, sendBulk, sendSingleDelete } from './bulk.ts';
import { readOne } from './envelope.ts';
import { readFirst } from './reads.ts';

/** Looking whether a record is gone may take so long; then the deletion is sent again later. */
const LOOK_WITHIN_MS = 10_000;
/** It may be done: nothing is parked because it could not be looked at. */
const UNSEEN = { disposition: 'retry', ambiguous: true, culprit: undefined } as const;

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
 * Bulk calls are atomic: of a batch that is said to be deleted one record is looked for, and all of
 * them only where that one is there, or the answer says anything else than that it was done.
 *
 * One unknown id makes a bulk deletion answer 404 with nothing applied, and so does a server
 * without the endpoint: the batch is halved until a single deletion tells which it is.
 */
export function createDelete(deps: BulkDeps): Remote['delete'] {
  const { send } = deps;
  /** Whether there is a bulk endpoint; null until something tells. */
  let hasBulk: boolean | null = null;

  async function remove(part: Part, options: CallOptions): Promise<readonly string[]> {
    const { object, ids, start } = part;
    if (ids.length === 0) return [];
    if (hasBulk === false) return removeEach(part, options);
    try {
      const isSaid = await sendBulk(deps, bulkDelete(object, ids), options);
      hasBulk = true;
      return await stillThere({ object, ids, isSaid }, options);
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      if (error.status === 405 || error.status === 501) {
        hasBulk = false;
        return remove(part, options);
      }
      if (!isNotFound(error)) throw movedBy(error, start);
      if (!part.isKnown) await expectObject(send, object, options);
      if (ids.length === 1) {
        const { found, left } = await removeOne({ object, id: ids[0] ?? '', start }, options);
        // The bulk call did not find what the single one did: there is no bulk call.
        if (found && hasBulk === null) hasBulk = false;
        return left;
      }
      const half = Math.ceil(ids.length / 2);
      const [first, second] = [ids.slice(0, half), ids.slice(half)];
      const left = await remove({ object, ids: first, start, isKnown: true }, options);
      const rest = { object, ids: second, start: start + half, isKnown: true };
      return [...left, ...(await remove(rest, options))];
    }
  }

  async function removeEach(part: Part, options: CallOptions): Promise<readonly string[]> {
    const { object, ids, start } = part;
    let { isKnown } = part;
    const allLeft: string[] = [];
    for (const [at, id] of ids.entries()) {
      // Where each is said to be done, one is looked for, as of a batch.
      const one = { object, id, start: start + at, isTrusted: at > 0 };
      const { found, left } = await removeOne(one, options);
      if (!found && !isKnown) await expectObject(send, object, options);
      isKnown ||= !found;
      allLeft.push(...left);
    }
    return allLeft;
  }

  /** `found`: the record was not gone already. */
  async function removeOne(
    one: { object: ObjectSchema; id: string; start: number; isTrusted?: boolean },
    options: CallOptions,
  ): Promise<{ readonly found: boolean; readonly left: readonly string[] }> {
    const { object, id, start, isTrusted = false } = one;
    try {
      const isSaid = await sendSingleDelete(send, { object, id }, options);
      if (isSaid && isTrusted) return { found: true, left: [] };
      return { found: true, left: await stillThere({ object, ids: [id], isSaid }, options) };
    } catch (error) {
      if (!isNotFound(error)) throw error instanceof RemoteError ? movedBy(error, start) : error;
    }
    return { found: false, left: (await isThere(send, { object, id }, options)) ? [id] : [] };
  }

  async function stillThere(
    { object, ids, isSaid }: { object: ObjectSchema; ids: readonly string[]; isSaid: boolean },
    options: CallOptions,
  ): Promise<readonly string[]> {
    const [witness] = ids;
    if (witness === undefined) return [];
    if (isSaid && !(await isThere(send, { object, id: witness }, options))) return [];
    const there = await Promise.all(ids.map((id) => isThere(send, { object, id }, options)));
    return ids.filter((_id, index) => there[index]);
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
    read: isPlainReceipt,
  } as const;
}

/** A 404 about an id counts only where the object itself is there (invariant 6). */
function expectObject(
  send: Send,
  { object }: ObjectSchema,
  options: CallOptions,
): Promise<unknown> {
  return readFirst(send, { object, doubts: [402, 403, 404] }, options);
}

/** Whether a record answers by its id; one that answers with the survivor of a merge does not. */
async function isThere(
  send: Send,
  { object, id }: { object: ObjectSchema; id: string },
  { priority, signal }: CallOptions,
): Promise<boolean> {
  try {
    return await send(
      {
        endpoint: `GET /objects/${object.object}/resources/{id}`,
        method: 'GET',
        path: ['objects', object.object, 'resources', id],
        repeatable: true,
        read(body) {
          const record = readOne(body);
          return isObject(record) && record.id === id;
        },
      },
      { priority, signal, withinMs: LOOK_WITHIN_MS },
    );
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error instanceof RemoteError ? changedError(error, UNSEEN) : error;
  }
}

function movedBy(error: RemoteError, start: number): RemoteError {
  return error.culprit === undefined || start === 0
    ? error
    : changedError(error, { culprit: error.culprit + start });
}
