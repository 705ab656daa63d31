import { RemoteError } from '../../domain/errors.ts';
import { isExactNumber, isObject, type Json } from '../../domain/json.ts';
import type { AttioObject, Attribute } from './attribute.ts';
import { LOCATION_KEYS, NAME_KEYS } from './decode-value.ts';
import { CURRENCY_SUFFIX, OBJECT_SUFFIX, targetOf } from './fields.ts';

type Fields = Readonly<Record<string, Json>>;

/** What encoding needs of the workspace. */
export interface Encoding {
  readonly object: AttioObject;
  readonly byId: { get(id: string): AttioObject | undefined };
  /** What is sent, for messages. */
  readonly endpoint: string;
}

/**
 * Field values as `values` of a write that sets them: every one a list, an empty one where it is
 * cleared. To-many links are left out, for they are written as links.
 *
 * @throws RemoteError that parks the change where the field cannot be written.
 */
export function encodeFields(encoding: Encoding, fields: Fields): Readonly<Record<string, Json>> {
  const { object, byId } = encoding;
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const attribute = object.attributes.get(name);
      if (attribute === undefined) {
        const base = besideWhat(object, name);
        if (base === null) return [[name, listOf(value)]];
        if (base.type === 'currency') throw readOnly(encoding, name);
        // It goes out with the reference it belongs to.
        if (Object.hasOwn(fields, base.slug)) return [];
        throw halfReference(encoding, name);
      }
      if (!attribute.isWritable) throw readOnly(encoding, name);
      if (attribute.type !== 'record-reference') {
        return [[name, listOf(value).map((item) => encodeValue(attribute.type, item))]];
      }
      const target = targetOf(attribute, byId);
      if (target === null) return [[name, encodeOpen(encoding, { attribute, value, fields })]];
      if (attribute.isMulti) return [];
      return [[name, listOf(value).map((id) => reference(target.slug, id))]];
    }),
  );
}

export function reference(object: string, id: Json): Json {
  return { target_object: object, target_record_id: id };
}

/** The attribute that a column of ours stands beside; null where it is none. */
function besideWhat({ attributes }: AttioObject, name: string): Attribute | null {
  for (const suffix of [CURRENCY_SUFFIX, OBJECT_SUFFIX]) {
    const base = name.endsWith(suffix) ? attributes.get(name.slice(0, -suffix.length)) : undefined;
    if (base !== undefined) return base;
  }
  return null;
}

/** A reference to records of several objects: it has to say of which. */
function encodeOpen(
  encoding: Encoding,
  { attribute, value, fields }: { attribute: Attribute; value: Json; fields: Fields },
): Json {
  // Already in the form it travels in.
  if (attribute.isMulti) return listOf(value);
  if (value === null) return [];
  const name = `${attribute.slug}${OBJECT_SUFFIX}`;
  const object = Object.hasOwn(fields, name) ? fields[name] : null;
  if (typeof object !== 'string') throw halfReference(encoding, attribute.slug);
  return [reference(object, value)];
}

function listOf(value: Json): readonly Json[] {
  if (value === null) return [];
  const list: readonly Json[] = Array.isArray(value) ? value : [value];
  return list;
}

function encodeValue(type: string, value: Json): Json {
  switch (type) {
    case 'personal-name':
      return encodeName(value);
    case 'location':
      return encodeLocation(value);
    case 'actor-reference':
      // Members may be named by their address as well.
      return typeof value !== 'string' || value.includes('@')
        ? value
        : { referenced_actor_type: 'workspace-member', referenced_actor_id: value };
    default:
      return value;
  }
}

/** All three parts have to be there: those that are not are made of the others. */
function encodeName(value: Json): Json {
  const parts = partsOf(value);
  if (parts === null) return value;
  const [first, last, full] = NAME_KEYS.map((key) => textOf(parts[key]));
  const whole = full ?? [first, last].filter(Boolean).join(' ');
  return { first_name: first ?? '', last_name: last ?? '', full_name: whole };
}

/** All ten have to be there, null where empty; coordinates are texts. */
function encodeLocation(value: Json): Json {
  const parts = partsOf(value);
  if (parts === null) return value;
  return Object.fromEntries(
    LOCATION_KEYS.map((key) => {
      const part = parts[key] ?? null;
      return [key, typeof part === 'number' || isExactNumber(part) ? String(part) : part];
    }),
  );
}

function partsOf(value: Json): Readonly<Record<string, Json>> | null {
  if (!isObject(value) || isExactNumber(value)) return null;
  return value;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readOnly({ endpoint, object }: Encoding, field: string): RemoteError {
  return new RemoteError(`${endpoint}: ${object.slug}.${field} is read-only in Attio`, {
    code: 'remote-invalid',
    disposition: 'park',
    status: null,
    culprit: 0,
    field,
    hint: 'Revert the change: Attio writes this field itself.',
  });
}

function halfReference({ endpoint, object }: Encoding, field: string): RemoteError {
  return new RemoteError(
    `${endpoint}: ${object.slug}.${field} says half of which record is meant`,
    {
      code: 'remote-invalid',
      disposition: 'park',
      status: null,
      culprit: 0,
      field,
      hint: `Write the record’s id and its object (…${OBJECT_SUFFIX}) together.`,
    },
  );
}
