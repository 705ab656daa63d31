import type { Json } from '../../domain/json.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { Send } from '../wire/call.ts';
import { CONTACTS, type KizenField, type KnownObject, readOptions } from './catalog.ts';
import type { Fields, TagIds } from './encode-record.ts';
import { readList } from './envelope.ts';

/** Ids of tags, which no field lists. */
export interface Tags {
  /** The ids of those that a change names; a label that has none is new. */
  resolve(object: KnownObject, fields: Fields, options: CallOptions): Promise<TagIds>;
  /** One of its tags is not what it was. */
  forget(field: Pick<KizenField, 'id'>): void;
}

/** So many labels of one field are remembered; the oldest go. */
const MOST_KNOWN = 5_000;
const PAGE = 100;
/** A search for one label finds those that hold it: beyond this it is none of them. */
const MOST_PAGES = 20;

export function createTags(send: Send): Tags {
  const known = new Map<string, Map<string, string>>();

  function remember(field: KizenField, label: string, id: string): void {
    const ids = known.get(field.id) ?? new Map<string, string>();
    known.set(field.id, ids);
    ids.delete(label);
    ids.set(label, id);
    const [oldest] = ids.keys();
    if (ids.size > MOST_KNOWN && oldest !== undefined) ids.delete(oldest);
  }

  async function find(
    { name: object, id }: KnownObject,
    field: KizenField,
    label: string,
    { priority, signal }: CallOptions,
  ): Promise<string | null> {
    const path =
      object === CONTACTS
        ? ['client', 'fields', field.id, 'tags']
        : ['pipelines', id, 'fields', field.id, 'tags'];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const list = await send(
        {
          endpoint: `GET tags of ${object}`,
          method: 'GET',
          path,
          query: [
            ['search', label],
            ['page', String(page)],
            ['page_size', String(PAGE)],
          ],
          repeatable: true,
          read(body) {
            const { items, more } = readList(body);
            return { tags: readOptions(items), more };
          },
        },
        { priority, signal },
      );
      const found = list.tags.find((tag) => tag.label === label);
      if (found !== undefined) return found.id;
      if (!list.more) return null;
    }
    return null;
  }

  return {
    forget: ({ id }) => known.delete(id),
    async resolve(object, fields, options) {
      const found = new Map<string, ReadonlyMap<string, string>>();
      for (const [name, value] of Object.entries(fields)) {
        const field = object.byName.get(name);
        if (field?.type !== 'dynamictags') continue;
        const ids = new Map<string, string>();
        for (const label of textsOf(value)) {
          const id = known.get(field.id)?.get(label) ?? (await find(object, field, label, options));
          if (id === null) continue;
          remember(field, label, id);
          ids.set(label, id);
        }
        found.set(field.id, ids);
      }
      return found;
    },
  };
}

function textsOf(value: Json): readonly string[] {
  const list: readonly Json[] = Array.isArray(value) ? value : [];
  return list.filter((item) => typeof item === 'string');
}
