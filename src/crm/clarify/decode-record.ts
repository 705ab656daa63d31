import { isObject, type Json } from '../../domain/json.ts';
import type { DeletedRecord, Linkage, RemoteRecord } from '../../domain/record.ts';
import { RecurringNames } from '../../domain/recurring-names.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { BadAnswer } from '../wire/call.ts';
import { toInstant } from '../wire/instants.ts';
import { SYSTEM_FIELDS } from './system-fields.ts';
import type { WireForms } from './wire-forms.ts';

type Attributes = Readonly<Record<string, Json>>;

/** Only the shape: values are read one by one below, and copied once. */
interface Resource {
  readonly id: string;
  readonly type?: unknown;
  readonly attributes: Attributes;
  readonly relationships?: unknown;
}

/** By hand: a hundred thousand a second pass here, and a schema library takes copies of each. */
function isResource(item: unknown): item is Resource {
  return hasId(item) && isObject(item.attributes);
}

function hasId(item: unknown): item is { readonly id: string; readonly attributes?: unknown } {
  return isObject(item) && typeof item.id === 'string' && item.id !== '';
}

export interface Decoder {
  /** Objects of the workspace: what names itself one of them is no record of another. */
  know(objects: readonly ObjectSchema[]): void;
  /** @throws BadAnswer where there is no usable id or no attributes. */
  record(object: ObjectSchema, item: unknown): RemoteRecord;
  /** All that `record` hangs on beside the item. */
  basis(object: ObjectSchema): string;
  /** Whether it is known of each of its lists how it travels: records have nothing to teach. */
  isCertain(object: ObjectSchema): boolean;
  /** @throws BadAnswer likewise, or without a usable `_deleted_at`. */
  deletion(object: ObjectSchema, item: unknown): DeletedRecord;
}

type DecodeValue = (value: Json) => Json;

/** How each attribute is read; null for one that is no field. */
type Plan = RecurringNames<DecodeValue | null>;

/** Reads records into the shapes that `FieldKind` lists; what does not fit is passed on as it is. */
export function createDecoder(forms: WireForms): Decoder {
  const plans = new WeakMap<ObjectSchema, Plan>();
  let slugs: ReadonlySet<string> = new Set();

  function planOf(object: ObjectSchema): Plan {
    const known = plans.get(object);
    if (known !== undefined) return known;
    const decoders = new Map<string, DecodeValue>();
    for (const { name, kind } of object.fields) {
      if (kind === 'texts') decoders.set(name, textsDecoder(object.object, name, forms));
      if (kind === 'timestamp') decoders.set(name, textToInstant);
    }
    const plan = new RecurringNames((name) =>
      SYSTEM_FIELDS.has(name) ? null : (decoders.get(name) ?? asItIs),
    );
    plans.set(object, plan);
    return plan;
  }

  function parse(object: ObjectSchema, item: unknown): Resource {
    if (isResource(item)) {
      const { type } = item;
      if (type === object.object || typeof type !== 'string' || !slugs.has(type)) return item;
      throw new BadAnswer(`a record of another object among those of ${object.object}`);
    }
    const part = !isObject(item) ? 'shape' : hasId(item) ? 'attributes' : 'id';
    throw new BadAnswer(`a record of ${object.object} has no usable ${part}`);
  }

  function read(object: ObjectSchema, { id, attributes, relationships }: Resource) {
    return {
      id,
      fields: readFields(planOf(object), attributes),
      createdAt: toInstant(attributes._created_at),
      updatedAt: toInstant(attributes._updated_at),
      createdBy: readActor(attributes._created_by),
      updatedBy: readActor(attributes._updated_by),
      mergedIds: readIds(attributes._merged_ids),
      links: readLinks(relationships),
    };
  }

  return {
    know(objects) {
      slugs = new Set(objects.map(({ object }) => object));
    },
    record: (object, item) => read(object, parse(object, item)),
    basis: ({ object, fields }) => JSON.stringify([object, fields, [...slugs].toSorted()]),
    isCertain: ({ object, fields }) =>
      fields.every(({ name, kind }) => kind !== 'texts' || forms.isCertain(object, name)),
    deletion(object, item) {
      const parsed = parse(object, item);
      const deletedAt = toInstant(parsed.attributes._deleted_at);
      if (deletedAt === null) {
        throw new BadAnswer(`a deleted record of ${object.object} has no usable _deleted_at`);
      }
      return { record: read(object, parsed), deletedAtMs: Date.parse(deletedAt) };
    },
  };
}

function readFields(plan: Plan, attributes: Attributes) {
  const fields: Record<string, Json> = {};
  let place = 0;
  // What JSON made has nothing inherited to show, and reading it this way is the fastest.
  for (const name in attributes) {
    const decode = plan.at(place, name);
    place += 1;
    const raw = attributes[name];
    if (raw === undefined || decode === null) continue;
    const value = decode(raw);
    // An assignment to this name would set the prototype and lose the value.
    if (name === '__proto__') {
      Object.defineProperty(fields, name, {
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    } else fields[name] = value;
  }
  return fields;
}

function asItIs(value: Json): Json {
  return value;
}

/** A number may count seconds or milliseconds: where nothing says which, it is no instant. */
function textToInstant(value: Json): Json {
  return typeof value === 'string' ? (toInstant(value) ?? value) : value;
}

function textsDecoder(object: string, field: string, forms: WireForms): DecodeValue {
  return (value) => {
    if (value === null || typeof value !== 'object') return value;
    const bare = Array.isArray(value);
    const items: unknown = bare ? value : 'items' in value ? value.items : undefined;
    if (items === null) return null;
    if (!isTexts(items)) return value;
    const form = bare ? 'array' : 'items';
    if (!forms.isCertain(object, field) || forms.of(object, field) !== form) {
      forms.learn(object, field, form);
    }
    return items;
  };
}

function isTexts(items: unknown): items is readonly string[] {
  return Array.isArray(items) && items.every((item) => typeof item === 'string');
}

/** An id, bare or inside a reference, which calls it `_id` or `id`. */
export function readActor(actor: unknown): string | null {
  if (typeof actor === 'string') return actor;
  if (!isObject(actor)) return null;
  const id = [actor._id, actor.id, actor.anonymous_id].find((one) => typeof one === 'string');
  return typeof id === 'string' ? id : null;
}

const NO_IDS: readonly string[] = [];

function readIds(ids: unknown): readonly string[] {
  const list = isObject(ids) ? ids.items : ids;
  return isTexts(list) ? list : NO_IDS;
}

const NO_LINKS: Readonly<Record<string, Linkage>> = {};

function readLinks(relationships: unknown): Readonly<Record<string, Linkage>> {
  if (!isObject(relationships)) return NO_LINKS;
  return Object.fromEntries(
    Object.entries(relationships).flatMap(([field, relationship]) => {
      const linkage = readLinkage(relationship);
      return linkage === null ? [] : [[field, linkage]];
    }),
  );
}

function readLinkage(relationship: unknown): Linkage | null {
  if (!isObject(relationship)) return null;
  const { data, meta } = relationship;
  const listed: readonly unknown[] = data === null || data === undefined ? [] : [data].flat();
  const ids = listed.flatMap((item) =>
    isObject(item) && typeof item.id === 'string' ? [item.id] : [],
  );
  const count = isObject(meta) && typeof meta.count === 'number' ? meta.count : null;
  // What cannot be read is unknown. Taken for none, it would end links that stand.
  if (ids.length < listed.length || (data === undefined && count === null)) return null;
  // `data` is capped and `count` is the truth, but there are never fewer than are listed.
  return { ids, total: Math.max(count ?? 0, ids.length) };
}
