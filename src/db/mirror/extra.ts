import { SyncError } from '../../domain/errors.ts';
import { isExactNumber, type Json, parseJson, stringifyJson } from '../../domain/json.ts';
import { isStorableText } from '../../domain/names.ts';
import { jsonbText } from './storable.ts';

/** Marks JSON that jsonb cannot hold as it is. */
const ESCAPE = '$json';
const KEY_ESCAPE = `${ESCAPE}:`;

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return (
    value !== null && typeof value === 'object' && !Array.isArray(value) && !isExactNumber(value)
  );
}

function isEscaped(value: Json): value is { readonly $json: string } {
  return isObject(value) && typeof value[ESCAPE] === 'string' && Object.keys(value).length === 1;
}

/**
 * The value as `_extra` keeps it: itself, or `{"$json": "…escaped JSON text…"}` where jsonb
 * cannot hold it (NUL, half a surrogate pair, a number out of range, thousands of levels).
 *
 * @throws SyncError `value-too-deep` (park) where not even its JSON text can be written.
 */
export function encodeExtra(value: Json): Json {
  if (jsonbText(value) !== null && !isEscaped(value)) return value;
  try {
    return { [ESCAPE]: stringifyJson(value) };
  } catch (cause) {
    throw new SyncError('a value nests too deeply to be stored', {
      code: 'value-too-deep',
      disposition: 'park',
      hint: 'shorten the value in the CRM',
      cause,
    });
  }
}

/** The inverse of {@link encodeExtra}. */
export function decodeExtra(value: Json): Json {
  if (!isEscaped(value)) return value;
  const parsed = parseJson(value.$json);
  return isJson(parsed) ? parsed : value;
}

/** Whatever a JSON parser gives is Json. */
function isJson(parsed: unknown): parsed is Json {
  return parsed !== undefined;
}

/** The key `_extra` keeps a field under: its name, escaped where Postgres cannot hold it. */
export function extraKey(field: string): string {
  if (isStorableText(field) && !field.startsWith(KEY_ESCAPE)) return field;
  return `${KEY_ESCAPE}${JSON.stringify(field)}`;
}

/** The inverse of {@link extraKey}. */
export function fieldOfExtraKey(key: string): string {
  if (!key.startsWith(KEY_ESCAPE)) return key;
  const field: unknown = JSON.parse(key.slice(KEY_ESCAPE.length));
  return typeof field === 'string' ? field : key;
}
