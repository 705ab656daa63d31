import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, LinkWrite, Remote } from '../../domain/remote.ts';
import { untold } from '../wire/refusals.ts';
import { reference } from './encode-record.ts';
import type { Put } from './writes.ts';

export interface LinkDeps {
  readonly put: Put;
  readonly patch: Put;
}

/** Links are a list of references in the record itself: a PATCH adds to it, a PUT sets all of it. */
export function createLinkWrites({
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
      const shown = await write(put, { ...request, ids: kept }, options);
      return shown !== null && !shown.some((id) => ended.has(id));
    },
  };
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
