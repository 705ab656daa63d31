import { isObject, type Json } from '../../domain/json.ts';
import type { Linkage, RemoteRecord, WrittenBy } from '../../domain/record.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { BadAnswer } from '../wire/call.ts';
import type { Attribute, Catalog } from './attribute.ts';
import { decodeValue, jsonOf } from './decode-value.ts';
import { CURRENCY_SUFFIX, OBJECT_SUFFIX, SYSTEM_ATTRIBUTES } from './fields.ts';
import { cutInstant, sortable } from './instants.ts';

type Value = Readonly<Record<string, unknown>>;

export interface Decoder {
  /**
   * `links`: to-many fields whose linkage to give along; default all.
   *
   * @throws BadAnswer where there is no usable id or no values.
   */
  record(object: ObjectSchema, item: unknown, links?: readonly string[]): RemoteRecord;
  /** All that `record` hangs on beside the item. */
  basis(object: ObjectSchema): string;
}

interface Reading {
  readonly fields: Record<string, Json>;
  readonly writes: Record<string, WrittenBy>;
  readonly links: Record<string, Linkage>;
  newest: Stamp | null;
}

interface Stamp {
  /** As it came. */
  readonly at: string;
  /** In a form that sorts. */
  readonly key: string;
  readonly by: string | null;
  /** By Attio itself, which enriches what it finds. */
  readonly isAutomatic: boolean;
}

/** Reads records into the shapes that `FieldKind` lists; what does not fit is passed on as it is. */
export function createDecoder(catalog: Catalog): Decoder {
  return {
    basis(object) {
      const attributes = [...(catalog.object(object.object)?.attributes.values() ?? [])];
      return JSON.stringify([object.fields, attributes]);
    },
    record(object, item, links) {
      const { id, values, savedAt } = parse(object, item);
      const attributes = catalog.object(object.object)?.attributes;
      const toMany = toManyFields(object);
      const reading: Reading = { fields: {}, writes: {}, links: {}, newest: null };
      for (const slug in values) {
        const list = currentOf(values[slug]);
        if (list === null) continue;
        const stamp = newestOf(list);
        reading.newest = later(reading.newest, stamp);
        const attribute = attributes?.get(slug);
        if (SYSTEM_ATTRIBUTES.has(slug) || attribute?.isArchived === true) continue;
        if (toMany.has(slug)) {
          const linkage = links === undefined || links.includes(slug) ? linkageOf(list) : null;
          if (linkage !== null) reading.links[slug] = linkage;
          continue;
        }
        readField(reading, { slug, attribute, list, stamp }, object);
      }
      const { newest, fields, writes } = reading;
      return {
        id,
        fields,
        createdAt: instantOf(first(values, 'created_at')?.value),
        updatedAt: newest === null ? null : cutInstant(newest.at),
        createdBy: textOrNull(first(values, 'created_by')?.referenced_actor_id),
        updatedBy: newest?.by ?? null,
        // Webhooks alone tell of merges.
        mergedIds: null,
        writes,
        savedAt: instantOf(savedAt),
        links: reading.links,
      };
    },
  };
}

/** Of one object, by slug: looked up for every value of every record. */
const toManyOf = new WeakMap<ObjectSchema, ReadonlySet<string>>();

function toManyFields(object: ObjectSchema): ReadonlySet<string> {
  const known = toManyOf.get(object);
  if (known !== undefined) return known;
  const names = object.fields.filter(({ kind }) => kind === 'references').map(({ name }) => name);
  const fields = new Set(names);
  toManyOf.set(object, fields);
  return fields;
}

interface Found {
  readonly slug: string;
  /** Undefined where it came up since the schema was read. */
  readonly attribute: Attribute | undefined;
  readonly list: readonly Value[];
  readonly stamp: Stamp | null;
}

function readField(
  reading: Reading,
  { slug, attribute, list, stamp }: Found,
  object: ObjectSchema,
) {
  const put = (name: string, value: Json): void => {
    set(reading.fields, name, value);
    if (stamp === null) return;
    const { at, by, isAutomatic } = stamp;
    set(reading.writes, name, {
      atMs: Date.parse(cutInstant(at)),
      by,
      ...(isAutomatic && { isAutomatic }),
    });
  };
  const type = attribute?.type ?? textOrNull(list[0]?.attribute_type) ?? '';
  const isMulti = attribute?.isMulti ?? true;
  const [only] = list;
  const has = (name: string): boolean => object.fields.some((field) => field.name === name);
  if (type === 'currency' && !isMulti && has(slug + CURRENCY_SUFFIX)) {
    put(slug + CURRENCY_SUFFIX, textOrNull(only?.currency_code));
  }
  const isToAny = type === 'record-reference' && !isMulti && has(slug + OBJECT_SUFFIX);
  if (isToAny) put(slug + OBJECT_SUFFIX, textOrNull(only?.target_object));
  if (type === 'record-reference' && isMulti) {
    put(slug, list.length === 0 ? null : list.map(targetOf));
    return;
  }
  put(slug, isMulti ? several(type, list) : single(type, list));
}

function single(type: string, list: readonly Value[]): Json {
  const [only] = list;
  if (only === undefined) return null;
  // Whichever of several it should be: nothing is lost.
  const value = list.length === 1 ? decodeValue(type, only) : undefined;
  return value === undefined ? list.map(jsonOf) : value;
}

function several(type: string, list: readonly Value[]): Json {
  if (list.length === 0) return null;
  const items = list.map((value) => decodeValue(type, value));
  const isWhole = items.every((item) => item !== undefined);
  return isWhole ? items : list.map(jsonOf);
}

function targetOf({ target_object, target_record_id }: Value): Json {
  return { target_object: jsonOf(target_object), target_record_id: jsonOf(target_record_id) };
}

/** In no order of time: links are a set. Null where it cannot be read, which is unknown and not none. */
function linkageOf(list: readonly Value[]): Linkage | null {
  const ids = new Set<string>();
  for (const { target_record_id: id } of list) {
    if (typeof id !== 'string') return null;
    ids.add(id);
  }
  return { ids: [...ids], total: ids.size };
}

/** The values that hold; null where the attribute does not say, which is unknown and not empty. */
function currentOf(list: unknown): readonly Value[] | null {
  if (!Array.isArray(list)) return null;
  const values: readonly unknown[] = list;
  return values.every(isCurrent) ? values : values.filter(isCurrent);
}

function isCurrent(value: unknown): value is Value {
  return isObject(value) && (value.active_until === null || value.active_until === undefined);
}

function newestOf(list: readonly Value[]): Stamp | null {
  return list.reduce<Stamp | null>((newest, value) => later(newest, stampOf(value)), null);
}

const NOBODY = { id: null, type: null };

function stampOf({ active_from: at, created_by_actor: actor }: Value): Stamp | null {
  if (typeof at !== 'string') return null;
  const key = sortable(at);
  if (key === null) return null;
  const { id, type } = isObject(actor) ? actor : NOBODY;
  return { at, key, by: textOrNull(id), isAutomatic: type === 'system' };
}

function later(a: Stamp | null, b: Stamp | null): Stamp | null {
  if (a === null || b === null) return a ?? b;
  return b.key > a.key ? b : a;
}

function parse(
  object: ObjectSchema,
  item: unknown,
): { readonly id: string; readonly values: Value; readonly savedAt: unknown } {
  const id = idIn(item);
  if (id === null) throw new BadAnswer(`a record of ${object.object} has no usable id`);
  const values: unknown = isObject(item) ? item.values : undefined;
  if (!isObject(values)) throw new BadAnswer(`a record of ${object.object} has no usable values`);
  // The attribute of that name tells when somebody began with it, in the app.
  return { id, values, savedAt: isObject(item) ? item.created_at : undefined };
}

function idIn(item: unknown): string | null {
  if (!isObject(item)) return null;
  const id = isObject(item.id) ? item.id.record_id : undefined;
  return typeof id === 'string' && id !== '' ? id : null;
}

function first(values: Value, slug: string): Value | undefined {
  return currentOf(values[slug])?.[0];
}

function instantOf(value: unknown): string | null {
  return typeof value === 'string' && sortable(value) !== null ? cutInstant(value) : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** An assignment to `__proto__` would set the prototype and lose the value. */
function set<T>(target: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') {
    target[name] = value;
    return;
  }
  const how = { value, configurable: true, enumerable: true, writable: true };
  Object.defineProperty(target, name, how);
}
