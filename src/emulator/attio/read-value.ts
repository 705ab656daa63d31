import type { Json } from '../../domain/json.ts';
import { type Fields, fieldOf, isObject } from '../kernel/fields.ts';
import { invalidValue, valueNotFound } from './api-error.ts';
import { type Attribute, valueKey } from './attribute.ts';
import { type Instant, parseDate, parseInstant } from './instants.ts';
import { domain, emailAddress, LOCATION_KEYS, personalName, phoneNumber } from './normal-forms.ts';
import { uniqueOwners } from './unique.ts';
import { attributeOf, type ObjectState, objectState, type Workspace } from './workspace.ts';

/**
 * The values an attribute is given, in the form in which they are kept: one, or a list.
 *
 * @throws ApiError 400 `validation_type`, `value_not_found`
 */
export function readValues(workspace: Workspace, attribute: Attribute, given: Json): Fields[] {
  const { slug, multi, type } = attribute;
  if (given === null) {
    if (workspace.switches.nullClears) return [];
    throw invalidValue(slug);
  }
  const list: readonly Json[] | null = Array.isArray(given) ? given : null;
  if (list === null && multi) throw invalidValue(slug);
  if (list !== null && !multi && list.length > 1) throw invalidValue(slug);
  const values = (list ?? [given]).map((each) => readValue(workspace, attribute, each));
  return [...new Map(values.map((data) => [valueKey(type, data), data])).values()];
}

/** @throws ApiError 400 */
function readValue(workspace: Workspace, attribute: Attribute, given: Json): Fields {
  // The form of a read is not that of a write.
  if (isObject(given) && ('active_from' in given || 'attribute_type' in given)) {
    throw invalidValue(attribute.slug);
  }
  const data = READERS[attribute.type](workspace, attribute, given);
  if (data === null) throw invalidValue(attribute.slug);
  return data;
}

type Reader = (workspace: Workspace, attribute: Attribute, given: Json) => Fields | null;

/** `x`, or `{value: x}`. */
function bare(given: Json, name: string): Json {
  return isObject(given) ? fieldOf(given, name) : given;
}

function scalar(read: (value: Json, attribute: Attribute) => Json): Reader {
  return (_, attribute, given) => {
    const value = read(bare(given, 'value'), attribute);
    return value === null ? null : { value };
  };
}

function textual(name: string, read: (text: string) => Fields | null): Reader {
  return (_, __, given) => {
    const value = bare(given, name);
    return typeof value === 'string' ? read(value) : null;
  };
}

const instant = (value: Json): Instant | null =>
  typeof value === 'string' ? parseInstant(value) : null;

const READERS: Readonly<Record<Attribute['type'], Reader>> = {
  text: scalar((value) => (typeof value === 'string' ? value : null)),
  number: scalar((value) => (typeof value === 'number' ? value : null)),
  checkbox: scalar((value) =>
    value === 'true' ? true : value === 'false' ? false : typeof value === 'boolean' ? value : null,
  ),
  rating: scalar((value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 5 ? value : null,
  ),
  date: scalar((value) => (typeof value === 'string' ? parseDate(value) : null)),
  timestamp: scalar(instant),
  currency(_, { currency }, given) {
    const value = bare(given, 'currency_value');
    if (typeof value !== 'number' || Math.abs(value) >= 1e14) return null;
    if (Number(value.toFixed(4)) !== value) return null;
    return { currency_value: value, currency_code: currency };
  },
  select: titled('option'),
  status: titled('status'),
  'email-address': textual('email_address', emailAddress),
  domain: textual('domain', domain),
  'phone-number'(_, __, given) {
    const text = bare(given, 'original_phone_number');
    const country = isObject(given) ? fieldOf(given, 'country_code') : null;
    if (typeof text !== 'string') return null;
    return phoneNumber(text, typeof country === 'string' ? country : null);
  },
  'personal-name'(_, __, given) {
    if (typeof given === 'string') return personalName(given);
    return isObject(given) ? texts(given, ['first_name', 'last_name', 'full_name']) : null;
  },
  location(_, __, given) {
    if (typeof given === 'string') return { ...emptyLocation, line_1: given };
    if (!isObject(given) || LOCATION_KEYS.some((key) => !(key in given))) return null;
    const kept = LOCATION_KEYS.map((key) => [key, fieldOf(given, key)] as const);
    return kept.every(([, value]) => value === null || typeof value === 'string')
      ? Object.fromEntries(kept)
      : null;
  },
  'record-reference': recordReference,
  'actor-reference': actorReference,
  interaction: () => null,
};

const emptyLocation: Fields = Object.fromEntries(LOCATION_KEYS.map((key) => [key, null]));

/** All of the names, each a text. */
function texts(given: Fields, names: readonly string[]): Fields | null {
  const kept = names.map((name) => [name, fieldOf(given, name)] as const);
  return kept.every(([, value]) => typeof value === 'string') ? Object.fromEntries(kept) : null;
}

/** An option or a status by its title or id; kept by its id alone. */
function titled(member: 'option' | 'status'): Reader {
  return ({ switches }, attribute, given) => {
    const wanted = bare(given, member);
    if (typeof wanted !== 'string') return null;
    const fold = (text: string): string =>
      switches.titles === 'exact' ? text : text.toLowerCase();
    const found = attribute.options.find(
      ({ id, title, archived }) => !archived && (id === wanted || fold(title) === fold(wanted)),
    );
    if (found === undefined) {
      throw valueNotFound(`Cannot find ${member} for attribute with slug "${attribute.slug}".`);
    }
    return { [member]: found.id };
  };
}

function recordReference(workspace: Workspace, attribute: Attribute, given: Json): Fields | null {
  if (!isObject(given) || typeof given['target_object'] !== 'string') return null;
  const state = objectState(workspace, given['target_object']);
  const { allowed, slug } = attribute;
  if (allowed !== null && !allowed.includes(state.id)) return null;
  const id =
    'target_record_id' in given ? given['target_record_id'] : soughtId(workspace, state, given);
  if (typeof id !== 'string') return null;
  if (!state.records.has(id)) {
    throw valueNotFound(`Cannot find record for attribute with slug "${slug}".`);
  }
  return { target_object: state.id, target_record_id: id };
}

/** The one record that has the value; `{target_object, <attribute>: [value]}`. */
function soughtId(workspace: Workspace, state: ObjectState, given: Fields): string | null {
  const [name, another] = Object.keys(given).filter((key) => key !== 'target_object');
  if (name === undefined || another !== undefined) return null;
  const attribute = attributeOf(state, name);
  const [value] = readValues(workspace, attribute, given[name] ?? null);
  if (value === undefined) return null;
  const owners = uniqueOwners(state, attribute, [value]);
  const [owner] = owners;
  if (owner === undefined || owners.size > 1) {
    throw valueNotFound(`Cannot find exactly one record by "${name}".`);
  }
  return owner;
}

function actorReference({ members }: Workspace, attribute: Attribute, given: Json): Fields | null {
  const wanted = isObject(given)
    ? (given['workspace_member_email_address'] ?? given['referenced_actor_id'] ?? null)
    : given;
  if (typeof wanted !== 'string') return null;
  if (isObject(given) && 'referenced_actor_id' in given) {
    if (given['referenced_actor_type'] !== 'workspace-member') return null;
  }
  const found = members.find(({ id, email }) => id === wanted || email === wanted.toLowerCase());
  if (found === undefined) {
    throw valueNotFound(`Cannot find member for attribute with slug "${attribute.slug}".`);
  }
  return { referenced_actor_type: 'workspace-member', referenced_actor_id: found.id };
}
