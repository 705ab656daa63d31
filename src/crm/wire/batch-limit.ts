import { RemoteError } from '../../domain/errors.ts';

export interface Batch {
  readonly endpoint: string;
  readonly records: number;
  readonly bytes: number;
}

/**
 * How many records a bulk write of one object may hold, and how many bytes: learned from what was
 * taken, what was refused, and how long it took; relearned from successes, so that one giant record
 * does not slow down everything after it.
 */
export interface BatchLimit {
  readonly size: number;
  /** The server's own cap is known beforehand, by its dialect. */
  cap(records: number): void;
  /** @throws RemoteError `remote-too-large` where the server has refused a batch of this size. */
  check(batch: Batch): void;
  /** @param tookMs from when it left until it was answered. */
  succeeded(batch: Batch, tookMs: number): void;
  /**
   * What the server's refusal says about the size: gives the error to throw, `remote-too-large`
   * with a smaller `size` where the batch has to be split.
   */
  refused(batch: Batch, error: RemoteError): RemoteError;
}

export interface BatchSizes {
  /** For messages. */
  readonly title: string;
  /** Where it begins. */
  readonly first: number;
  /** It grows no further, whatever the server takes: what comes of a refused batch grows with it. */
  readonly most: number;
  /** The likely cap of a server that refuses more, without saying why. */
  readonly likelyCap: number;
}

/** What is answered so soon may be twice as much. */
const SOON_MS = 1_000;
/** What takes so long is halved: twice that, and it is given up as unanswered. */
const SLOW_MS = 3_000;

export function createBatchLimit({ title, first, most, likelyCap }: BatchSizes): BatchLimit {
  let ceiling = most;
  let size = first;
  /** The most records that the server has taken at once: no cap is below. */
  let taken = 0;
  let refusedBytes = Number.POSITIVE_INFINITY;
  /** What stood before it was lowered on a suspicion only. */
  let suspended: { readonly ceiling: number; readonly size: number } | null = null;

  function lower(records: number): void {
    size = Math.max(1, Math.min(size, records));
  }

  return {
    get size() {
      return size;
    },
    cap(records) {
      ceiling = Math.min(ceiling, records);
      lower(ceiling);
    },
    check(batch) {
      const tooMany = ceiling < most && batch.records > ceiling;
      if (batch.records === 1 || !(tooMany || batch.bytes >= refusedBytes)) return;
      // A last batch holds what is left, and tells less.
      lower(Math.ceil(Math.max(batch.records, size) / 2));
      throw tooLarge(title, batch, undefined);
    },
    succeeded({ records, bytes }, tookMs) {
      taken = Math.max(taken, records);
      if (bytes >= refusedBytes) refusedBytes = Number.POSITIVE_INFINITY;
      if (tookMs > SLOW_MS) lower(Math.ceil(records / 2));
      else if (records >= size && tookMs <= SOON_MS) size = Math.min(ceiling, size * 2);
    },
    refused(batch, error) {
      const { records, bytes } = batch;
      const fewer = Math.ceil(records / 2);
      // Unanswered: the time may be what it lacked.
      if (error.status === null && error.ambiguous) lower(fewer);
      if (error.code === 'remote-too-large') {
        if (records === 1) return error;
        if (error.status === 413) refusedBytes = Math.min(refusedBytes, bytes);
        else {
          // It was counted, not weighed, and a cap is the likely reason.
          if (records <= taken) taken = 0;
          ceiling = Math.min(ceiling, Math.max(taken, records > likelyCap ? likelyCap : fewer));
        }
        lower(Math.min(ceiling, fewer));
        return tooLarge(title, batch, error);
      }
      const namesNothing = error.culprit === undefined && error.field === undefined;
      if (error.code !== 'remote-invalid' || !namesNothing) return error;
      const surelyTaken = Math.max(taken, likelyCap);
      if (records <= surelyTaken) {
        // Batches that small fail as well, so it was a record, and not how many there were.
        if (suspended !== null) ({ ceiling, size } = suspended);
        suspended = null;
        return error;
      }
      // A refusal that names no record may be the cap. Smaller batches will tell.
      suspended ??= { ceiling, size };
      ceiling = surelyTaken;
      lower(surelyTaken);
      return tooLarge(title, batch, error);
    },
  };
}

/** One for each object: what one is full of says nothing of another. */
export function createBatchLimits(sizes: BatchSizes): {
  of(object: string): BatchLimit;
  /** See {@link BatchLimit.cap}: of every object. */
  cap(records: number): void;
} {
  const limits = new Map<string, BatchLimit>();
  let most = Number.POSITIVE_INFINITY;
  return {
    of(object) {
      const known = limits.get(object);
      if (known !== undefined) return known;
      const limit = createBatchLimit(sizes);
      limit.cap(most);
      limits.set(object, limit);
      return limit;
    },
    cap(records) {
      most = Math.min(most, records);
      for (const limit of limits.values()) limit.cap(records);
    },
  };
}

function tooLarge(
  title: string,
  { endpoint, records }: Batch,
  cause: RemoteError | undefined,
): RemoteError {
  return new RemoteError(`${endpoint}: ${records} records are more than ${title} takes at once`, {
    code: 'remote-too-large',
    // As with any refusal of several: taken apart at once, not tried again later as it is.
    disposition: 'park',
    hint: 'Smaller batches follow by themselves.',
    status: cause?.status ?? null,
    reason: cause?.reason,
    cause,
  });
}
