import { isObject } from '../../domain/json.ts';
import { BadAnswer } from '../wire/call.ts';

type Body = Readonly<Record<string, unknown>>;

export interface ListAnswer {
  readonly items: readonly unknown[];
  /** How many match; null where it is not told. */
  readonly count: number | null;
  /** Whether anything is behind this page. Its address is not looked at: it may be another host's. */
  readonly more: boolean;
}

/** @throws BadAnswer for anything but `{count, next, results}`. */
export function readList(body: unknown): ListAnswer {
  const results: unknown = isObject(body) ? body.results : undefined;
  if (!isObject(body) || !isList(results)) throw new BadAnswer('it is no list');
  const { count, next } = body;
  if (next === undefined) throw new BadAnswer('it does not say whether it is the end');
  return {
    items: results,
    count: typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null,
    more: next !== null && next !== '',
  };
}

/** A list without pages, or one that has them all the same. */
export function readBareList(body: unknown): readonly unknown[] {
  if (isList(body)) return body;
  const { items, more } = readList(body);
  if (more) throw new BadAnswer('it is a part of a list');
  return items;
}

/** A page of which some could not be told. */
export function hasErrors({ results, errors }: Body): boolean {
  if (!isList(results)) return false;
  if (isList(errors)) return errors.length > 0;
  return isObject(errors) ? Object.keys(errors).length > 0 : Boolean(errors);
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
