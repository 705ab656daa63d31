import type { CallOptions } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { type Calling, notStarted } from './call.ts';

export interface Sending extends Calling {
  /** Whether a request may leave now. */
  readonly mayStart: () => boolean;
}

/** Where it is written down what goes out in jobs. */
export interface JobLedger {
  /** Unique values that jobs under way give up or take, and the entry that has each. */
  outValues(): Promise<ReadonlyMap<string, bigint>>;
  /**
   * That a job is about to carry these. @returns the place for its ticket.
   *
   * @throws SyncError `lease-lost` where another process goes on with them.
   */
  begin(batch: readonly Outgoing[]): Promise<string>;
  /** The ticket of the job that has this place. */
  hold(place: string, ticket: string): Promise<void>;
}

export interface JobSending extends Sending {
  readonly ledger: JobLedger;
}

export interface SendOptions extends CallOptions {
  /** Told of changes as soon as their fate is known; what it throws ends the sending. */
  readonly report: (sent: readonly Sent[]) => Promise<void>;
}

/**
 * Sends what was claimed of one object, each change once, and reports what came of each; of what went
 * out in a job that is found out later.
 *
 * @throws RemoteError with disposition `halt`, or what `report` throws, once nothing is under way
 *   any more; changes not reported by then were not sent, or their fate is unknown.
 */
export type Writer = (
  sending: JobSending,
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  options: SendOptions,
) => Promise<void>;

/**
 * Asks again right before a call leaves whether it may: the wait for the allowance may outlast the
 * lease (invariant 9).
 */
export function askedAgain(mayStart: () => boolean, options: CallOptions): CallOptions {
  return {
    ...options,
    beforeAttempt: async (timeoutMs) => {
      if (!mayStart()) throw notStarted();
      await options.beforeAttempt?.(timeoutMs);
    },
  };
}

/** What makes room goes first: a unique value may move from one record to another. */
export function sendingOrder(outgoing: readonly Outgoing[]): readonly (readonly Outgoing[])[] {
  const creates = outgoing.filter(({ kind }) => kind === 'create');
  return [
    outgoing.filter(({ kind }) => kind === 'delete'),
    outgoing.filter(({ kind }) => kind === 'update'),
    creates.filter(({ matchOn }) => matchOn !== null),
    creates.filter(({ matchOn }) => matchOn === null),
  ].filter((group) => group.length > 0);
}
