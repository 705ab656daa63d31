import type { ActivityPage } from './activity.ts';
import type { Capabilities } from './capabilities.ts';
import type { ClockBounds } from './clock-bounds.ts';
import type { RemoteError } from './errors.ts';
import type { RecordHistory } from './field-write.ts';
import type { Json } from './json.ts';
import type { DeletedRecord, RemoteRecord, WrittenBy } from './record.ts';
import type { ObjectSchema } from './schema.ts';
import type { NewComment, SideItem, SidePage, SideRequest } from './side.ts';

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
  /** Of writes of changes that were claimed together, all made before any of them is sent: the same for all. */
  readonly claim?: object | undefined;
}

/** One page of an object's list. Instants are ISO-8601 UTC with milliseconds. */
export interface PageRequest {
  readonly object: ObjectSchema;
  /** `position`: in whatever order the list has, ascending if anything. */
  readonly orderBy: 'updated' | 'created' | 'position';
  readonly direction: 'asc' | 'desc';
  /** Only what was edited since then, or about then, where `orderBy` is `position`. */
  readonly changedSince?: string | undefined;
  /** Inclusive bounds on the `orderBy` timestamp; a server may compare whole UTC days. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly offset: number;
  /** At most this many; a server may give fewer on every page. */
  readonly limit: number;
  /** To-many fields whose linkage to include. */
  readonly include?: readonly string[];
  /** Spares reading what is known; an adapter may do without. */
  readonly recognition?: Recognition | undefined;
}

/** Tells records that came as they came before, and of which everything stands that came of them. */
export interface Recognition {
  /** What that hangs on beside the record: a digest of another basis is another one. */
  readonly basis: string;
  /**
   * What is known of records created between the first and the last of a page, by their digests:
   * each with its id, its times and every link that it told of, and no field.
   */
  find(ends: readonly RemoteRecord[]): Promise<ReadonlyMap<string, RemoteRecord>>;
}

export interface Page {
  /** The caller's own, who may empty it. */
  readonly records: RemoteRecord[];
  /**
   * How many records match the filter, where the server says. Of a list by `position` it is taken
   * for true: null where it cannot be believed.
   */
  readonly total: number | null;
  /** Whether there is anything behind this page; by `position` true where the server does not say. */
  readonly more: boolean;
  /** Where the page begins, if not where it was asked to: numbered pages may begin before. */
  readonly offset?: number;
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

/** Objects that the workspace has and does not describe, and why. */
export type Undescribed = ReadonlyMap<string, RemoteError>;

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

/** A recording of a meeting. */
export interface RecordingId {
  readonly meeting: string;
  readonly recording: string;
}

export interface Transcript {
  readonly text: string;
  readonly contentType: string | null;
}

/** @throws RemoteError; its code begins with `recording-` where it is about this recording alone. */
export type ReadTranscript = (id: RecordingId, options: CallOptions) => Promise<Transcript>;

/** One page of a unit. @throws RemoteError, also where there is no such unit. */
export type ReadSide = (request: SideRequest, options: CallOptions) => Promise<SidePage>;

/** Links of one field that are to be made and to be taken back. */
export interface JobLinks {
  readonly field: string;
  /** The object at the other end. */
  readonly target: string;
  readonly linked: readonly string[];
  readonly unlinked: readonly string[];
}

/** One record of a job. What is created has no id, and an id of ours among its fields. */
export interface JobRecord {
  readonly id: string | null;
  readonly fields: Readonly<Record<string, Json>>;
  /** Which attempt it is, from 1: where a value may be cleared in several forms. */
  readonly attempt?: number;
  /** There where writing takes links. */
  readonly links?: readonly JobLinks[];
  /** Fields as they stand here, for a server that takes no record without one. */
  readonly known?: Readonly<Record<string, Json>>;
}

/** What one job is to do. */
export type JobRequest = { readonly object: ObjectSchema } & (
  | { readonly kind: 'write'; readonly records: readonly JobRecord[] }
  | { readonly kind: 'delete'; readonly ids: readonly string[] }
);

/**
 * - `open` it may still do anything
 * - `completed` it has ended, and what does not show was passed over
 * - `failed` it has ended with nothing, half or all of it done: failed, cancelled, or forgotten
 */
export type JobState = 'open' | 'completed' | 'failed';

/** Changes handed over to jobs of the server's, whose answers say nothing of any record. */
export interface RemoteJobs {
  /** @returns the ticket to ask by. Nothing is repeated inside where it may have been taken. */
  submit(request: JobRequest, options: CallOptions): Promise<string>;
  poll(request: { object: ObjectSchema; ticket: string }, options: CallOptions): Promise<JobState>;
  /**
   * Whether no job is open that was submitted before, also one whose ticket is not known. Left out
   * where the server does not tell.
   */
  isIdle?(request: { object: ObjectSchema }, options: CallOptions): Promise<boolean>;
  /**
   * Records as they are shown, by their ids and by ids of ours. With `links` their links as well; of
   * those that are more than are shown, some.
   */
  readBack(
    request: {
      object: ObjectSchema;
      ids: readonly string[];
      externalIds: readonly string[];
      links?: boolean;
    },
    options: CallOptions,
  ): Promise<ReadBack>;
}

export interface ReadBack {
  /** Each as it is shown, with every field. */
  readonly records: readonly RemoteRecord[];
  /** Whoever is not among them is not shown; otherwise he may have been overlooked. */
  readonly isWhole: boolean;
}

/** An address that the server calls when records change. */
export interface RemoteHook {
  readonly id: string;
  readonly url: string;
  /** `degraded`: calls were given up; `inactive`: there are none any more. */
  readonly state: 'active' | 'degraded' | 'inactive';
  /** Whether it is told of all that a new one would be. */
  readonly isWhole: boolean;
}

/** Addresses that the server calls when records change; what it tells is read by `Adapter.hooks`. */
export interface RemoteHooks {
  /** Objects by what calls name them; null before the first `discover`. */
  readonly objects: ReadonlyMap<string, string> | null;
  /** All that the key may see, whoever made them. */
  list(options: CallOptions): Promise<readonly RemoteHook[]>;
  /**
   * Has this address called when records are created, updated, deleted or merged. Its secret is told
   * this once.
   *
   * @throws RemoteError `remote-duplicate` where that address is called already.
   */
  create(
    request: { readonly url: string },
    options: CallOptions,
  ): Promise<{ readonly id: string; readonly secret: string }>;
  /** One that is gone already counts as deleted. */
  delete(request: { readonly id: string }, options: CallOptions): Promise<void>;
}

/** What the server's limits are, learned from its answers. */
export interface RemoteLimits {
  /** Records a page may hold. */
  readonly pageSize: number;
  /** Records of an object that a bulk write, or a job, may hold by now. */
  batchSizeOf(object: string): number;
  /** Bytes of JSON that the records of one job may come to, what stands around them left out. */
  readonly jobBytes?: number;
  /** Links of one record and field that one job may make and take back, together. */
  readonly jobLinks?: number;
  /** Writes of one record that may be under way at once, of an object. */
  readonly writesAtOnce: number;
}

/**
 * A CRM, in terms of objects, fields, pages and receipts. Every call may throw `RemoteError`;
 * reads are repeated inside until they succeed or cannot, writes only where no attempt can have
 * been carried out (otherwise the error says `ambiguous`). What not every CRM can do is optional.
 */
export interface Remote {
  /** Its name, for a reader. */
  readonly title: string;
  /** Objects and fields of the workspace; system fields left out. */
  discover(options: CallOptions): Promise<readonly ObjectSchema[]>;
  /**
   * Objects whose fields were refused when the workspace was last discovered: they are no reason for
   * any other to stop. One that was known before was told as it was then. Left out where all are
   * described by one answer.
   */
  readonly undescribed?: Undescribed;
  readPage(request: PageRequest, options: CallOptions): Promise<Page>;
  /** Deletions since an instant, in no particular order; null where the server has no feed. */
  readDeletions?(
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
  /**
   * Every record that holds one of these values of a field, exactly. There where the object's
   * `creating` is `lookup`.
   */
  findRecords?(
    request: { object: ObjectSchema; field: string; values: readonly string[] },
    options: CallOptions,
  ): Promise<readonly RemoteRecord[]>;
  /**
   * Several known records in as few requests as it takes, where the CRM can read them together;
   * those that are gone are left out.
   */
  readRecords?(
    request: { object: ObjectSchema; ids: readonly string[] },
    options: CallOptions,
  ): Promise<readonly RemoteRecord[]>;
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
  readHistory?(
    request: {
      object: ObjectSchema;
      id: string;
      isEnough: (history: RecordHistory) => boolean;
    },
    options: CallOptions,
  ): Promise<RecordHistory | null>;
  /**
   * Everything that the CRM tells of a record's past, from the newest back, a part at a time. One
   * attempt a part. Left out where it tells nothing.
   */
  readActivities?(
    request: { object: ObjectSchema; id: string; offset: number },
    options: CallOptions,
  ): Promise<ActivityPage>;
  /**
   * When fields of a record that are empty now were emptied, as far as it is told; there where values
   * tell their own times.
   */
  readClearings?(
    request: { object: ObjectSchema; id: string; fields: readonly string[] },
    options: CallOptions,
  ): Promise<ReadonlyMap<string, WrittenBy>>;
  /** What these fields held when the record was saved first; likewise. */
  readFirstValues?(
    request: { object: ObjectSchema; id: string; savedAt: string; fields: readonly string[] },
    options: CallOptions,
  ): Promise<Readonly<Record<string, Json>>>;
  readUsers?(options: CallOptions): Promise<readonly User[]>;
  /** What the workspace has beside its records, one page. */
  readonly readSide?: ReadSide;
  /** Creates a comment by an id of ours; repeatable. @returns it as the CRM tells it. */
  createComment?(comment: NewComment, options: CallOptions): Promise<SideItem>;
  /** What was said in a recording. */
  readonly readTranscript?: ReadTranscript;
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
   * Brings archived records back under their ids; those that are live already count as brought back.
   * There where the object's `removal` is `restorable`.
   *
   * @returns records as they are now; one that is missing has to be looked at.
   */
  restore?(
    request: { object: ObjectSchema; ids: readonly string[] },
    options: CallOptions,
  ): Promise<readonly RemoteRecord[]>;
  /**
   * Links a record with these: of a many-to-many field they become the whole set, to a one-to-many
   * field they are added. Repeatable; 404 where either end is unknown, and nothing is applied.
   */
  setLinks(request: LinkWrite, options: CallOptions): Promise<void>;
  /**
   * Links a record with these as well, by a call that touches no other link. Repeatable; 404 as above.
   * Left out where there is no such call.
   *
   * @returns all its links then; null where the answer does not tell.
   */
  addLinks?(request: LinkWrite, options: CallOptions): Promise<readonly string[] | null>;
  /**
   * Unlinks those named and no others. Repeatable.
   *
   * @returns whether the answer says that it was done; otherwise that has to be looked at.
   */
  removeLinks(request: LinkWrite, options: CallOptions): Promise<boolean>;
  /** There where an object's `writing` is by jobs. */
  readonly jobs?: RemoteJobs;
  /** Left out where the server calls nobody. */
  readonly hooks?: RemoteHooks;
  /** What can be done with the records of an object, as it was discovered. */
  capabilitiesOf(object: string): Capabilities;
  readonly limits: RemoteLimits;
  /** The server's clock against ours, from the `Date` headers so far; null before the first. */
  readonly clock: ClockBounds | null;
}
