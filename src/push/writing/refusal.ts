import { blameAlone, RemoteError } from '../../domain/errors.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { type Calling, fateOf, send } from './call.ts';
import { movesOf, uniqueFields } from './moving-values.ts';

/** What one call told of those it carried. */
export type Told =
  | { readonly kind: 'settled'; readonly results: readonly Sent[] }
  /** There were too many, or they were too large together: of none of them it says anything. */
  | { readonly kind: 'too-large' }
  /** One at least is not taken; those that the answer names, and what it says of each. */
  | { readonly kind: 'refused'; readonly named: ReadonlyMap<Outgoing, RemoteError> };

/** @throws RemoteError with disposition `halt` */
export async function ask(
  calling: Calling,
  schema: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<Told> {
  try {
    return { kind: 'settled', results: await send(calling, schema, batch, options) };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const kind = fateOf(error, batch);
    if (batch.length === 1 || kind === 'failed' || kind === 'unclear') {
      return { kind: 'settled', results: batch.map((change) => ({ kind, change, error })) };
    }
    if (error.code === 'remote-too-large') return { kind: 'too-large' };
    return { kind: 'refused', named: namedIn(error, batch) };
  }
}

function namedIn(
  error: RemoteError,
  batch: readonly Outgoing[],
): ReadonlyMap<Outgoing, RemoteError> {
  const named = new Map<Outgoing, RemoteError>();
  for (const blame of error.blames) {
    const change = batch[blame.position];
    if (change !== undefined) named.set(change, blameAlone(error, blame));
  }
  return named;
}

/**
 * Whether what is said of a record in the company of others holds of it alone: unique values are
 * what one record's fate may depend on another's by, and what is missing or forbidden is asked
 * twice before anything follows from it.
 */
export function isItsOwn(schema: ObjectSchema, change: Outgoing, error: RemoteError): boolean {
  const { code, field, reason } = error;
  if (code !== 'remote-invalid' || reason === undefined) return false;
  if (field === undefined) return movesOf(schema, change).needs.length === 0;
  return !uniqueFields(schema).includes(field);
}
