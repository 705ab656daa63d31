import { changedError, RemoteError } from '../../domain/errors.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { Clock } from './clock.ts';

/** What two reads may be one for. */
type For = Pick<CallOptions, 'claim'>;

/**
 * Lists that are read because of a value that nobody here has heard of: it may have been added since they
 * were read last. Changes that were claimed together had all been made by then, so that one read is late
 * enough for them; what was read for others is not.
 */
export interface FreshReads<T> {
  /** @throws RemoteError what `read` throws; what could not be looked up is tried again, even where that was refused. */
  read(key: string, call: For, read: () => Promise<T>): Promise<T>;
}

/** @param most how old what was read may be, in a claim that takes long; default as old as the claim. */
export function createFreshReads<T>(most?: {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly withinMs: number;
}): FreshReads<T> {
  const latest = new Map<string, For & { readonly atMs: number; readonly done: Promise<T> }>();
  const nowMs = () => most?.clock.monotonicMs() ?? 0;
  return {
    async read(key, { claim }, read) {
      let last = latest.get(key);
      const { withinMs = claim === undefined ? 0 : Infinity } = most ?? {};
      if (last === undefined || last.claim !== claim || nowMs() - last.atMs >= withinMs) {
        last = { claim, atMs: nowMs(), done: read() };
        latest.set(key, last);
      }
      try {
        return await last.done;
      } catch (error) {
        const isRefused = error instanceof RemoteError && error.disposition === 'park';
        throw isRefused ? changedError(error, { disposition: 'retry', culprit: undefined }) : error;
      }
    },
  };
}
