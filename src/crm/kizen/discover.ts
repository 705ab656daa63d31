import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, Undescribed } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { isWithheld } from '../wire/refusals.ts';
import { OBJECTS } from './answer-error.ts';
import {
  type Catalog,
  type KizenField,
  type KizenObject,
  type Option,
  readField,
  readObject,
  readOptions,
} from './catalog.ts';
import { readBareList, readList } from './envelope.ts';

/** More objects than any business may have. */
const MOST_PAGES = 100;
const PAGE = 100;

type Described = NonNullable<ReturnType<typeof readObject>>;

/**
 * Every object that the key may see, with its fields and stages. One whose fields are refused after all,
 * or that has gone meanwhile, is as it was known before, or without fields, and said to be undescribed.
 */
export async function discover(
  send: Send,
  known: Pick<Catalog, 'object'>,
  options: CallOptions,
): Promise<{ readonly objects: readonly KizenObject[]; readonly undescribed: Undescribed }> {
  const listed = await listObjects(send, options);
  const undescribed = new Map<string, RemoteError>();
  const objects = await Promise.all(
    listed.map(async (object): Promise<KizenObject> => {
      try {
        const fields = await readFields(send, object, options);
        const stages = object.isPipeline ? await readStages(send, object, options) : [];
        return { ...object, fields, stages };
      } catch (error) {
        if (!isWithheld(error)) throw error;
        undescribed.set(object.name, error);
        // Without fields it can be named, by what relates to it.
        return known.object(object.name) ?? { ...object, fields: [], stages: [] };
      }
    }),
  );
  someOf(objects.filter(({ fields }) => fields.length > 0));
  return { objects, undescribed };
}

async function listObjects(send: Send, options: CallOptions): Promise<readonly Described[]> {
  const found = new Map<string, Described>();
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { items, more } = await send(
      {
        endpoint: OBJECTS,
        method: 'GET',
        path: ['custom-objects'],
        query: [
          // Without it contacts are missing.
          ['custom_only', 'false'],
          ['page', String(page)],
          ['page_size', String(PAGE)],
        ],
        repeatable: true,
        doubts: [403, 404],
        read(body) {
          const list = readList(body);
          return { items: list.items.map(readObject), more: list.more };
        },
      },
      options,
    );
    for (const object of items) if (object !== null) found.set(object.id, object);
    if (!more) return someOf([...found.values()]);
  }
  throw new RemoteError(`${OBJECTS}: no end after ${MOST_PAGES} pages`, {
    code: 'remote-bad-answer',
    disposition: 'retry',
    status: 200,
  });
}

/** No business is without any: that it has none is no reason to take its tables for gone. */
function someOf<T>(objects: readonly T[]): readonly T[] {
  if (objects.length === 0) {
    throw new RemoteError(`${OBJECTS}: the business has no object that the key may see`, {
      code: 'remote-bad-answer',
      disposition: 'retry',
      status: 200,
    });
  }
  return objects;
}

export async function readFields(
  send: Send,
  { id, name }: Pick<KizenObject, 'id' | 'name'>,
  options: CallOptions,
): Promise<readonly KizenField[]> {
  return await send(
    {
      endpoint: `GET /custom-objects/${name}/fields`,
      method: 'GET',
      path: ['custom-objects', id, 'fields'],
      repeatable: true,
      doubts: [403, 404],
      read(body) {
        const fields = readBareList(body).map(readField);
        if (fields.length === 0) throw new BadAnswer('the object has no field');
        return fields.filter((field) => field !== null);
      },
    },
    options,
  );
}

/** None where they are refused to the key. */
export async function readStages(
  send: Send,
  { id, name }: Pick<KizenObject, 'id' | 'name'>,
  options: CallOptions,
): Promise<readonly Option[]> {
  try {
    return await send(
      {
        endpoint: `GET /pipelines/${name}/stages`,
        method: 'GET',
        path: ['pipelines', id, 'stages'],
        repeatable: true,
        doubts: [403, 404],
        read: (body) => readOptions(readBareList(body)),
      },
      options,
    );
  } catch (error) {
    if (isWithheld(error)) return [];
    throw error;
  }
}
