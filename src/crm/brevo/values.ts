import { RemoteError } from '../../domain/errors.ts';
import { isExactNumber, isObject, type Json } from '../../domain/json.ts';
import { toInstant } from '../wire/instants.ts';
import type { Attribute, WireType } from './attribute.ts';

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

/** One value in the shape of its column; as it is where it does not have the form of its type. */
export function decodeValue({ type, options }: Attribute, value: unknown): Json {
  // What is cleared may be told as an empty text.
  if (value === null || value === undefined || value === '') return null;
  switch (type) {
    case 'option':
      return labelOf(options, value) ?? textOf(value);
    case 'options':
      return Array.isArray(value)
        ? value.map((one: unknown) => labelOf(options, one) ?? textOf(one))
        : [labelOf(options, value) ?? textOf(value)];
    default:
      return decodePlain(type, value);
  }
}

/** Of a type that needs no options. */
export function decodePlain(type: WireType, value: unknown): Json {
  if (value === null || value === undefined || value === '') return null;
  switch (type) {
    case 'text':
    case 'user':
      return textOf(value);
    case 'number':
      return numberOf(value);
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : jsonOf(value);
    case 'day':
      return typeof value === 'string' ? (dayIn(value) ?? value) : jsonOf(value);
    case 'instant':
      return toInstant(value) ?? jsonOf(value);
    default:
      return jsonOf(value);
  }
}

/** The label of an option that is told by its value, or by its label. */
function labelOf(options: Attribute['options'], value: unknown): string | null {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : null;
  const byValue = options.find((option) => option.value === text);
  const found = byValue ?? options.find(({ label }) => label === text);
  return found?.label ?? null;
}

function textOf(value: unknown): Json {
  if (isExactNumber(value) || typeof value === 'number') return String(value);
  return jsonOf(value);
}

function numberOf(value: unknown): Json {
  const isNumeral = typeof value === 'string' && /^-?\d{1,15}(\.\d{1,6})?$/.test(value);
  return isNumeral ? Number(value) : jsonOf(value);
}

/** The day of a text that begins with one, whatever time of day follows; never through a Date. */
export function dayIn(text: string): string | null {
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:[T ].*)?$/.exec(text) ?? [];
  return day ?? null;
}

/** What is written, for messages. */
export interface Writing {
  readonly endpoint: string;
  readonly object: string;
}

/**
 * A value as it travels; null is left to whoever clears.
 *
 * @throws RemoteError that parks the change where it is no option: Brevo would ignore it in silence.
 */
export function encodeValue(
  writing: Writing,
  { name, type, options }: Attribute,
  value: Json,
): Json {
  switch (type) {
    case 'option':
      return wireOf(writing, { name, options }, value);
    case 'options': {
      const list: readonly Json[] = Array.isArray(value) ? value : [value];
      return list.map((one) => wireOf(writing, { name, options }, one));
    }
    default:
      return encodePlain(type, value);
  }
}

export function encodePlain(type: WireType, value: Json): Json {
  if (typeof value !== 'string') return value;
  switch (type) {
    case 'day':
      return dayIn(value) ?? value;
    case 'instant':
      return toInstant(value) ?? value;
    default:
      return value;
  }
}

function wireOf(
  writing: Writing,
  { name, options }: Pick<Attribute, 'name' | 'options'>,
  value: Json,
): Json {
  const found =
    options.find(({ label }) => label === value) ?? options.find((one) => one.value === value);
  if (found !== undefined) return found.wire;
  throw unwritable(writing, name, { says: 'has no such option', hint: UNKNOWN_OPTION });
}

const UNKNOWN_OPTION = 'Write one of the labels that the attribute has in Brevo.';

/** Whether it may be an option that has been added since attributes were read. Nothing has gone out. */
export function isUnknownOption(error: unknown): boolean {
  return error instanceof RemoteError && error.status === null && error.hint === UNKNOWN_OPTION;
}

export function unwritable(
  { endpoint, object }: Writing,
  field: string,
  { says, hint }: { readonly says: string; readonly hint: string },
): RemoteError {
  const message = `${object}.${field} ${says}`;
  return new RemoteError(`${endpoint}: ${message}`, {
    code: 'remote-invalid',
    disposition: 'park',
    status: null,
    culprit: 0,
    field,
    reason: message,
    hint,
  });
}

/** An id as it travels where it is a number. */
export function idOf(id: string): string | number {
  const number = Number(id);
  return /^\d+$/.test(id) && Number.isSafeInteger(number) && String(number) === id ? number : id;
}

/** Ids are opaque text to us, whatever they are on the wire; null where it is none. */
export function readId(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' || isExactNumber(value) ? String(value) : null;
}

/** An assignment to `__proto__` would set the prototype and lose the value. */
export function setOwn<T>(target: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') {
    target[name] = value;
    return;
  }
  const how = { value, configurable: true, enumerable: true, writable: true };
  Object.defineProperty(target, name, how);
}
