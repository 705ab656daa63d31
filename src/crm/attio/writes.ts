import { type Json, stringifyJson } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Call, Send } from '../wire/call.ts';
import { gone } from '../wire/refusals.ts';
import { deleteOne, oneByOne } from '../wire/single-writes.ts';
import type { Catalog } from './attribute.ts';
import type { Decoder } from './decode-record.ts';
import { type Encoding, encodeFields } from './encode-record.ts';
import { readOne } from './envelope.ts';
import { openHalves } from './open-references.ts';
import type { OptionLists } from './option-lists.ts';

export interface WriteDeps {
  readonly send: Send;
  readonly decoder: Decoder;
  readonly catalog: Catalog;
  readonly readRecord: Remote['readRecord'];
  readonly optionLists: OptionLists;
}

type Fields = Readonly<Record<string, Json>>;

/** Creates, updates and deletions, each of one record. */
export function createWrites(
  deps: WriteDeps,
): Pick<Remote, 'create' | 'update' | 'delete'> & { readonly put: Put; readonly patch: Put } {
  const { send, decoder, catalog, readRecord, optionLists } = deps;

  function encodingOf(schema: ObjectSchema, endpoint: string): Encoding {
    const object = catalog.object(schema.object);
    if (object === undefined) throw gone(schema);
    return { object, byId: catalog.byId, endpoint };
  }

  async function create(
    object: ObjectSchema,
    { fields, matchOn }: { readonly fields: Fields; readonly matchOn: string | undefined },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const endpoint = createEndpoint(object, matchOn);
    const values = encodeFields(encodingOf(object, endpoint), fields);
    return await send(
      {
        endpoint,
        method: matchOn === undefined ? 'POST' : 'PUT',
        path: ['objects', object.object, 'records'],
        query: matchOn === undefined ? [] : [['matching_attribute', matchOn]],
        // A plain create that may have arrived must not be sent twice (invariant 4).
        repeatable: matchOn !== undefined,
        ...writing(object, values),
        doubts: [403, 404],
        read: (body) => decoder.record(object, readOne(body)),
      },
      options,
    );
  }

  const write =
    (method: 'PUT' | 'PATCH'): Put =>
    async (object, { id, values }, options) =>
      await send(
        {
          endpoint: recordEndpoint(method, object),
          method,
          path: ['objects', object.object, 'records', id],
          repeatable: true,
          ...writing(object, values),
          doubts: [403],
          read: (body) => decoder.record(object, readOne(body)),
        },
        options,
      );

  /** Sets what is named to exactly what is sent. */
  const put = write('PUT');
  /** Adds to lists, and takes nothing out of them: never for what replaces. */
  const patch = write('PATCH');

  async function update(
    object: ObjectSchema,
    { id, fields }: { readonly id: string; readonly fields: Fields },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const encoding = encodingOf(object, recordEndpoint('PUT', object));
    const missing = openHalves(encoding, fields);
    const { priority, signal } = options;
    const shown =
      missing.length === 0 ? null : await readRecord({ object, id }, { priority, signal });
    const rest = missing.flatMap((name) => {
      const value = shown?.fields[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const values = encodeFields(encoding, { ...fields, ...Object.fromEntries(rest) });
    return await put(object, { id, values }, options);
  }

  async function remove(object: ObjectSchema, id: string, options: CallOptions): Promise<void> {
    await deleteOne(
      send,
      {
        endpoint: `DELETE /objects/${object.object}/records/{id}`,
        path: ['objects', object.object, 'records', id],
      },
      options,
    );
  }

  return {
    put,
    patch,
    create: ({ object, records, matchOn }, options) =>
      oneByOne(records, (fields) => {
        const encoding = encodingOf(object, createEndpoint(object, matchOn));
        const change = { fields, write: () => create(object, { fields, matchOn }, options) };
        return optionLists.unlessUnlisted(encoding, change, options);
      }),
    update: ({ object, records }, options) =>
      oneByOne(records, (record) => {
        const encoding = encodingOf(object, recordEndpoint('PUT', object));
        const change = { fields: record.fields, write: () => update(object, record, options) };
        return optionLists.unlessUnlisted(encoding, change, options);
      }),
    async delete({ object, ids }, options) {
      await oneByOne(ids, (id) => remove(object, id, options));
      return [];
    },
  };
}

/** Sets values of a record, in the form they travel in. */
export type Put = (
  object: ObjectSchema,
  request: { readonly id: string; readonly values: Fields },
  options: CallOptions,
) => Promise<RemoteRecord>;

function createEndpoint({ object }: ObjectSchema, matchOn: string | undefined): string {
  return `${matchOn === undefined ? 'POST' : 'PUT'} /objects/${object}/records`;
}

function recordEndpoint(method: 'PUT' | 'PATCH', { object }: ObjectSchema): string {
  return `${method} /objects/${object}/records/{id}`;
}

function writing(
  { fields }: ObjectSchema,
  values: Fields,
): Pick<Call<unknown>, 'body' | 'records' | 'uniqueFields'> {
  const unique = fields.filter((field) => field.unique).map(({ name }) => name);
  return {
    body: stringifyJson({ data: { values } }),
    records: 1,
    uniqueFields: new Set(unique),
  };
}
