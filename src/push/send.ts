import { serverNow } from '../conflicts/clocks.ts';
import { RemoteError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import { confirmUpdates, leftOut, undeleted } from './confirm-answers.ts';
import { matchAnswers } from './match-answers.ts';
import type { Outgoing } from './outgoing.ts';
import type { Sent } from './sent.ts';

export interface Sending {
  readonly remote: Remote;
  /** Epoch milliseconds by a clock that is never set. */
  readonly nowMs: () => number;
}

/**
 * Sends changes of one kind to one object in bulk and isolates what the CRM refuses: bulk calls
 * are atomic, so the culprit is taken out by the error's pointer, else by halving (invariant 10,
 * at most about 2·log₂ n requests each). Reports each change as soon as its fate is known.
 *
 * @throws RemoteError with disposition `halt`, or what `report` throws, once nothing is under way
 *   any more; changes not reported by then were not sent, or their fate is unknown.
 */
export async function sendAll(
  deps: Sending & { readonly mayStart: () => boolean },
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  options: CallOptions & { readonly report: (sent: readonly Sent[]) => Promise<void> },
): Promise<void> {
  const { remote, mayStart } = deps;
  const { report, ...callOptions } = options;
  const queue = inBatches(changes, remote.limits.batchSize);
  let stopped = false;
  const attempts: CallOptions = {
    ...callOptions,
    // Again right before it leaves: the wait for the allowance may outlast the lease (invariant 9).
    beforeAttempt: async (timeoutMs) => {
      if (stopped || !mayStart()) throw notStarted();
      await options.beforeAttempt?.(timeoutMs);
    },
  };
  // One after the other, in order: a unique value may move from one record to the next. Tells
  // whether all of the batch was taken; `toBlame`: one of it is known not to be.
  const deliver = async (batch: readonly Outgoing[], toBlame = false): Promise<boolean> => {
    if (stopped) return false;
    if (!mayStart()) {
      await report(batch.map((change) => ({ kind: 'failed', change, error: notStarted() })));
      return false;
    }
    const isKnown = toBlame && batch.length > 1;
    const sent = isKnown ? halve(batch) : await sendBatch(deps, schema, batch, attempts);
    if (sent.kind === 'settled') {
      await report(sent.results);
      return sent.results.every(({ kind }) => kind === 'delivered');
    }
    let taken = true;
    for (const [index, part] of sent.batches.entries()) {
      // All else of a refused batch was taken: asking once more about the whole rest tells nothing.
      const isLeft: boolean = sent.refused && taken && index === sent.batches.length - 1;
      taken = (await deliver(part, isLeft)) && taken;
    }
    return taken;
  };
  const work = async (): Promise<void> => {
    try {
      for (let batch = queue.shift(); batch; batch = queue.shift()) await deliver(batch);
    } catch (error) {
      stopped = true;
      queue.length = 0;
      throw error;
    }
  };
  const workers = Array.from({ length: Math.min(WORKERS, queue.length) }, work);
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

/** Bulk writes under way at once; the client's allowance decides how fast they go. */
const WORKERS = 4;
/** Attempts in full batches; what keeps failing then goes in ever smaller ones. */
const FULL_BATCH_ATTEMPTS = 3;

/**
 * A record at which the server fails, instead of refusing it, must not hold up its batch for ever
 * (invariant 10): nothing tells which it is, so with each further attempt batches are halved.
 */
function inBatches(changes: readonly Outgoing[], batchSize: number): (readonly Outgoing[])[] {
  const bySize = new Map<number, Outgoing[]>();
  for (const change of changes) {
    const halvings = Math.max(0, change.attempts - FULL_BATCH_ATTEMPTS);
    const size = Math.max(1, Math.floor(batchSize / 2 ** halvings));
    const group = bySize.get(size) ?? [];
    group.push(change);
    bySize.set(size, group);
  }
  return [...bySize].flatMap(([size, group]) => chunk(group, size));
}

type BatchResult =
  | { readonly kind: 'settled'; readonly results: readonly Sent[] }
  | {
      readonly kind: 'split';
      readonly batches: readonly (readonly Outgoing[])[];
      /** One of them was objected to; otherwise there were only too many. */
      readonly refused: boolean;
    };

async function sendBatch(
  sending: Sending,
  schema: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<BatchResult> {
  try {
    return { kind: 'settled', results: await call(sending, schema, batch, options) };
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
  // The culprit last: what it clashes with may be in its own batch, and come before it.
  if (culprit) {
    const others = batch.filter((change) => change !== culprit);
    return { kind: 'split', batches: [others, [culprit]], refused: true };
  }
  return halve(batch, error.code !== 'remote-too-large');
}

function halve(batch: readonly Outgoing[], refused = true): BatchResult {
  return { kind: 'split', batches: chunk(batch, Math.ceil(batch.length / 2)), refused };
}

async function call(
  { remote, nowMs }: Sending,
  schema: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<readonly Sent[]> {
  const first = batch[0];
  switch (first?.kind) {
    case 'create': {
      const records = batch.map(({ fields }) => fields);
      const matchOn = first.matchOn ?? undefined;
      const sentAtMs = serverNow({ remote, nowMs });
      const answer = await remote.create({ object: schema, records, matchOn }, options);
      const answers = matchAnswers(schema, batch, answer, sentAtMs);
      return batch.map((change) => created(schema, change, answers.get(change)));
    }
    case 'update': {
      const records = batch.map(({ recordId, fields }) => ({ id: recordId, fields }));
      const answer = await remote.update({ object: schema, records }, options);
      const told = matchAnswers(schema, batch, answer);
      return await confirmUpdates(remote, schema, { changes: batch, told }, options);
    }
    case 'delete': {
      const ids = batch.map(({ recordId }) => recordId);
      const there = new Set(await remote.delete({ object: schema, ids }, options));
      return batch.map((change) =>
        there.has(change.recordId)
          ? undeleted(schema, change)
          : { kind: 'delivered', change, record: null },
      );
    }
    case undefined:
      return [];
  }
}

/** A create without an answer is no receipt: its id is unknown. One that is repeatable is repeated. */
function created(schema: ObjectSchema, change: Outgoing, record: RemoteRecord | undefined): Sent {
  if (record !== undefined) {
    return { kind: 'delivered', change, record, left: leftOut(schema, change, record) };
  }
  return { kind: change.matchOn === null ? 'unclear' : 'failed', change, error: unanswered() };
}

function chunk<T>(items: readonly T[], size: number): (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}

export function notStarted(): RemoteError {
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
