import { RemoteError } from '../../domain/errors.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, LinkWrite, Remote } from '../../domain/remote.ts';
import { gone } from '../wire/refusals.ts';
import type { Catalog, KizenField } from './catalog.ts';
import { contested } from './contested.ts';
import { type IsThere } from './reads.ts';
import type { Patch } from './updates.ts';
import type { Entry, WriteForms } from './write-forms.ts';

export interface LinkDeps {
  readonly catalog: Catalog;
  readonly forms: WriteForms;
  readonly patch: Patch;
  readonly readRecord: Remote['readRecord'];
  readonly isThere: IsThere;
}

/** Of a longer list nobody looks which one it was. */
const MOST_ASKED = 50;

/** What an entry does with the records it names. */
type Verb = 'value' | 'add_values' | 'remove_values';

/** Links are the values of a field, which can be set, added to and taken from. */
export function createLinkWrites(deps: LinkDeps): Pick<Remote, 'setLinks' | 'removeLinks'> {
  const { catalog, forms, patch, readRecord, isThere } = deps;

  async function write(
    { object, id, field, ids }: LinkWrite,
    verb: Verb,
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const known: KizenField | undefined = catalog.object(object.object)?.byName.get(field);
    if (known === undefined) throw gone(object);
    return await contested(object, id, { readRecord, options }, () =>
      forms.attempt(
        (form): readonly Entry[] => [
          {
            name: field,
            sends: ids.length === 0 ? 'value' : 'relation',
            id: known.id,
            value: ids.map((one) => form.reference(one)),
          },
        ],
        (entries) => {
          const wire = entries.map(({ id: uuid, value }) => ({ id: uuid, [verb]: value }));
          const names = entries.map(({ name }) => name);
          return patch(object, { id, entries: wire, names }, options);
        },
      ),
    );
  }

  /** A refusal does not say by any code that a record to be linked is archived: each is asked for. */
  async function throwIfGone(
    { object, target, ids }: LinkWrite,
    { priority, signal }: CallOptions,
  ): Promise<void> {
    for (const id of ids) {
      if (!(await isThere(target, id, { priority, signal }))) throw gone(object);
    }
  }

  return {
    async setLinks(request, options) {
      const { relationship } =
        request.object.fields.find(({ name }) => name === request.field) ?? {};
      // To one of these, others keep what they have.
      const verb = relationship?.kind === 'one-to-many' ? 'add_values' : 'value';
      try {
        await write(request, verb, options);
      } catch (error) {
        const isRefused = error instanceof RemoteError && error.code === 'remote-invalid';
        if (isRefused && request.ids.length <= MOST_ASKED) await throwIfGone(request, options);
        throw error;
      }
    },
    async removeLinks(request, options) {
      const record = await write(request, 'remove_values', options);
      const shown = record.links[request.field];
      const isWhole = shown !== undefined && shown.ids.length === shown.total;
      // Of a field that the answer does not have nothing is known.
      return isWhole && shown.total > 0 && !request.ids.some((id) => shown.ids.includes(id));
    },
  };
}
