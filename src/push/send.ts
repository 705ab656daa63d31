import { RemoteError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import { matchAnswers } from './match-answers.ts';
import type { Outgoing } from './outgoing.ts';

/** What came of one change. */
export type Sent =
  | { readonly kind: 'delivered'; readonly change: Outgoing; readonly record: RemoteRecord | null }
  /** The CRM refuses it, and will again. */
  | { readonly kind: 'refused'; readonly change: Outgoing; readonly error: RemoteError }
  /** The record is not there. */
  | { readonly kind: 'gone'; readonly change: Outgoing; readonly error: RemoteError }
  /** It did not arrive, or may arrive again without harm. */
  | { readonly kind: 'failed'; readonly change: Outgoing; readonly error: RemoteError }
  /** A create that cannot be told from another: it may have arrived. */
  | { readonly kind: 'unclear'; readonly change: Outgoing; readonly error: RemoteError };

/**
 * Sends changes of one kind to one object in bulk and isolates what the CRM refuses: bulk calls
 * are atomic, so the culprit is taken out by the error's pointer, else by halving (invariant 10,
 * at most about 2·log₂ n requests each). Reports each change as soon as its fate is known.
 *
 * @throws RemoteError with disposition `halt`; changes not reported by then were not sent.
 */
export async function sendAll(
  deps: { readonly remote: Remote; readonly mayStart: () => boolean },
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  options: CallOptions & { readonly report: (sent: readonly Sent[]) => Promise<void> },
): Promise<void> {
  const { remote } = deps;
  const queue = chunk(changes, remote.limits.batchSize);
  const work = async (): Promise<void> => {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      if (options.signal.aborted || !deps.mayStart()) {
        await options.report(
          batch.map((change) => ({ kind: 'failed', change, error: notStarted() })),
        );
        continue;
      }
      const sent = await sendBatch(remote, schema, batch, options);
      if (sent.kind === 'split') queue.unshift(...sent.batches);
      else await options.report(sent.results);
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, queue.length) }, work));
}

/** Bulk writes under way at once; the client's allowance decides how fast they go. */
const WORKERS = 4;

type BatchResult =
  | { readonly kind: 'settled'; readonly results: readonly Sent[] }
  | { readonly kind: 'split'; readonly batches: readonly (readonly Outgoing[])[] };

async function sendBatch(
  remote: Remote,
  schema: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<BatchResult> {
  try {
    const records = await call(remote, schema, batch, options);
    const answers = matchAnswers(schema, batch, records);
    // A create without an answer is no receipt: its id is unknown.
    return {
      kind: 'settled',
      results: batch.map((change): Sent => {
        const record = answers.get(change) ?? null;
        return change.kind === 'create' && record === null
          ? { kind: 'unclear', change, error: unanswered() }
          : { kind: 'delivered', change, record };
      }),
    };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return afterError(error, batch);
  }
}

/** Decides by what the error says; a batch of several is split wherever one may be to blame. */
function afterError(error: RemoteError, batch: readonly Outgoing[]): BatchResult {
  const all = (kind: 'failed' | 'unclear' | 'refused' | 'gone'): BatchResult => {
    return { kind: 'settled', results: batch.map((change) => ({ kind, change, error })) };
  };
  if (error.disposition === 'halt') throw error;
  if (error.ambiguous) {
    const repeatable = batch.every(({ kind, matchOn }) => kind !== 'create' || matchOn !== null);
    return all(repeatable ? 'failed' : 'unclear');
  }
  if (error.disposition === 'retry') return all('failed');
  if (batch.length === 1) return all(error.status === 404 ? 'gone' : 'refused');
  const culprit = error.culprit === undefined ? undefined : batch[error.culprit];
  if (culprit) return { kind: 'split', batches: [[culprit], batch.filter((c) => c !== culprit)] };
  return { kind: 'split', batches: chunk(batch, Math.ceil(batch.length / 2)) };
}

async function call(
  remote: Remote,
  schema: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<readonly RemoteRecord[]> {
  const first = batch[0];
  switch (first?.kind) {
    case 'create': {
      const records = batch.map(({ fields }) => fields);
      const matchOn = first.matchOn ?? undefined;
      return await remote.create({ object: schema, records, matchOn }, options);
    }
    case 'update': {
      const records = batch.map(({ recordId, fields }) => ({ id: recordId, fields }));
      return await remote.update({ object: schema, records }, options);
    }
    case 'delete':
      await remote.delete({ object: schema, ids: batch.map(({ recordId }) => recordId) }, options);
      return [];
    case undefined:
      return [];
  }
}

function chunk<T>(items: readonly T[], size: number): (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}

function notStarted(): RemoteError {
  return new RemoteError('not sent: this process is stopping or no longer leads', {
    code: 'push-not-started',
    disposition: 'retry',
    status: null,
  });
}

function unanswered(): RemoteError {
  return new RemoteError('the answer to a create does not tell the id of every record', {
    code: 'push-unanswered',
    disposition: 'retry',
    status: null,
    ambiguous: true,
  });
}
