import { RemoteError } from '../domain/errors.ts';

export interface Batch {
  readonly endpoint: string;
  readonly records: number;
  readonly bytes: number;
}

/**
 * How many records a bulk write may hold, and how many bytes: both learned from refusals, and
 * relearned from successes, so that one giant record does not slow down everything after it.
 */
export interface BatchLimit {
  readonly size: number;
  /** The server's own cap is known beforehand, by its dialect. */
  cap(records: number): void;
  /** @throws RemoteError `remote-too-large` where the server has refused a batch of this size. */
  check(batch: Batch): void;
  succeeded(batch: Batch): void;
  /**
   * What the server's refusal says about the size: gives the error to throw, `remote-too-large`
   * with a smaller `size` where the batch has to be split.
   */
  refused(batch: Batch, error: RemoteError): RemoteError;
}

const DEFAULT_SIZE = 100;
/** The cap of the classic dialect, and what the vendor advises for data of unknown quality. */
const CLASSIC_SIZE = 25;

export function createBatchLimit(): BatchLimit {
  let ceiling = DEFAULT_SIZE;
  let size = DEFAULT_SIZE;
  let refusedBytes = Number.POSITIVE_INFINITY;
  /** The ceiling before one that was lowered on a suspicion only. */
  let suspendedCeiling: number | null = null;

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
      const tooMany = ceiling < DEFAULT_SIZE && batch.records > ceiling;
      if (batch.records === 1 || !(tooMany || batch.bytes >= refusedBytes)) return;
      lower(Math.ceil(batch.records / 2));
      throw tooLarge(batch, undefined);
    },
    succeeded({ records, bytes }) {
      if (bytes >= refusedBytes) refusedBytes = Number.POSITIVE_INFINITY;
      if (records >= size) size = Math.min(ceiling, size * 2);
    },
    refused(batch, error) {
      const { records, bytes } = batch;
      if (error.code === 'remote-too-large') {
        if (records === 1) return error;
        const fewer = Math.ceil(records / 2);
        if (error.status === 413) refusedBytes = Math.min(refusedBytes, bytes);
        // It was counted, not weighed, and the classic cap is the likely one.
        else ceiling = Math.min(ceiling, records > CLASSIC_SIZE ? CLASSIC_SIZE : fewer);
        lower(Math.min(ceiling, fewer));
        return tooLarge(batch, error);
      }
      const namesNothing = error.culprit === undefined && error.field === undefined;
      if (error.code !== 'remote-invalid' || !namesNothing) return error;
      if (records <= CLASSIC_SIZE) {
        // Small batches fail as well, so it was a record, and not how many there were.
        if (suspendedCeiling !== null) {
          ceiling = suspendedCeiling;
          size = suspendedCeiling;
          suspendedCeiling = null;
        }
        return error;
      }
      // A refusal that names no record may be the classic cap. Smaller batches will tell.
      suspendedCeiling = ceiling;
      ceiling = CLASSIC_SIZE;
      lower(CLASSIC_SIZE);
      return tooLarge(batch, error);
    },
  };
}

function tooLarge({ endpoint, records }: Batch, cause: RemoteError | undefined): RemoteError {
  return new RemoteError(`${endpoint}: ${records} records are more than Clarify takes at once`, {
    code: 'remote-too-large',
    // As with any refusal of several: taken apart at once, not tried again later as it is.
    disposition: 'park',
    hint: 'Smaller batches follow by themselves.',
    status: cause?.status ?? null,
    reason: cause?.reason,
    cause,
  });
}
