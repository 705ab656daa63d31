import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import type { SortedList } from '../kernel/sorted-list.ts';
import { invalid, missing, outOfRange } from './api-error.ts';
import { parseInstant, stampMs } from './instants.ts';
import type { Shelved } from './shelf.ts';
import type { Switches } from './switches.ts';

export interface Window {
  readonly offset: number;
  readonly limit: number;
}

/** @throws ApiError 400: missing without a default, not a whole number, below `min` */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  { initial, min = 0 }: { readonly initial?: number; readonly min?: number },
): number {
  const given = query.get(name);
  if (given === null) {
    if (initial === undefined) throw missing(name);
    return initial;
  }
  if (!/^\d+$/.test(given)) throw invalid(`${name} is not valid`);
  if (Number(given) < min) throw outOfRange(name);
  return Number(given);
}

/** The `limit`, as large as pages may be. @throws ApiError 400 */
export function pageLimit(
  query: URLSearchParams,
  { initial, max }: { readonly initial?: number; readonly max: number },
  { limitOver }: Pick<Switches, 'limitOver'>,
): number {
  const asked = wholeNumber(query, 'limit', {
    min: 1,
    ...(initial === undefined ? {} : { initial: Math.min(initial, max) }),
  });
  if (asked > max && limitOver === 'refuse') throw outOfRange('limit');
  return Math.min(asked, max);
}

export type Direction = 'asc' | 'desc';

/** @throws ApiError 400 */
export function sortDirection(query: URLSearchParams): Direction {
  const given = query.get('sort') ?? 'desc';
  if (given !== 'asc' && given !== 'desc') throw invalid('sort is either asc or desc');
  return given;
}

/** What `modifiedSince` and `createdSince` leave; null where neither is given. @throws ApiError 400 */
export function sinceFilter(
  query: URLSearchParams,
  switches: Switches,
): ((item: Shelved) => boolean) | null {
  const bound = (name: string): number | null => {
    const given = query.get(name);
    if (given === null) return null;
    const ms = parseInstant(given, switches);
    if (ms === null) throw invalid(`${name} is no valid date`);
    return ms;
  };
  const [modified, created] = [bound('modifiedSince'), bound('createdSince')];
  if (modified === null && created === null) return null;
  const passes = (ms: number, least: number | null): boolean => {
    if (least === null) return true;
    const stamp = stampMs(ms, switches);
    return switches.sinceBounds === 'strict' ? stamp > least : stamp >= least;
  };
  return ({ createdMs, updatedMs }) => passes(updatedMs, modified) && passes(createdMs, created);
}

/** A page of what lists show, newest first or oldest first, and how many there are in all. */
export function pageOf<T extends Shelved>(
  list: SortedList<T>,
  passes: ((item: T) => boolean) | null,
  place: Window & { readonly direction: Direction },
): { readonly page: T[]; readonly count: number } {
  const found = passes === null ? null : list.slice(0, list.size()).filter(passes);
  const count = found?.length ?? list.size();
  const { offset, limit, direction } = place;
  const end = direction === 'asc' ? Math.min(count, offset + limit) : Math.max(0, count - offset);
  const start = direction === 'asc' ? offset : Math.max(0, end - limit);
  const page = found?.slice(start, end) ?? list.slice(start, end);
  return { page: direction === 'asc' ? page : page.toReversed(), count };
}

const json: z.ZodType<Json> = z.json();
export const attributesSchema = z.record(z.string(), json);
export const idsSchema = z.array(z.number().int());

/** @throws ApiError 400 naming the member that does not fit */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body ?? {});
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const name = issue?.path.join('.') ?? '';
  const sent = issue?.path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([member]) => member === String(key))?.[1]
        : undefined,
    body,
  );
  throw sent === undefined && name !== '' ? missing(name) : invalid(`${name} is not valid`);
}

/** Clears an attribute, by what counts as clearing one of its kind. */
export function clears(value: Json, how: Switches['crmClear']): boolean {
  if (value === null) return how !== 'empty';
  const isEmpty = value === '' || (Array.isArray(value) && value.length === 0);
  return isEmpty && how !== 'null';
}

/** Attributes after a write: null takes one away. */
export function changed(before: Fields, changes: ReadonlyMap<string, Json>): Fields {
  const after = new Map(Object.entries(before));
  for (const [name, value] of changes) {
    if (value === null) after.delete(name);
    else after.set(name, value);
  }
  return Object.fromEntries(after);
}
