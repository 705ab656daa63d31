import { isObject } from '../../domain/json.ts';
import type { WrittenBy } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Send } from '../wire/call.ts';
import type { Decoder } from './decode-record.ts';
import { readList } from './envelope.ts';
import { cutInstant, sortable } from './instants.ts';

/** Every value that an attribute of a record has or had, oldest first. */
export type ReadValues = (
  of: { readonly object: ObjectSchema; readonly id: string },
  attribute: string,
  options: CallOptions,
) => Promise<readonly unknown[]>;

export function createReadValues(send: Send): ReadValues {
  return async ({ object, id }, attribute, options) =>
    await send(
      {
        endpoint: `GET /objects/${object.object}/records/{id}/attributes/{attribute}/values`,
        method: 'GET',
        path: ['objects', object.object, 'records', id, 'attributes', attribute, 'values'],
        query: [['show_historic', 'true']],
        repeatable: true,
        read: readList,
      },
      options,
    );
}

/** What attributes of a record held before. */
export function createPastValues(
  read: ReadValues,
  decoder: Decoder,
): Required<Pick<Remote, 'readClearings' | 'readFirstValues'>> {
  return {
    /** An empty one has no value that could tell when; its values of before do, and not by whom. */
    async readClearings({ object, id, fields }, options) {
      const ends = await Promise.all(
        fields.map(async (field) => {
          const items = await read({ object, id }, field, options);
          const until = items.reduce<string | null>(later, null);
          const write: WrittenBy | null =
            until === null ? null : { atMs: Date.parse(cutInstant(until)), by: null };
          return [field, write] as const;
        }),
      );
      return new Map(ends.flatMap(([field, end]) => (end === null ? [] : [[field, end] as const])));
    },

    async readFirstValues({ object, id, savedAt, fields }, options) {
      const values = await Promise.all(
        fields.map(async (field) => {
          const items = await read({ object, id }, field, options);
          const first = items.flatMap((item) =>
            isObject(item) && isFrom(item, savedAt) ? [{ ...item, active_until: null }] : [],
          );
          return [field, first] as const;
        }),
      );
      const record = { id: { record_id: id }, values: Object.fromEntries(values) };
      return decoder.record(object, record).fields;
    },
  };
}

/** Whether a value was there from the beginning. */
function isFrom(
  { active_from: from }: Readonly<Record<string, unknown>>,
  savedAt: string,
): boolean {
  return typeof from === 'string' && (sortable(from) ?? '~') <= (sortable(savedAt) ?? '');
}

function later(newest: string | null, item: unknown): string | null {
  const until = isObject(item) ? item['active_until'] : null;
  if (typeof until !== 'string' || sortable(until) === null) return newest;
  return newest === null || (sortable(until) ?? '') > (sortable(newest) ?? '') ? until : newest;
}
