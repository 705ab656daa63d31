import * as z from 'zod';
import { isObject } from '../../domain/json.ts';
import { BadAnswer } from '../wire/call.ts';

/** A list as the API wraps it, in either dialect. */
export interface List {
  readonly items: readonly unknown[];
  /** `meta.total_records`; null where the server does not say. */
  readonly total: number | null;
  /** `links.next`; null at the end; undefined where the server does not say. */
  readonly next: string | null | undefined;
}

const listEnvelope = z.object({
  // Items are looked at one by one, later: this would copy them once more.
  data: z.custom<readonly unknown[]>((data) => Array.isArray(data)),
  links: z
    .object({ next: z.string().nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  meta: z
    .object({ total_records: z.number().int().nonnegative().nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});

/**
 * Reads a list: `{data: […], links, meta}`, or a bare array.
 *
 * @throws BadAnswer for anything else.
 */
export function readList(body: unknown): List {
  if (Array.isArray(body)) return { items: body, total: null, next: undefined };
  const envelope = listEnvelope.safeParse(body);
  if (!envelope.success) throw new BadAnswer('it is no list');
  const { data, links, meta } = envelope.data;
  return { items: data, total: meta?.total_records ?? null, next: links?.next };
}

/**
 * Whether there is anything behind this page. Any sign of more counts, since believing in an end
 * too early loses records (invariant 1); an empty page ends every list, so that nothing loops.
 */
export function isMoreBehind(list: List, { offset, limit }: { offset: number; limit: number }) {
  const count = list.items.length;
  if (count === 0) return false;
  if (typeof list.next === 'string' && list.next !== '') return true;
  if (list.total !== null) return offset + count < list.total;
  return list.next === undefined && count >= limit;
}

const oneEnvelope = z.object({ data: z.custom<object>((data) => isObject(data)) });

/**
 * Reads `{data: {…}}`.
 *
 * @throws BadAnswer for anything else.
 */
export function readOne(body: unknown): unknown {
  const envelope = oneEnvelope.safeParse(body);
  if (!envelope.success) throw new BadAnswer('it holds no record');
  return envelope.data.data;
}
