import { isObject, type Json } from '../../domain/json.ts';
import type { Linkage, RemoteRecord } from '../../domain/record.ts';
import { BadAnswer } from '../wire/call.ts';
import { toInstant } from '../wire/instants.ts';
import { type Declared, type DeclaredType, EXTERNAL_ID } from './declared.ts';
import { DECLARED_WIRE } from './fields.ts';
import { CONTACTS, isStandard, typeOf } from './standard.ts';
import { dayIn, decodePlain, encodePlain, idOf, jsonOf, readId, setOwn } from './values.ts';

/** Of each type at most so many are shown with a record, and no more than that is said. */
const MOST_SHOWN = 5;

/**
 * A record of a custom object. Declared keys that it leaves out have no value; those that are not
 * declared are fields as well, which no column holds.
 *
 * @throws BadAnswer where there is no usable id or no attributes.
 */
export function decodeCustomRecord(
  declared: Declared,
  item: unknown,
  knownAs: KnownAs = () => null,
): RemoteRecord {
  const { object } = declared;
  const identifiers = isObject(item) ? item['identifiers'] : undefined;
  const id = isObject(identifiers) ? readId(identifiers['id']) : null;
  if (!isObject(item) || !isObject(identifiers) || id === null) {
    throw new BadAnswer(`a record of ${object} has no usable id`);
  }
  const values: unknown = item['attributes'] ?? {};
  if (!isObject(values)) throw new BadAnswer(`a record of ${object} has no usable attributes`);
  const fields: Record<string, Json> = { [EXTERNAL_ID]: readId(identifiers[EXTERNAL_ID]) };
  for (const key of declared.fields.keys()) setOwn(fields, key, null);
  for (const [key, value] of Object.entries(values)) {
    if (key === EXTERNAL_ID) continue;
    const type = declared.fields.get(key);
    setOwn(
      fields,
      key,
      type === undefined ? jsonOf(value) : decodePlain(DECLARED_WIRE[type], value),
    );
  }
  return {
    id,
    fields,
    createdAt: toInstant(item['createdAt'] ?? item['created_at']),
    updatedAt: toInstant(item['updatedAt'] ?? item['updated_at']),
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: linksIn(declared, item['associations'], knownAs),
  };
}

/** Of every declared link; nothing where the answer was not asked for them. */
function linksIn(
  { links }: Declared,
  told: unknown,
  knownAs: KnownAs,
): Readonly<Record<string, Linkage>> {
  if (!Array.isArray(told) && !isObject(told)) return {};
  const byType = byTypeOf(told);
  return Object.fromEntries(
    [...links].map(([link, target]) => [
      link,
      linkageOf(target, byType.get(typeOf(target)) ?? [], knownAs),
    ]),
  );
}

function byTypeOf(told: unknown): ReadonlyMap<string, readonly unknown[]> {
  const byType = new Map<string, unknown[]>();
  for (const [type, records] of groupsOf(told)) {
    byType.set(type, [...(byType.get(type) ?? []), ...records]);
  }
  return byType;
}

/** The numbers that a record shows all of a link’s other ends by, by the link’s name. */
export function numbersShown(
  { links }: Declared,
  item: unknown,
): ReadonlyMap<string, readonly (string | null)[]> {
  const byType = byTypeOf(isObject(item) ? item['associations'] : undefined);
  return new Map(
    [...links].flatMap(([link, target]) => {
      const records = byType.get(typeOf(target)) ?? [];
      const isWhole = records.length > 0 && records.length < MOST_SHOWN;
      return isWhole ? [[link, records.map(numberShown)] as const] : [];
    }),
  );
}

/** By type: a list of groups, or a mapping of lists. */
function groupsOf(told: unknown): readonly (readonly [string, readonly unknown[]])[] {
  if (isObject(told)) {
    return Object.entries(told).flatMap(([type, records]) =>
      Array.isArray(records) ? [[type, records] as const] : [],
    );
  }
  const groups: readonly unknown[] = Array.isArray(told) ? told : [];
  return groups.flatMap((group) => {
    if (!isObject(group)) return [];
    const type = readId(group['object_type'] ?? group['type']);
    const records: unknown = group['records'] ?? (group['identifiers'] ? [group] : []);
    return type === null || !Array.isArray(records) ? [] : [[type, records] as const];
  });
}

/**
 * As many as are shown may be all, or some of any number. What is shown of a company or a deal is
 * not always the id that it has here.
 */
function linkageOf(target: string, records: readonly unknown[], knownAs: KnownAs): Linkage {
  const ids = new Set(
    records.flatMap(
      (record) => idShown(target, record) ?? knownAs(target, numberShown(record)) ?? [],
    ),
  );
  const isWhole = records.length < MOST_SHOWN && ids.size === records.length;
  return { ids: [...ids], total: isWhole ? ids.size : Math.max(records.length, ids.size) + 1 };
}

/** What a company or deal is known by here, by the number that associations show; null where it is not known. */
export type KnownAs = (target: string, number: string | null) => string | null;

/** The `id` alone, whatever it is. */
export function numberShown(told: unknown): string | null {
  if (!isObject(told)) return readId(told);
  const identifiers: unknown = told['identifiers'] ?? told;
  return isObject(identifiers) ? readId(identifiers['id']) : null;
}

/** Companies and deals are known by their id of 24 digits, which stands as external one. */
const CRM_ID = /^[0-9a-f]{24}$/i;

export function idShown(target: string, told: unknown): string | null {
  if (!isObject(told)) return readId(told);
  const identifiers: unknown = told['identifiers'] ?? told;
  if (!isObject(identifiers)) return null;
  const id = readId(identifiers['id']);
  if (!isStandard(target) || target === CONTACTS) return id;
  const own = readId(identifiers[EXTERNAL_ID]) ?? id;
  return own !== null && CRM_ID.test(own) ? own : null;
}

/** How the other end of an association is named when it is written. */
export function identifiersOf(target: string, id: string): Readonly<Record<string, Json>> {
  return isStandard(target) && target !== CONTACTS ? { [EXTERNAL_ID]: id } : { id: idOf(id) };
}

/** A value as it travels; `cleared` for null. */
export function encodeDeclared(type: DeclaredType | undefined, value: Json, cleared: Json): Json {
  if (value === null) return cleared;
  // Dates have a time of day here, and a bare one is not taken.
  if (type === 'date' && typeof value === 'string') return `${dayIn(value) ?? value}T00:00:00Z`;
  return type === undefined ? value : encodePlain(DECLARED_WIRE[type], value);
}
