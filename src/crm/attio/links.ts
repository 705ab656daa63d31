import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, LinkWrite, Remote } from '../../domain/remote.ts';
import type { Send } from '../wire/call.ts';
import { isNotFound, untold } from '../wire/refusals.ts';
import { reference } from './encode-record.ts';
import type { Put } from './writes.ts';

export interface LinkDeps {
  readonly send: Send;
  readonly put: Put;
  readonly patch: Put;
}

/** Links are a list of references in the record itself: a PATCH adds to it, a PUT sets all of it. */
export function createLinkWrites({
  send,
  put,
  patch,
}: LinkDeps): Required<Pick<Remote, 'addLinks' | 'setLinks' | 'removeLinks'>> {
  async function write(
    how: Put,
    { object, id, field, target, ids }: LinkWrite,
    options: CallOptions,
  ): Promise<readonly string[] | null> {
    const values = { [field]: ids.map((one) => reference(target, one)) };
    try {
      const record = await how(object, { id, values }, options);
      return record.links[field]?.ids ?? null;
    } catch (error) {
      throw unknownEnd(error) ?? error;
    }
  }

  /** Sets the list. One that went on naming deleted records cannot be set with them again. */
  async function setLiving(
    request: LinkWrite,
    options: CallOptions,
  ): Promise<readonly string[] | null> {
    try {
      return await write(put, request, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const { target, ids } = request;
      const are = await Promise.all(ids.map((id) => isThere(send, { target, id }, options)));
      const living = ids.filter((_, index) => are[index]);
      if (living.length === ids.length) throw error;
      return await write(put, { ...request, ids: living }, options);
    }
  }

  return {
    addLinks: (request, options) => write(patch, request, options),
    async setLinks(request, options) {
      const { object, field } = request;
      const { relationship } = object.fields.find(({ name }) => name === field) ?? {};
      // To one of these, others keep what they have.
      await write(relationship?.kind === 'one-to-many' ? patch : put, request, options);
    },
    /**
     * What stands has to be known for that. Whatever is read may be late, an answer to a write is not:
     * so what is to go is added first, which changes nothing where it is there.
     */
    async removeLinks(request, options) {
      const ended = new Set(request.ids);
      const held = await write(patch, request, options);
      if (held === null) throw untold(request.object, request.field);
      const kept = held.filter((id) => !ended.has(id));
      const shown = await setLiving({ ...request, ids: kept }, options);
      return shown !== null && !shown.some((id) => ended.has(id));
    },
  };
}

/** As good as certain: that it is not was said twice. */
async function isThere(
  send: Send,
  { target, id }: { readonly target: string; readonly id: string },
  options: CallOptions,
): Promise<boolean> {
  try {
    return await send(
      {
        endpoint: `GET /objects/${target}/records/{id}`,
        method: 'GET',
        path: ['objects', target, 'records', id],
        repeatable: true,
        doubts: [404],
        read: () => true,
      },
      options,
    );
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** That an end is not there is told like any other value that does not do: who it is has to be asked. */
function unknownEnd(error: unknown): RemoteError | null {
  if (!(error instanceof RemoteError) || error.code !== 'remote-invalid') return null;
  const { message, reason } = error;
  return new RemoteError(message, {
    code: 'remote-not-found',
    disposition: 'park',
    status: 404,
    reason,
    cause: error,
  });
}
