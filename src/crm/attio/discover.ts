import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions, Undescribed } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { isWithheld } from '../wire/refusals.ts';
import { OBJECTS } from './answer-error.ts';
import {
  type AttioObject,
  type Attribute,
  type Catalog,
  readAttribute,
  readObject,
} from './attribute.ts';
import { readList } from './envelope.ts';

/** No object has nearly as many attributes as these pages hold. */
const MOST_PAGES = 100;
const PAGE = 100;

/**
 * Every object that can be named, with its attributes, archived ones too. One whose attributes the key
 * may not read, or that has gone meanwhile, is as it was known before, or left out, and said to be
 * undescribed: it is no reason for any other to stop (invariant 10).
 *
 * @throws RemoteError where none can be read.
 */
export async function discover(
  send: Send,
  known: Pick<Catalog, 'object'>,
  options: CallOptions,
): Promise<{ readonly objects: readonly AttioObject[]; readonly undescribed: Undescribed }> {
  const objects = await send(
    {
      endpoint: OBJECTS,
      method: 'GET',
      path: ['objects'],
      repeatable: true,
      doubts: [402, 403, 404],
      read(body) {
        const found = readList(body).map(readObject);
        if (found.length === 0) throw new BadAnswer('the workspace has no object');
        return found.filter((object) => object !== null);
      },
    },
    options,
  );
  const undescribed = new Map<string, RemoteError>();
  const described = await Promise.all(
    objects.map(async (object): Promise<readonly AttioObject[]> => {
      try {
        return [{ ...object, attributes: await attributesOf(send, object.slug, options) }];
      } catch (error) {
        if (!isWithheld(error)) throw error;
        undescribed.set(object.slug, error);
        const before = known.object(object.slug);
        return before === undefined ? [] : [{ ...object, attributes: before.attributes }];
      }
    }),
  );
  const [refusal] = undescribed.values();
  if (refusal !== undefined && undescribed.size === objects.length) throw refusal;
  return { objects: described.flat(), undescribed };
}

/** No answer tells how many there are, nor how long a page may be: one without anything new ends it. */
async function attributesOf(
  send: Send,
  object: string,
  options: CallOptions,
): Promise<ReadonlyMap<string, Attribute>> {
  const endpoint = `GET /objects/${object}/attributes`;
  const attributes = new Map<string, Attribute>();
  let offset = 0;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const items = await send(
      {
        endpoint,
        method: 'GET',
        path: ['objects', object, 'attributes'],
        query: [
          ['show_archived', 'true'],
          ['limit', String(PAGE)],
          ['offset', String(offset)],
        ],
        repeatable: true,
        doubts: [402, 403, 404],
        read: (body) => readList(body).map(readAttribute),
      },
      options,
    );
    offset += items.length;
    const before = attributes.size;
    for (const attribute of items) {
      if (attribute !== null) attributes.set(attribute.slug, attribute);
    }
    const hasNews = attributes.size > before;
    if (items.length === 0 || !hasNews) return attributes;
  }
  throw new RemoteError(`${endpoint}: no end after ${MOST_PAGES} pages`, {
    code: 'remote-bad-answer',
    disposition: 'retry',
    status: 200,
  });
}
