import { RemoteError } from '../../domain/errors.ts';
import { isObject, stringifyJson } from '../../domain/json.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { BatchLimit } from '../wire/batch-limit.ts';
import type { Call, Send } from '../wire/call.ts';
import type { Clock } from '../wire/clock.ts';

export interface BulkRequest<T> extends Pick<Call<T>, 'method' | 'repeatable' | 'read'> {
  readonly object: ObjectSchema;
  /** Path segments below the object. */
  readonly below: readonly string[];
  readonly body: unknown;
  readonly records: number;
}

/** Every mutation is silent: nobody wants a notification for each row of an import. */
export const SILENT = [['silent', 'true']] as const;

/** What parks a change: its 404 is told from a record's that is gone by whoever asks for that one. */
const REFUSALS: Readonly<Record<Call<unknown>['method'], readonly number[]>> = {
  GET: [],
  POST: [403, 404],
  PUT: [403],
  PATCH: [403],
  DELETE: [403],
};

export interface BulkDeps {
  readonly send: Send;
  readonly batchLimitOf: (object: string) => BatchLimit;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** One bulk write, within what the server is known to take, and learning from what it makes of it. */
export async function sendBulk<T>(
  { send, batchLimitOf, clock }: BulkDeps,
  { object, below, body, records, method, repeatable, read }: BulkRequest<T>,
  options: CallOptions,
): Promise<T> {
  const path = ['objects', object.object, ...below];
  const endpoint = `${method} /${path.join('/')}`;
  const text = stringifyJson(body);
  const batch = { endpoint, records, bytes: Buffer.byteLength(text) };
  const batchLimit = batchLimitOf(object.object);
  batchLimit.check(batch);
  let leftMs = clock.monotonicMs();
  const beforeAttempt = async (timeoutMs: number) => {
    await options.beforeAttempt?.(timeoutMs);
    // The wait for the allowance is nobody's slowness.
    leftMs = clock.monotonicMs();
  };
  try {
    const result = await send(
      {
        endpoint,
        method,
        path,
        query: SILENT,
        body: text,
        repeatable,
        read,
        records,
        uniqueFields: uniqueFields(object),
        // One of several is doubted by itself, once the batch has been taken apart.
        doubts: records === 1 ? REFUSALS[method] : undefined,
      },
      { ...options, beforeAttempt },
    );
    batchLimit.succeeded(batch, clock.monotonicMs() - leftMs);
    return result;
  } catch (error) {
    throw error instanceof RemoteError ? batchLimit.refused(batch, error) : error;
  }
}

/**
 * One deletion, the one write that has to go without the bulk endpoint on some servers.
 *
 * @returns whether the answer says that it was done, and no more.
 */
export function sendSingleDelete(
  send: Send,
  { object, id }: { object: ObjectSchema; id: string },
  options: CallOptions,
): Promise<boolean> {
  return send(
    {
      endpoint: `DELETE /objects/${object.object}/records/{id}`,
      method: 'DELETE',
      path: ['objects', object.object, 'records', id],
      query: SILENT,
      repeatable: true,
      records: 1,
      doubts: REFUSALS.DELETE,
      read: isPlainReceipt,
    },
    options,
  );
}

/**
 * Whether an answer says no more than that it was done: 204 with nothing, 200 with `{}`. What came
 * of anything else has to be looked at.
 */
export function isPlainReceipt(body: unknown, status: number): boolean {
  if (status !== 200 && status !== 204) return false;
  return body === undefined || (isObject(body) && Object.keys(body).length === 0);
}

function uniqueFields({ fields }: ObjectSchema): ReadonlySet<string> {
  return new Set(fields.filter(({ unique }) => unique).map(({ name }) => name));
}
