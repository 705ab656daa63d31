import * as z from 'zod';
import { RemoteError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { CallOptions } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { createFreshReads } from '../wire/fresh-reads.ts';
import type { AttioObject, Attribute } from './attribute.ts';
import type { Encoding } from './encode-record.ts';
import { readList } from './envelope.ts';

type Fields = Readonly<Record<string, Json>>;
type Options = ReadonlySet<string>;

/** Values kept of one attribute, at most. */
const MOST_REFUSED = 1_000;

/**
 * Values that Attio has refused and no list has: of a thousand rows with one of them, each would cost a call
 * otherwise. A list alone parks nobody, for it may be cut, or of another kind than it is taken for.
 */
export interface OptionLists {
  /**
   * Writes a record, unless a value of it was refused before and is on no list that was read since it was claimed.
   *
   * @throws RemoteError what `write` throws, or one that parks the change.
   */
  unlessUnlisted<T>(
    encoding: Encoding,
    change: { readonly fields: Fields; readonly write: () => Promise<T> },
    call: CallOptions,
  ): Promise<T>;
}

export function createOptionLists(send: Send): OptionLists {
  const reads = createFreshReads<Options | null>();
  /** By attribute: values that the server has refused, and that were on no list then. */
  const refused = new Map<string, Set<string>>();

  async function read(
    object: AttioObject,
    { slug, type }: Attribute,
    { priority, signal }: CallOptions,
  ): Promise<Options | null> {
    const list = type === 'status' ? 'statuses' : 'options';
    return await send(
      {
        endpoint: `GET /objects/${object.slug}/attributes/${slug}/${list}`,
        method: 'GET',
        path: ['objects', object.slug, 'attributes', slug, list],
        // What is archived may be taken: the server tells.
        query: [['show_archived', 'true']],
        repeatable: true,
        // What is refused is parked all the same.
        attempts: 1,
        read: (body) => optionsIn(readList(body)),
      },
      { priority, signal },
    ).catch((error: unknown) => {
      // Nothing is known of it then.
      if (error instanceof RemoteError) return null;
      throw error;
    });
  }

  /** @throws RemoteError that parks the change. */
  async function check(
    { object, endpoint }: Encoding,
    fields: Fields,
    call: CallOptions,
  ): Promise<void> {
    for (const [attribute, values] of chosen(object, fields)) {
      const key = keyOf(object, attribute);
      const known = refused.get(key);
      const again = values.filter((value) => known?.has(value));
      if (again.length === 0) continue;
      const options = await reads.read(key, call, () => read(object, attribute, call));
      if (options === null) continue;
      if (again.some((value) => !options.has(value))) throw unlisted(endpoint, object, attribute);
      for (const value of again) known?.delete(value);
    }
  }

  /** Looks at the lists of a change that was refused: what else it was refused for is no value's fault. */
  async function learn(object: AttioObject, fields: Fields, call: CallOptions): Promise<void> {
    const missing: (readonly [key: string, value: string])[] = [];
    for (const [attribute, values] of chosen(object, fields)) {
      const key = keyOf(object, attribute);
      const options = await reads.read(key, call, () => read(object, attribute, call));
      if (options === null) continue;
      for (const value of values) if (!options.has(value)) missing.push([key, value]);
    }
    // Of several nobody says which it was.
    const [only, ...others] = missing;
    if (only === undefined || others.length > 0) return;
    const [key, value] = only;
    const known = refused.get(key) ?? new Set();
    if (known.size >= MOST_REFUSED) known.clear();
    refused.set(key, known.add(value));
  }

  return {
    async unlessUnlisted(encoding, { fields, write }, call) {
      if (call.claim === undefined) return await write();
      await check(encoding, fields, call);
      try {
        return await write();
      } catch (error) {
        if (error instanceof RemoteError && error.code === 'remote-invalid') {
          await learn(encoding.object, fields, call);
        }
        throw error;
      }
    },
  };
}

function keyOf({ slug: object }: AttioObject, { slug }: Attribute): string {
  return `${object}/${slug}`;
}

/** Attributes whose values come from a list, and what is written of each. */
function chosen(
  { attributes }: AttioObject,
  fields: Fields,
): readonly (readonly [Attribute, readonly string[]])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const attribute = attributes.get(name);
    if (attribute?.type !== 'select' && attribute?.type !== 'status') return [];
    const items: readonly Json[] = Array.isArray(value) ? value : [value];
    const texts = items.flatMap((item) => (typeof item === 'string' ? [simple(item)] : []));
    return texts.length === 0 ? [] : [[attribute, texts] as const];
  });
}

const option = z.looseObject({
  id: z.looseObject({
    option_id: z.string().nullish().catch(undefined),
    status_id: z.string().nullish().catch(undefined),
  }),
  title: z.string(),
});

/** Null where there is none: such a list tells nothing. @throws BadAnswer where one cannot be read. */
function optionsIn(items: readonly unknown[]): Options | null {
  const names = items.flatMap((item) => {
    const parsed = option.safeParse(item);
    if (!parsed.success) throw new BadAnswer('an option cannot be read');
    const { id, title } = parsed.data;
    return [title, id.option_id ?? [], id.status_id ?? []].flat();
  });
  return names.length === 0 ? null : new Set(names.map(simple));
}

/** How finely Attio compares titles is not said: what is the same in any reading may be taken. */
function simple(title: string): string {
  return title.normalize('NFKC').replaceAll(/\s+/g, ' ').trim().toLowerCase();
}

function unlisted(
  endpoint: string,
  { slug: object }: AttioObject,
  { slug, type }: Attribute,
): RemoteError {
  const says = `${object}.${slug} has no ${type === 'status' ? 'status' : 'option'} of that title`;
  return new RemoteError(`${endpoint}: ${says}`, {
    code: 'remote-invalid',
    disposition: 'park',
    status: null,
    culprit: 0,
    field: slug,
    reason: says,
    hint: 'Add the option in Attio, or write one that there is.',
  });
}
