import pg from 'pg';
import { parseJson, stringifyJson } from '../../domain/json.ts';

const oid = {
  int8: 20,
  json: 114,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  jsonb: 3802,
} as const;
const arrayOid = {
  json: 199,
  textArray: 1009,
  int8: 1016,
  timestamp: 1115,
  date: 1182,
  timestamptz: 1185,
  numeric: 1231,
  jsonb: 3807,
} as const;

const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-]\d\d)(?::(\d\d))?(?::\d\d)?$/;

/**
 * Postgres prints a timestamptz in the session's time zone, which behind a transaction pooler is
 * anybody's. One form for everyone: `2026-08-20T10:00:00.123Z`, with six digits where the
 * microseconds are not zero. What does not fit (`infinity`, years before 1000 or beyond 9999)
 * stays as Postgres wrote it.
 */
export function parseInstant(text: string): string {
  const match = INSTANT.exec(text);
  if (match === null) return text;
  const [, year, month, day, time, fraction = '', hours = '+00', minutes = '00'] = match;
  const digits = fraction.padEnd(6, '0');
  const shown = digits.endsWith('000') ? digits.slice(0, 3) : digits;
  if (hours === '+00' && minutes === '00') return `${year}-${month}-${day}T${time}.${shown}Z`;
  const sign = hours.startsWith('-') ? -1 : 1;
  const offsetMs = sign * (Math.abs(Number(hours)) * 60 + Number(minutes)) * 60_000;
  const whole = Date.parse(`${year}-${month}-${day}T${time}Z`) - offsetMs;
  return `${new Date(whole).toISOString().slice(0, 19)}.${shown}Z`;
}

const asIs = (text: string): string => text;

/** pg's own parser; its types know of no arrays, and of any result. */
function builtIn(id: number, format: 'text' | 'binary' = 'text'): (text: string) => unknown {
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment, typescript/no-unsafe-return
  return pg.types.getTypeParser(id, format);
}

function arrayOf(parse: (text: string) => unknown): (text: string) => unknown {
  const parseTexts = builtIn(arrayOid.textArray);
  const each = (item: unknown): unknown =>
    Array.isArray(item) ? item.map(each) : typeof item === 'string' ? parse(item) : item;
  return (text) => each(parseTexts(text));
}

const parsers = new Map<number, (text: string) => unknown>([
  [oid.int8, BigInt],
  [oid.json, parseJson],
  [oid.jsonb, parseJson],
  [oid.date, asIs],
  [oid.timestamp, asIs],
  [oid.interval, asIs],
  [oid.timestamptz, parseInstant],
  [arrayOid.int8, arrayOf(BigInt)],
  [arrayOid.json, arrayOf(parseJson)],
  [arrayOid.jsonb, arrayOf(parseJson)],
  [arrayOid.date, arrayOf(asIs)],
  [arrayOid.timestamp, arrayOf(asIs)],
  [arrayOid.numeric, arrayOf(asIs)],
  [arrayOid.timestamptz, arrayOf(parseInstant)],
]);

/**
 * How values come back: int8 as bigint, numeric as its digits, json with exact numbers, date and
 * timestamp as text, timestamptz as {@link parseInstant} says; never a JavaScript Date.
 */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser(id, format) {
    const parser = format === 'binary' ? undefined : parsers.get(id);
    return parser ?? builtIn(id, format);
  },
};

/** Plain objects are written as JSON digit for digit; pg alone would round exact numbers. */
export function toParameter(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Date) return value;
  return stringifyJson(value);
}
