import * as z from 'zod';
import { isObject } from '../../domain/json.ts';
import { BadAnswer } from '../wire/call.ts';

// Items are looked at one by one, later: a schema of theirs would copy them once more.
const list = z.object({ data: z.custom<readonly unknown[]>((data) => Array.isArray(data)) });
const one = z.object({ data: z.custom<object>((data) => isObject(data)) });

/** @throws BadAnswer for anything but `{data: […]}`. */
export function readList(body: unknown): readonly unknown[] {
  const parsed = list.safeParse(body);
  if (!parsed.success) throw new BadAnswer('it is no list');
  return parsed.data.data;
}

/** @throws BadAnswer for anything but `{data: {…}}`. */
export function readOne(body: unknown): unknown {
  const parsed = one.safeParse(body);
  if (!parsed.success) throw new BadAnswer('it holds no record');
  return parsed.data.data;
}
