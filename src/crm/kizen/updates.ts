import { stringifyJson } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { asWritten, joined, nothingTold, recordIn } from './answered.ts';
import type { KizenField, KnownObject } from './catalog.ts';
import { contested } from './contested.ts';
import type { Fields } from './encode-record.ts';
import { relabelled } from './labels.ts';
import { EVERYTHING, inSomeForm, reading, type WriteDeps } from './writing.ts';

/** Changes fields of a record, in the form they travel in. */
export type Patch = (
  object: ObjectSchema,
  request: {
    readonly id: string;
    readonly entries: readonly object[];
    /** Of each entry, its field. */
    readonly names: readonly string[];
  },
  options: CallOptions,
) => Promise<RemoteRecord>;

/** Writes once more what has gone to options that are called something else by now. */
export type Relabel = (
  object: ObjectSchema,
  written: {
    readonly fields: Fields;
    readonly told: RemoteRecord;
    /** The object as it was known by then. */
    readonly used: KnownObject | undefined;
  },
  options: CallOptions,
) => Promise<RemoteRecord>;

interface Updates extends Pick<Remote, 'update'> {
  readonly patch: Patch;
  readonly relabel: Relabel;
}

/** Edits, each of one record; what is written says nothing of any other field. */
export function createUpdates(deps: WriteDeps): Updates {
  const { send, decoder, catalog, tags, refresh, readRecord } = deps;

  const patch: Patch = async (schema, { id, entries, names }, options) =>
    await send(
      {
        endpoint: patchEndpoint(schema),
        method: 'PATCH',
        path: ['records', schema.object, id],
        query: EVERYTHING,
        repeatable: true,
        body: stringifyJson({ fields: entries }),
        records: 1,
        entries: names,
        doubts: [403],
        read: (body) => decoder.record(schema, recordIn(body, id), { kind: 'written', names }),
      },
      options,
    );

  async function move(
    schema: ObjectSchema,
    { id, stage }: { readonly id: string; readonly stage: string },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    return await send(
      {
        endpoint: `PATCH /records/${schema.object}/{id}/move`,
        method: 'PATCH',
        path: ['records', schema.object, id, 'move'],
        repeatable: true,
        body: JSON.stringify({ stage_id: stage }),
        records: 1,
        doubts: [403],
        read: (body) => decoder.record(schema, recordIn(body, id), { kind: 'written', names: [] }),
      },
      options,
    );
  }

  async function update(
    schema: ObjectSchema,
    { id, fields }: { readonly id: string; readonly fields: Fields },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const endpoint = patchEndpoint(schema);
    return await inSomeForm(
      deps,
      schema,
      {
        endpoint,
        fields,
        async deliver({ entries, stage }) {
          let shown = nothingTold(id);
          if (entries.length > 0) {
            const names = entries.map(({ name }) => name);
            const wire = entries.map(({ id: field, value }) => ({ id: field, value }));
            shown = asWritten(await patch(schema, { id, entries: wire, names }, options), fields);
          }
          if (stage === null) return shown;
          return joined(shown, await move(schema, { id, stage }, options));
        },
      },
      options,
    );
  }

  const relabel: Relabel = async (schema, { fields, told, used }, options) => {
    if (used === undefined) return told;
    const wrong = relabelled(used, fields, told);
    const names = Object.keys(wrong);
    if (names.length === 0) return told;
    const tagged = names.flatMap((name) => used.byName.get(name) ?? []).filter(isTags);
    for (const field of tagged) tags.forget(field);
    const isNewer = await refresh(used, reading(options));
    if (!isNewer && tagged.length === 0) return told;
    return joined(told, await update(schema, { id: told.id, fields: wrong }, options));
  };

  return {
    patch,
    relabel,
    async update({ object, records }, options) {
      const updated: RemoteRecord[] = [];
      for (const record of records) {
        const { id } = record;
        updated.push(
          await contested(object, id, { readRecord, options }, async () => {
            const used = catalog.object(object.object);
            const told = await update(object, record, options);
            return await relabel(object, { fields: record.fields, told, used }, options);
          }),
        );
      }
      return updated;
    },
  };
}

function patchEndpoint({ object }: ObjectSchema): string {
  return `PATCH /records/${object}/{id}`;
}

function isTags({ type }: KizenField): boolean {
  return type === 'dynamictags';
}
