import { isExactNumber, isObject, type Json } from '../../domain/json.ts';
import { cutInstant } from './instants.ts';

type Value = Readonly<Record<string, unknown>>;

/** What is told of every value, whatever its type. */
const ABOUT = new Set(['active_from', 'active_until', 'created_by_actor', 'attribute_type']);

const LOCATION = [
  'line_1',
  'line_2',
  'line_3',
  'line_4',
  'locality',
  'region',
  'postcode',
  'country_code',
  'latitude',
  'longitude',
] as const;
export const LOCATION_KEYS: readonly string[] = LOCATION;

export const NAME_KEYS: readonly string[] = ['first_name', 'last_name', 'full_name'];

/** One value in the shape of its field; undefined where it does not have the form of its type. */
export function decodeValue(type: string, value: Value): Json | undefined {
  switch (type) {
    case 'text':
    case 'date':
      return textOf(value.value);
    case 'timestamp': {
      const text = textOf(value.value);
      return typeof text === 'string' ? cutInstant(text) : text;
    }
    case 'number':
    case 'rating':
      return numberOf(value.value);
    case 'checkbox':
      return typeof value.value === 'boolean' ? value.value : undefined;
    case 'currency':
      return numberOf(value.currency_value);
    case 'select':
      return titleOf(value.option);
    case 'status':
      return titleOf(value.status);
    case 'email-address':
      return textOf(value.email_address);
    case 'domain':
      return textOf(value.domain);
    case 'phone-number':
      return textOf(value.phone_number) ?? textOf(value.normalized_phone_number);
    case 'actor-reference':
      return value.referenced_actor_id === null ? null : textOf(value.referenced_actor_id);
    case 'record-reference':
      return textOf(value.target_record_id);
    case 'personal-name':
      return pick(value, NAME_KEYS);
    case 'location':
      return pick(value, LOCATION_KEYS);
    default:
      return rest(value);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): Json | undefined {
  return typeof value === 'number' || isExactNumber(value) ? value : undefined;
}

/** The title alone, or inside what the option or status is. */
function titleOf(value: unknown): string | undefined {
  return isObject(value) ? textOf(value.title) : textOf(value);
}

function pick(value: Value, keys: readonly string[]): Json {
  return Object.fromEntries(keys.map((key) => [key, jsonOf(value[key])]));
}

/** Of a type that is not known, all that is its own. */
function rest(value: Value): Json {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (ABOUT.has(key) ? [] : [[key, jsonOf(part)]])),
  );
}

/** What came as JSON. */
export function jsonOf(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (isExactNumber(value)) return value;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (!isObject(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, jsonOf(part)]));
}
