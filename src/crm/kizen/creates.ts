import { RemoteError } from '../../domain/errors.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Call } from '../wire/call.ts';
import { asWritten, recordIn } from './answered.ts';
import { STAGE } from './catalog.ts';
import { contested } from './contested.ts';
import { type Fields, isBlank } from './encode-record.ts';
import type { Relabel } from './updates.ts';
import { type Encoded, EVERYTHING, inSomeForm, reading, type WriteDeps } from './writing.ts';

/** What is asked for to make a record. */
interface Making extends Pick<Call<unknown>, 'repeatable'> {
  readonly verb: 'add' | 'upsert';
  readonly fields: Fields;
  /** Beside the fields. */
  readonly more: object;
}

/** Creates, each of one record. */
export function createCreates(
  deps: WriteDeps & { readonly relabel: Relabel },
): Pick<Remote, 'create'> {
  const { send, decoder, catalog, readRecord, lookUp, relabel } = deps;

  async function make(
    schema: ObjectSchema,
    { verb, fields, more, repeatable }: Making,
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const endpoint = `POST /records/${schema.object}/${verb}`;
    const names = Object.keys(fields);
    const deliver = ({ entries }: Encoded) =>
      send(
        {
          endpoint,
          method: 'POST',
          path: ['records', schema.object, verb],
          query: EVERYTHING,
          repeatable,
          body: stringifyJson({ ...more, fields: entries.map(({ id, value }) => ({ id, value })) }),
          records: 1,
          entries: entries.map(({ name }) => name),
          doubts: [403, 404],
          read: (body) =>
            asWritten(
              decoder.record(schema, recordIn(body, null), { kind: 'written', names }),
              fields,
            ),
        },
        options,
      );
    const used = catalog.object(schema.object);
    const told = await inSomeForm(deps, schema, { endpoint, fields, deliver }, options);
    return await unlessMade(told, relabel(schema, { fields, told, used }, reading(options)));
  }

  /** Nothing keeps a name from being two records': whoever has it is looked up right before. */
  async function checkName(schema: ObjectSchema, name: Json, options: CallOptions): Promise<void> {
    if (typeof name !== 'string' || isBlank(name)) return;
    const found = await lookUp(schema, name.trim(), reading(options));
    const holds = found?.fields['name'];
    if (found !== null && (typeof holds !== 'string' || holds === name.trim())) throw taken(schema);
  }

  /** What a new record shows of its stage has to be known before it is moved to another. */
  async function completed(
    schema: ObjectSchema,
    record: RemoteRecord,
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const isPipeline = catalog.object(schema.object)?.isPipeline ?? false;
    if (!isPipeline || record.fields[STAGE] !== undefined) return record;
    const read = readRecord({ object: schema, id: record.id }, reading(options));
    return (await unlessMade(record, read)) ?? record;
  }

  async function add(schema: ObjectSchema, fields: Fields, options: CallOptions) {
    await checkName(schema, fields['name'] ?? null, options);
    // It inserts once more, whatever is there (invariant 4).
    const making = { verb: 'add', fields, more: {}, repeatable: false } as const;
    return await completed(schema, await make(schema, making, options), options);
  }

  return {
    async create({ object, records, matchOn }, options) {
      const created: RemoteRecord[] = [];
      for (const record of records) {
        const fields = withoutBlanks(record);
        const more = { lookup_value: fields[matchOn ?? ''] };
        const upsert = { verb: 'upsert', fields, more, repeatable: true } as const;
        created.push(
          await contested(object, null, { readRecord, options }, () =>
            matchOn === undefined ? add(object, fields, options) : make(object, upsert, options),
          ),
        );
      }
      return created;
    },
  };
}

/** It was created, whatever keeps the rest from being done. */
async function unlessMade<T>(made: RemoteRecord, rest: Promise<T>): Promise<T | RemoteRecord> {
  try {
    return await rest;
  } catch (error) {
    if (error instanceof RemoteError) return made;
    throw error;
  }
}

/** What a new record has nothing of. */
function withoutBlanks(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isBlank(value)));
}

function taken({ object }: ObjectSchema): RemoteError {
  return new RemoteError(
    `POST /records/${object}/add: another record has this name, and it is no identity`,
    {
      code: 'unique-taken',
      disposition: 'park',
      status: null,
      culprit: 0,
      field: 'name',
      hint: 'Change the name, or edit the record that has it.',
    },
  );
}
