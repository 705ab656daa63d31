import * as z from 'zod';
import { isObject } from '../../domain/json.ts';
import type { ToldErrors } from '../wire/api.ts';

const told = z.looseObject({
  errors: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown()), z.string()])
    .transform((errors) => (typeof errors === 'string' ? errors.split('') : Object.values(errors)))
    .refine((errors) => errors.length > 0),
});
const saidStatus = z.looseObject({ status: z.coerce.number().int().min(400).max(599) });

/** `errors` in an answer that calls itself good. */
export function readToldErrors(body: unknown): ToldErrors | null {
  if (!isObject(body) || body.errors === undefined) return null;
  const parsed = told.safeParse(body);
  if (!parsed.success) return null;
  const { errors, data } = parsed.data;
  const said = errors.map((one) => saidStatus.safeParse(one).data?.status ?? null);
  const hasData = Array.isArray(data) ? data.length > 0 : typeof data === 'object' && data !== null;
  // Where they differ, the one that is tried again.
  const [first = null] = said;
  return { status: said.every((one) => one === first) ? first : null, hasData };
}
