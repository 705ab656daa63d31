import { createHash } from 'node:crypto';

/** Postgres cuts longer identifiers off without a word. */
const MAX_BYTES = 63;
/** What is left of a name once `_` and 8 hex digits follow it. */
const STEM_BYTES = 54;

/** Columns of every mirror table that are not fields. */
export const SYSTEM_COLUMN_NAMES = [
  'id',
  '_local_id',
  '_key',
  '_created_at',
  '_updated_at',
  '_created_by',
  '_updated_by',
  '_merged_ids',
  '_synced_at',
  '_extra',
] as const;

/** Names Postgres keeps for itself in every table. */
const POSTGRES_COLUMN_NAMES = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];

const RESERVED: ReadonlySet<string> = new Set([...SYSTEM_COLUMN_NAMES, ...POSTGRES_COLUMN_NAMES]);

/** Postgres text holds neither NUL nor half a surrogate pair. */
const UNSTORABLE = /[\0\ud800-\udfff]/u;

/** Whether Postgres can hold the text at all, as a value or as a name. */
export function isStorableText(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/**
 * How statements name the schemas of the workspace they are sent for: `{sync}.outbox`. What follows
 * of a name belongs to it: `{sync}_outbox` is one name.
 */
export const SCHEMA_TOKENS = /\{(mirror|sync|history)\}(\w*)/g;

function hasToken(text: string): boolean {
  return text.includes('{') && text.search(SCHEMA_TOKENS) >= 0;
}

/** An SQL identifier that means exactly this name, whatever is in it. */
export function quoteIdent(name: string): string {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  if (!hasToken(name)) return quoted;
  return `U&${quoted.replaceAll('\\', '\\\\').replaceAll('{', '\\007B')}`;
}

/** An SQL string literal, also where `standard_conforming_strings` is off. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  if (hasToken(text)) return `E${quoted.replaceAll('{', '\\x7B')}`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

/** The longest beginning of the text that fits into `bytes` bytes of UTF-8, characters whole. */
function firstBytes(text: string, bytes: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** The name's first 54 bytes, `_`, and 8 hex digits of its hash. */
function hashedName(name: string, round: number): string {
  const salted = round === 0 ? name : `${name}\0${round}`;
  const digest = createHash('sha256').update(salted).digest('hex').slice(0, 8);
  return `${firstBytes(name, STEM_BYTES)}_${digest}`;
}

/** The name itself where Postgres takes it whole and nobody has it, else its hashed form. */
export function fitName(name: string, isTaken: (candidate: string) => boolean): string {
  const fits = name !== '' && Buffer.byteLength(name) <= MAX_BYTES;
  if (fits && !isTaken(name)) return name;
  for (let round = 0; ; round += 1) {
    const candidate = hashedName(name, round);
    if (!isTaken(candidate)) return candidate;
  }
}

/** A field, as far as naming goes: `parts` are the scalars inside a value object. */
export interface NamedField {
  readonly name: string;
  readonly parts: readonly { readonly name: string }[];
}

/** What a field is called in its table. */
export interface FieldNames {
  readonly column: string;
  /** By the part's name. */
  readonly parts: ReadonlyMap<string, string>;
}

export interface NamingContext {
  /** Names given earlier: they stay, so that nobody's query breaks. */
  readonly given: ReadonlyMap<string, FieldNames>;
  /** Columns that are somebody else's. */
  readonly foreign: ReadonlySet<string>;
}

const NOTHING_STANDS: NamingContext = { given: new Map(), foreign: new Set() };

function byCodeUnits(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
}

/**
 * Column names for the fields of one object and for the parts of their value objects: exactly the
 * field's name, `<column>__<part>` for a part, hashed where that is too long or taken. The order
 * of the fields does not matter, and no two names are the same. Fields and parts whose names
 * Postgres cannot hold get no column and are left out.
 */
export function columnNames(
  fields: readonly NamedField[],
  { given, foreign }: NamingContext = NOTHING_STANDS,
): Map<string, FieldNames> {
  const named = fields.filter((field) => isStorableText(field.name)).toSorted(byCodeUnits);
  const taken = new Set<string>([...RESERVED, ...foreign]);
  for (const names of given.values()) {
    taken.add(names.column);
    for (const column of names.parts.values()) taken.add(column);
  }
  const wantedByParts = new Set(
    named.flatMap(({ name, parts }) =>
      parts.map((part) => `${given.get(name)?.column ?? name}__${part.name}`),
    ),
  );
  const isHeld = (name: string) => taken.has(name) || wantedByParts.has(name);
  const claim = (name: string, isTaken: (candidate: string) => boolean): string => {
    const column = fitName(name, isTaken);
    taken.add(column);
    return column;
  };

  const columns = new Map<string, string>();
  const unnamed = named.filter(({ name }) => {
    const column = given.get(name)?.column;
    if (column !== undefined) columns.set(name, column);
    return column === undefined;
  });
  // First every name that can stay as it is: no hashed one may take it away.
  const isPlain = new Map(unnamed.map(({ name }) => [name, fitName(name, isHeld) === name]));
  for (const plainOnes of [true, false]) {
    for (const { name } of unnamed) {
      if (isPlain.get(name) === plainOnes) columns.set(name, claim(name, isHeld));
    }
  }

  const result = new Map<string, FieldNames>();
  for (const field of named) {
    const column = columns.get(field.name);
    if (column === undefined) continue;
    const parts = new Map<string, string>();
    for (const part of field.parts.toSorted(byCodeUnits)) {
      if (!isStorableText(part.name)) continue;
      const before = given.get(field.name)?.parts.get(part.name);
      parts.set(part.name, before ?? claim(`${column}__${part.name}`, (name) => taken.has(name)));
    }
    result.set(field.name, { column, parts });
  }
  return result;
}
