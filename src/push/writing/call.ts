import { serverNow } from '../../conflicts/clocks.ts';
import { RemoteError } from '../../domain/errors.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { confirmUpdates, leftOut, notShown, undeleted } from '../confirm-answers.ts';
import { matchAnswers } from '../match-answers.ts';
import type { Outgoing } from '../outgoing.ts';
import { notKept, type Sent } from '../sent.ts';

export interface Calling {
  readonly remote: Remote;
  /** Epoch milliseconds by a clock that is never set. */
  readonly nowMs: () => number;
}

/**
 * One write of changes of one kind, and what came of each as the answer tells.
 *
 * @throws RemoteError where the server took none of it, or does not tell.
 */
export async function send(
  { remote, nowMs }: Calling,
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
      const restored = await restore(remote, schema, batch, options);
      const records = batch.flatMap(({ recordId, fields, restores }) =>
        restores === true && Object.keys(fields).length === 0 ? [] : [{ id: recordId, fields }],
      );
      const updated =
        records.length > 0 ? await remote.update({ object: schema, records }, options) : [];
      const answer = [...restored, ...updated];
      const told = matchAnswers(schema, batch, answer);
      const { writing } = remote.capabilitiesOf(schema.object);
      if (writing.kind === 'single' && writing.dropsSilently === true) {
        const results = batch.map((change) => keptOf(schema, change, told.get(change)));
        const open = batch.filter((_change, at) => results[at] === null);
        const rest = await confirmUpdates(remote, schema, { changes: open, told }, options);
        return [...results.filter((one) => one !== null), ...rest];
      }
      return await confirmUpdates(remote, schema, { changes: batch, told }, options);
    }
    case 'delete': {
      const ids = batch.map(({ recordId }) => recordId);
      const there = new Set(await remote.delete({ object: schema, ids }, options));
      return batch.map((change) =>
        there.has(change.recordId)
          ? undeleted(remote.title, schema, change)
          : { kind: 'delivered', change, record: null },
      );
    }
    case undefined:
      return [];
  }
}

/**
 * Brings back what is archived, before anything of it is changed. Repeatable, as its change is: an
 * answer that gets lost does no harm.
 */
async function restore(
  remote: Remote,
  object: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<readonly RemoteRecord[]> {
  const ids = batch.flatMap(({ recordId, restores }) => (restores === true ? [recordId] : []));
  if (ids.length === 0 || remote.restore === undefined) return [];
  return await remote.restore({ object, ids }, options);
}

/**
 * A write may show late, mostly within 5 to 15 s: it is sent again so long after, and what is passed
 * over even then was not late.
 */
const SHOWS_WITHIN_MS = [2_000, 13_000] as const;

/**
 * Of a CRM that passes over what does not suit it: what the record does not show right after it was
 * written, time and again, would be passed over for ever, and is for a person.
 *
 * @returns null where the record was not told.
 */
function keptOf(
  schema: ObjectSchema,
  change: Outgoing,
  record: RemoteRecord | undefined,
): Sent | null {
  if (record === undefined) return null;
  const unkept = notShown(schema, change, record);
  const retryAfterMs = SHOWS_WITHIN_MS[change.attempts - 1];
  if (Object.keys(unkept).length > 0 && retryAfterMs !== undefined) {
    return { kind: 'failed', change, error: unshown(schema, retryAfterMs) };
  }
  const isNone = Object.keys(unkept).length >= Object.keys(change.fields).length;
  if (isNone && Object.keys(unkept).length > 0) {
    return { kind: 'refused', change, error: notKept(change, 'none of it shows') };
  }
  return { kind: 'delivered', change, record, unkept };
}

function unshown({ object }: ObjectSchema, retryAfterMs: number): RemoteError {
  return new RemoteError(`the change of a ${object} was taken, and its record does not show it`, {
    code: 'push-unconfirmed',
    disposition: 'retry',
    status: null,
    retryAfterMs,
  });
}

/** A create without an answer is no receipt: its id is unknown. One that is repeatable is repeated. */
function created(schema: ObjectSchema, change: Outgoing, record: RemoteRecord | undefined): Sent {
  if (record !== undefined) {
    return { kind: 'delivered', change, record, left: leftOut(schema, change, record) };
  }
  return { kind: change.matchOn === null ? 'unclear' : 'failed', change, error: unanswered() };
}

/**
 * What came of changes that a call did not take.
 *
 * @throws the error where nothing can go on.
 */
export function fateOf(
  error: RemoteError,
  batch: readonly Outgoing[],
): 'failed' | 'unclear' | 'refused' | 'gone' {
  if (error.disposition === 'halt') throw error;
  if (error.ambiguous) {
    const repeatable = batch.every(({ kind, matchOn }) => kind !== 'create' || matchOn !== null);
    return repeatable ? 'failed' : 'unclear';
  }
  if (error.disposition === 'retry') return 'failed';
  return error.status === 404 ? 'gone' : 'refused';
}

/** The code of {@link notStarted}. */
export const NOT_STARTED = 'push-not-started';

export function notStarted(): RemoteError {
  return new RemoteError('not sent: this process is stopping or no longer leads', {
    code: NOT_STARTED,
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
