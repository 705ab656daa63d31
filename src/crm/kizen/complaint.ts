import { isObject } from '../../domain/json.ts';
import { hasErrors, isList } from './envelope.ts';

/** What a refusal says. */
export interface Complaint {
  /** Stable names of what is wrong, as far as any are given. */
  readonly codes: ReadonlySet<string>;
  /** The field it is about. */
  readonly field: string | undefined;
  /** The words, which may quote values. */
  readonly reason: string | undefined;
  /** It is a page of which a part could not be told. */
  readonly isPart: boolean;
}

interface Found {
  readonly field: string | undefined;
  readonly words: readonly string[];
  readonly codes: readonly string[];
}

/** Deeper than any error of the API's. */
const DEEPEST = 6;

/** Keys of bodies by what they are in a row. */
const FIELD_OF_KEY: Readonly<Record<string, string>> = { stage_id: 'stage' };

/**
 * Reads an error in any of its forms: `{detail, code}`, `{key: […]}`, and positional ones of record
 * writes, `{non_field_errors: […], fields: [{}, {value: […]}]}`, whose entry n speaks of entry n of
 * what was sent.
 *
 * @param entries the fields that were sent, in that order.
 * @returns null where it is nothing of the API's. Never throws: errors come in every shape.
 */
export function readComplaint(body: unknown, entries: readonly string[]): Complaint | null {
  if (isList(body)) return body.length === 0 ? null : complaintOf([wordsIn(body, undefined)]);
  if (!isObject(body)) return null;
  if (hasErrors(body)) {
    return { ...complaintOf([wordsIn(body.errors, undefined)]), isPart: true };
  }
  const { detail, message, code, error, fields, ...rest } = body;
  const general: Found = {
    field: undefined,
    words: [detail, message, error].flatMap((part) => wordsIn(part, undefined).words),
    codes: typeof code === 'string' ? [code] : [],
  };
  const positional = isList(fields)
    ? fields.map((entry, index) => wordsIn(entry, entries[index]))
    : [wordsIn(fields, undefined)];
  const keyed = Object.entries(rest).map(([key, value]) => {
    const isGeneral = key === 'non_field_errors' || key === 'errors';
    const field = entries.includes(key) ? key : FIELD_OF_KEY[key];
    const found = wordsIn(value, isGeneral ? undefined : field);
    const words = isGeneral || field !== undefined ? found.words : found.words.map(named(key));
    return { ...found, words };
  });
  return complaintOf([general, ...positional, ...keyed]);
}

function named(key: string): (word: string) => string {
  return (word) => `${key}: ${word}`;
}

function complaintOf(all: readonly Found[]): Complaint {
  const found = all.filter(({ words, codes }) => words.length + codes.length > 0);
  const words = found.flatMap((one) =>
    one.words.map((word) => (one.field === undefined ? word : `${one.field}: ${word}`)),
  );
  const codes = new Set(found.flatMap((one) => one.codes));
  return {
    codes,
    field: found.find(({ field }) => field !== undefined)?.field,
    reason: words.length > 0 ? words.join('; ') : [...codes].join('; ') || undefined,
    isPart: false,
  };
}

/** Texts and `{message, code}`s, however they are nested. */
function wordsIn(value: unknown, field: string | undefined, depth = 0): Found {
  const none = { field, words: [], codes: [] };
  if (typeof value === 'string') return { field, words: value === '' ? [] : [value], codes: [] };
  if (depth > DEEPEST) return none;
  const parts = isList(value) ? value : [];
  if (isObject(value)) {
    const { code, ...rest } = value;
    const inside = Object.values(rest).map((part) => wordsIn(part, field, depth + 1));
    const own = typeof code === 'string' ? [code] : [];
    return {
      field,
      words: inside.flatMap(({ words }) => words),
      codes: [...own, ...inside.flatMap(({ codes }) => codes)],
    };
  }
  const inside = parts.map((part) => wordsIn(part, field, depth + 1));
  return {
    field,
    words: inside.flatMap(({ words }) => words),
    codes: inside.flatMap(({ codes }) => codes),
  };
}
