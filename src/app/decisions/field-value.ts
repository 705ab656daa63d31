import { encodeValue } from '../../db/mirror/encode.ts';
import { instantText } from '../../db/mirror/instant-text.ts';
import type { MirrorColumn } from '../../db/mirror/table.ts';
import { UsageError } from '../../domain/errors.ts';
import { type Json, parseJson } from '../../domain/json.ts';
import type { Field } from '../../domain/schema.ts';

/**
 * A value as a person types it for a field. `null` clears; text and ids stand for themselves
 * (in JSON quotes where they are one of the words that mean something else); numbers, `true` and
 * `false`, `YYYY-MM-DD`, ISO-8601 instants; a list is a JSON array of texts; the rest is JSON.
 *
 * @throws UsageError that says what the field takes, and not what it was given.
 */
export function parseFieldValue(column: MirrorColumn, text: string): Json {
  const { field } = column;
  if (text === 'null') return null;
  const value = parseAs(field, text);
  const fits = value !== undefined && !('extra' in encodeValue(column, value));
  if (fits) return value;
  throw new UsageError([`${field.name} takes ${EXPECTED[field.kind]}`], 'null clears it');
}

const EXPECTED: Readonly<Record<Field['kind'], string>> = {
  text: 'text that Postgres can hold',
  reference: 'the id of a record',
  number: 'a number with at most 12 digits before the decimal point and 4 after it',
  boolean: 'true or false',
  date: 'a date such as 2026-08-20',
  timestamp: 'an instant such as 2026-08-20T10:00:00Z',
  texts: 'a JSON array of texts such as ["a","b"]',
  references: 'links, which are rows of their own table',
  json: 'JSON',
};

/** What a column of such numbers holds: 16 digits, 4 of them after the point. */
const DECIMAL = /^-?\d{1,12}(?:\.\d{1,4})?$/;

function parseAs({ kind }: Field, text: string): Json | undefined {
  switch (kind) {
    case 'text':
    case 'reference':
      return quoted(text) ?? text;
    case 'number':
      return DECIMAL.test(text) ? json(text.replace(/^(-?)0+(?=\d)/, '$1')) : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'date':
      return text;
    case 'timestamp': {
      const instant = instantText(text);
      return instant === null ? undefined : new Date(instant).toISOString();
    }
    case 'texts': {
      const items = json(text);
      return Array.isArray(items) ? items : undefined;
    }
    case 'json':
      return json(text);
    case 'references':
      return undefined;
  }
}

/** The text inside JSON quotes; undefined where it is not in any. */
function quoted(text: string): string | undefined {
  const value = text.startsWith('"') ? json(text) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function json(text: string): Json | undefined {
  try {
    const parsed = parseJson(text);
    return isJson(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Whatever a JSON parser gives is Json. */
function isJson(parsed: unknown): parsed is Json {
  return parsed !== undefined;
}
