import type { ClockBounds } from './clock-bounds.ts';
import type { RecordHistory } from './field-write.ts';
import type { Json } from './json.ts';
import type { DeletedRecord, RemoteRecord } from './record.ts';
import type { ObjectSchema } from './schema.ts';

/** Push goes before pull, pull before backfill. */
export type Priority = 'push' | 'pull' | 'backfill';

export interface CallOptions {
  readonly priority: Priority;
  readonly signal: AbortSignal;
  /** Each attempt is given up after this long; default the client's own. */
  readonly timeoutMs?: number;
  /** No further attempt once this long has passed since the first failure; default the client's own. */
  readonly withinMs?: number;
  /**
   * Called right before each attempt leaves, after every wait for the allowance or a backoff, with
   * the attempt's timeout; throwing gives the call up. Without it a write could wait behind the
   * allowance until the lease has run out (invariant 9).
   */
  readonly beforeAttempt?: (timeoutMs: number) => void | Promise<void>;
}

/** One page of an object's list. Instants are ISO-8601 UTC with milliseconds. */
export interface PageRequest {
  readonly object: ObjectSchema;
  readonly orderBy: 'updated' | 'created';
  readonly direction: 'asc' | 'desc';
  /** Inclusive bounds on the `orderBy` timestamp; a server may compare whole UTC days. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly offset: number;
  /** At most this many; a server may give fewer on every page. */
  readonly limit: number;
  /** To-many fields whose linkage to include. */
  readonly include?: readonly string[];
}

export interface Page {
  /** The caller's own, who may empty it. */
  readonly records: RemoteRecord[];
  /** How many records match the filter, where the server says. */
  readonly total: number | null;
  /** Whether there is anything behind this page. */
  readonly more: boolean;
}

export interface DeletedPage {
  readonly deletions: readonly DeletedRecord[];
  readonly total: number | null;
  readonly more: boolean;
}

/** A change of one record: only the fields named change, null clears. */
export interface RecordUpdate {
  readonly id: string;
  readonly fields: Readonly<Record<string, Json>>;
}

export interface User {
  readonly id: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** Links of one record's to-many field. */
export interface LinkWrite {
  readonly object: ObjectSchema;
  readonly id: string;
  readonly field: string;
  /** The object at the other end. */
  readonly target: string;
  /** Records at the other end. */
  readonly ids: readonly string[];
}

/** What the server's limits are, learned from its answers. */
export interface RemoteLimits {
  /** Records a page may hold. */
  readonly pageSize: number;
  /** Records a bulk write may hold. */
  readonly batchSize: number;
}

/**
 * A CRM, in terms of objects, fields, pages and receipts. Every call may throw `RemoteError`;
 * reads are repeated inside until they succeed or cannot, writes only where no attempt can have
 * been carried out (otherwise the error says `ambiguous`).
 */
export interface Remote {
  /** Objects and fields of the workspace; system fields left out. */
  discover(options: CallOptions): Promise<readonly ObjectSchema[]>;
  readPage(request: PageRequest, options: CallOptions): Promise<Page>;
  /** Deletions since an instant, in no particular order; null where the server has no feed. */
  readDeletions(
    request: { object: ObjectSchema; sinceMs: number; offset: number; limit: number },
    options: CallOptions,
  ): Promise<DeletedPage | null>;
  /**
   * Null where the server answers 404, or with another record, the survivor of a merge; with
   * `follow` that survivor. `certain`: something follows from a 404 alone, so it has to be said
   * twice, some seconds apart.
   */
  readRecord(
    request: { object: ObjectSchema; id: string; follow?: boolean; certain?: boolean },
    options: CallOptions,
  ): Promise<RemoteRecord | null>;
  /** Every record linked by a to-many field, one page. */
  readLinks(
    request: { object: ObjectSchema; id: string; field: string; offset: number; limit: number },
    options: CallOptions,
  ): Promise<{
    readonly ids: readonly string[];
    readonly total: number | null;
    readonly more: boolean;
  }>;
  /**
   * Who changed which field of a record when, from the newest back until that `isEnough`, as far as
   * it is told: null where it is not. One attempt a page, and a server that fails at it is let
   * alone for a while.
   */
  readHistory(
    request: {
      object: ObjectSchema;
      id: string;
      isEnough: (history: RecordHistory) => boolean;
    },
    options: CallOptions,
  ): Promise<RecordHistory | null>;
  readUsers(options: CallOptions): Promise<readonly User[]>;
  /**
   * Creates records; with `matchOn`, records the server already has are updated instead. The
   * answer's order is not the request's.
   */
  create(
    request: {
      object: ObjectSchema;
      records: readonly Readonly<Record<string, Json>>[];
      matchOn?: string | undefined;
    },
    options: CallOptions,
  ): Promise<readonly RemoteRecord[]>;
  /**
   * Updates records. The answer's order is not the request's. It is taken for no more than it says:
   * records may be missing from it, or come without what was sent.
   */
  update(
    request: { object: ObjectSchema; records: readonly RecordUpdate[] },
    options: CallOptions,
  ): Promise<readonly RemoteRecord[]>;
  /**
   * Deletes records; those that are gone already count as deleted.
   *
   * @returns those that are still there, although the server took the deletion.
   */
  delete(
    request: { object: ObjectSchema; ids: readonly string[] },
    options: CallOptions,
  ): Promise<readonly string[]>;
  /**
   * Links a record with these: of a many-to-many field they become the whole set, to a one-to-many
   * field they are added. Repeatable; 404 where either end is unknown, and nothing is applied.
   */
  setLinks(request: LinkWrite, options: CallOptions): Promise<void>;
  /**
   * Unlinks those named and no others. Repeatable.
   *
   * @returns whether the answer says that it was done; otherwise that has to be looked at.
   */
  removeLinks(request: LinkWrite, options: CallOptions): Promise<boolean>;
  readonly limits: RemoteLimits;
  /** The server's clock against ours, from the `Date` headers so far; null before the first. */
  readonly clock: ClockBounds | null;
}
