import { isExactNumber, isObject, type Json } from '../../domain/json.ts';
import type { Linkage, RemoteRecord } from '../../domain/record.ts';
import type { FieldKind, ObjectSchema } from '../../domain/schema.ts';
import { BadAnswer } from '../wire/call.ts';
import { type Catalog, type KizenField, type KnownObject, STAGE } from './catalog.ts';
import { decodeValue, idOf, jsonOf, unwrap } from './decode-value.ts';
import { isList } from './envelope.ts';
import { CREATED, isStage, isSystem, kindOf } from './fields.ts';
import { toUtc } from './instants.ts';

type Parts = Readonly<Record<string, unknown>>;

/** How much an answer tells: a blank field is left out of every one. */
export type Telling =
  /** Of every field: what is left out is blank. */
  | { readonly kind: 'whole' }
  /** Of those that were written at least: of any other nothing is known where it is left out. */
  | { readonly kind: 'written'; readonly names: readonly string[] };

export interface Decoder {
  /** @throws BadAnswer where there is no usable id or no fields. */
  record(schema: ObjectSchema, item: unknown, telling: Telling): RemoteRecord;
  /** All that `record` hangs on beside the item and what it is to tell of. */
  basis(schema: ObjectSchema): string;
}

/** What becomes of a field's value. */
interface Place extends Pick<KizenField, 'name' | 'type' | 'options'> {
  readonly kind: FieldKind | 'created' | 'updated' | 'unseen';
}

/** An object's fields, looked up for every value of every record. */
interface Places {
  readonly byId: ReadonlyMap<string, Place>;
  readonly byName: ReadonlyMap<string, Place>;
  /** Those that have a column or a link table. */
  readonly told: readonly Place[];
}

const NOWHERE: Places = { byId: new Map(), byName: new Map(), told: [] };

interface Reading {
  readonly fields: Record<string, Json>;
  readonly links: Record<string, Linkage>;
  createdAt: string | null;
  updatedAt: string | null;
}

/** Reads records into the shapes that `FieldKind` lists; what does not fit is passed on as it is. */
export function createDecoder(catalog: Catalog): Decoder {
  const known = new WeakMap<KnownObject, Places>();

  function placesOf(name: string): Places {
    const object = catalog.object(name);
    if (object === undefined) return NOWHERE;
    const places = known.get(object) ?? findPlaces(object, catalog);
    known.set(object, places);
    return places;
  }

  return {
    record(schema, item, telling) {
      const { id, entries, ...stamps } = parse(schema, item);
      const places = placesOf(schema.object);
      const reading: Reading = { fields: {}, links: {}, ...stamps };
      for (const place of blanksOf(places, telling)) setBlank(reading, place);
      for (const key in entries) {
        const entry = entries[key];
        const place = placeOf(places, key, entry);
        if (place === undefined) keepUnknown(reading, places, { key, entry });
        else readEntry(reading, place, entry);
      }
      return { id, ...reading, createdBy: null, updatedBy: null, mergedIds: [] };
    },
    basis({ object }) {
      const { byId, byName, told } = placesOf(object);
      return JSON.stringify([object, [...byId], [...byName], told]);
    },
  };
}

function findPlaces(object: KnownObject, catalog: Catalog): Places {
  const toPlace = (field: KizenField): Place => {
    const { name, type, options, isLive } = field;
    if (!isLive) return { name, type, options, kind: 'unseen' };
    if (isSystem(field)) {
      return { name, type, options, kind: name === CREATED ? 'created' : 'updated' };
    }
    const kind = kindOf(object, field, catalog);
    return isStage(object, field)
      ? { name, type: STAGE, options: object.stages, kind }
      : { name, type, options, kind };
  };
  const all = object.fields.map((field) => [field, toPlace(field)] as const);
  const live = all.flatMap(([field, place]) =>
    object.byName.get(field.name) === field ? [place] : [],
  );
  return {
    byId: new Map(all.map(([{ id }, place]) => [id, place])),
    byName: new Map(live.map((place) => [place.name, place])),
    told: live.filter(({ kind }) => kind !== 'created' && kind !== 'updated'),
  };
}

function blanksOf({ told, byName }: Places, telling: Telling): readonly Place[] {
  if (telling.kind === 'whole') return told;
  return telling.names.flatMap((name) => byName.get(name) ?? []);
}

function setBlank({ fields, links }: Reading, { name, kind }: Place): void {
  if (kind === 'references') set(links, name, { ids: [], total: 0 });
  else set(fields, name, null);
}

/** By its id, or, where the answer is by names, by its name. */
function placeOf({ byId, byName }: Places, key: string, entry: unknown): Place | undefined {
  const own = byId.get(key);
  if (own !== undefined) return own;
  const id = isObject(entry) ? entry.id : undefined;
  // A field of another id that has the name is another field.
  return typeof id === 'string' ? byId.get(id) : byName.get(key);
}

function readEntry(reading: Reading, place: Place, entry: unknown): void {
  const { name, kind } = place;
  switch (kind) {
    case 'unseen':
      return;
    case 'created':
      reading.createdAt = instantIn(entry) ?? reading.createdAt;
      return;
    case 'updated':
      reading.updatedAt = instantIn(entry) ?? reading.updatedAt;
      return;
    case 'references': {
      const linkage = linkageOf(entry);
      if (linkage === null) delete reading.links[name];
      else set(reading.links, name, linkage);
      return;
    }
    default:
      set(reading.fields, name, decodeValue(place, valueIn(entry)));
  }
}

/** It came up since the fields were read. */
function keepUnknown(
  { fields }: Reading,
  { byName }: Places,
  { key, entry }: { readonly key: string; readonly entry: unknown },
): void {
  const name = isObject(entry) && typeof entry.name === 'string' ? entry.name : key;
  if (!byName.has(name)) set(fields, name, jsonOf(valueIn(entry)));
}

/** `{…, value}`, or the value by itself; a scalar may be wrapped once more. */
function valueIn(entry: unknown): unknown {
  return unwrap(isEnvelope(entry) ? entry.value : entry);
}

function isEnvelope(entry: unknown): entry is Parts {
  if (!isObject(entry) || isExactNumber(entry)) return false;
  return 'value' in entry || 'value_summary' in entry || 'field_type' in entry;
}

/**
 * All ids, or how many there are where they are too many to be listed. Null where it cannot be read,
 * which is unknown and not none.
 */
function linkageOf(entry: unknown): Linkage | null {
  const value = valueIn(entry);
  if (isList(value)) {
    const ids = new Set<string>();
    for (const one of value) {
      const id = idOf(one);
      if (id === null) return null;
      ids.add(id);
    }
    return { ids: [...ids], total: ids.size };
  }
  const summary = isObject(entry) ? entry.value_summary : undefined;
  if (isObject(summary)) {
    const { count } = summary;
    return typeof count === 'number' && count >= 0 ? { ids: [], total: count } : null;
  }
  if (value === null || value === undefined) return { ids: [], total: 0 };
  const id = idOf(value);
  return id === null ? null : { ids: [id], total: 1 };
}

function parse(schema: ObjectSchema, item: unknown) {
  if (!isObject(item) || typeof item.id !== 'string' || item.id === '') {
    throw new BadAnswer(`a record of ${schema.object} has no usable id`);
  }
  const { id, fields, created, updated } = item;
  if (!isObject(fields)) throw new BadAnswer(`a record of ${schema.object} has no usable fields`);
  return { id, entries: fields, createdAt: instantIn(created), updatedAt: instantIn(updated) };
}

function instantIn(entry: unknown): string | null {
  const value = valueIn(entry);
  return typeof value === 'string' ? toUtc(value) : null;
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
