import { RemoteError } from '../../domain/errors.ts';
import { isObject, type Json } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { BadAnswer } from '../wire/call.ts';
import { type BulkDeps, sendBulk } from './bulk.ts';
import type { Decoder } from './decode-record.ts';
import { attributesEncoder, textsIn } from './encode-record.ts';
import { readList } from './envelope.ts';
import type { WireForms } from './wire-forms.ts';

export interface WriteDeps extends BulkDeps {
  readonly decoder: Decoder;
  readonly forms: WireForms;
}

type Fields = Readonly<Record<string, Json>>;

type CreateRequest = Parameters<Remote['create']>[0];

/**
 * Creates and updates. Always in bulk: a single `PATCH` on a custom object answers 500, and a bulk
 * of one is as good.
 */
export function createWrites(deps: WriteDeps): Pick<Remote, 'create' | 'update'> {
  const { decoder, forms } = deps;
  /** Objects for which the server refused `match_on`: one without it may refuse what it does not know. */
  const withoutMatchOn = new Set<string>();

  async function create({ object, records, matchOn }: CreateRequest, options: CallOptions) {
    const attributesOf = attributesEncoder(object, forms);
    return withRightForms(deps, { object, records }, () =>
      sendBulk(
        deps,
        {
          object,
          method: 'POST',
          below: ['records', 'bulk'],
          records: records.length,
          body: {
            data: records.map((fields) => ({
              type: object.object,
              attributes: attributesOf(fields),
            })),
            ...(matchOn === undefined ? {} : { match_on: matchOn }),
          },
          // A plain create that may have arrived must not be sent twice (invariant 4).
          repeatable: matchOn !== undefined,
          read: (body) => {
            const created = readRecords(decoder, object, body);
            if (created.length === 0) throw new BadAnswer('it names no record that was created');
            return created;
          },
        },
        options,
      ),
    );
  }

  return {
    async create({ object, records, matchOn }, options) {
      if (records.length === 0) return [];
      if (matchOn === undefined || withoutMatchOn.has(object.object)) {
        return create({ object, records }, options);
      }
      try {
        return await create({ object, records, matchOn }, options);
      } catch (error) {
        if (!refusesMatchOn(error)) throw error;
        // Nothing was applied. Where creates are upserts anyway this loses nothing; elsewhere the
        // field is unique, and a second record is refused.
        withoutMatchOn.add(object.object);
        return create({ object, records }, options);
      }
    },

    async update({ object, records }, options) {
      if (records.length === 0) return [];
      const changes = records.map(({ fields }) => fields);
      const attributesOf = attributesEncoder(object, forms);
      return withRightForms(deps, { object, records: changes }, () =>
        sendBulk(
          deps,
          {
            object,
            method: 'PATCH',
            below: ['records'],
            records: records.length,
            body: {
              data: records.map(({ id, fields }) => ({
                type: object.object,
                id,
                attributes: attributesOf(fields),
              })),
            },
            repeatable: true,
            read: (body) => readTold(decoder, object, body),
          },
          options,
        ),
      );
    },
  };
}

function refusesMatchOn(error: unknown): boolean {
  if (!(error instanceof RemoteError)) return false;
  const { code, field, culprit } = error;
  return code === 'remote-invalid' && field === 'match_on' && culprit === undefined;
}

/** A list of records, or the one record of a bulk of one. */
function readRecords(decoder: Decoder, object: ObjectSchema, body: unknown): RemoteRecord[] {
  const one = isObject(body) && isObject(body.data) ? body.data : null;
  const items = one === null ? readList(body).items : [one];
  return items.map((item) => decoder.record(object, item));
}

/** Those records that an answer to an update tells of: some servers say no more than that it was done. */
function readTold(decoder: Decoder, object: ObjectSchema, body: unknown): RemoteRecord[] {
  const data: unknown = isObject(body) ? body.data : body;
  return [data].flat().flatMap((item) => {
    try {
      return [decoder.record(object, item)];
    } catch (error) {
      if (error instanceof BadAnswer) return [];
      throw error;
    }
  });
}

/**
 * Sends with the list forms that are known, and where the server objects to a field whose form was
 * a guess, once more with the other form: it told us that nothing was applied.
 */
async function withRightForms<T>(
  { forms }: WriteDeps,
  { object, records }: { object: ObjectSchema; records: readonly Fields[] },
  send: () => Promise<T>,
): Promise<T> {
  const sent = textsIn(object, records);
  const flipped = new Set<string>();
  for (;;) {
    try {
      const result = await send();
      for (const field of sent) forms.learn(object.object, field, forms.of(object.object, field));
      return result;
    } catch (error) {
      const field = error instanceof RemoteError ? doubtfulField(error, sent) : undefined;
      if (field === undefined || forms.isCertain(object.object, field)) throw error;
      if (flipped.has(field)) {
        // Neither form pleases: it is the value, so the first guess stands.
        flip(forms, object, field);
        throw error;
      }
      flipped.add(field);
      flip(forms, object, field);
    }
  }
}

function doubtfulField(error: RemoteError, sent: readonly string[]): string | undefined {
  const { code, field } = error;
  return code === 'remote-invalid' && field !== undefined && sent.includes(field)
    ? field
    : undefined;
}

function flip(forms: WireForms, { object }: ObjectSchema, field: string): void {
  forms.guess(object, field, forms.of(object, field) === 'items' ? 'array' : 'items');
}
