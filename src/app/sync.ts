import type { Logger } from 'pino';
import type { ConfigOptions } from './config/options.ts';

// What a program that embeds the service sees of it. Imports nothing whose declarations it would
// need for that: of the database, say.

export interface SyncOptions extends ConfigOptions {
  /** A pino logger; default: nothing is logged. */
  readonly log?: Logger | undefined;
}

/** The service that `clarify-sync run` is, inside another program. */
export interface Sync {
  /**
   * Resolves once it works: key, workspace and database are fine, schedules run. Calls while it
   * starts or runs share that one start.
   *
   * @throws UsageError for options that cannot be, SyncError for what stands in the way, an
   * AbortError where `stop` came first. Nothing is left running then.
   */
  start(): Promise<void>;
  /** Drains, and resolves once nothing of it runs any more. It may be started again. */
  stop(): Promise<void>;
  /** @returns how to stop listening. */
  on<E extends SyncEvent>(event: E, listener: SyncListener<E>): () => void;
  /** How every object stands. @throws Error where it does not run. */
  status(): Promise<SyncStatus>;
  /** Such as `http://127.0.0.1:8460`; null where there is no status server, or nothing runs. */
  readonly statusUrl: string | null;
}

/** What a sync tells of: names and counts, no values. */
export interface SyncEvents {
  /** A pull, first read or comparison of one object ended, well or not. */
  readonly pulled: RunNotice;
  /** Local changes were sent. */
  readonly pushed: PushNotice;
  readonly conflict: ConflictNotice;
  readonly parked: ParkedNotice;
  /** Whether this process leads: of several on one workspace one works. */
  readonly leading: boolean;
  /** It has stopped by itself, for a reason that no repetition mends. */
  readonly error: unknown;
}

export type SyncEvent = keyof SyncEvents;
export type SyncListener<E extends SyncEvent> = (detail: SyncEvents[E]) => void;

export interface RunNotice {
  readonly object: string;
  readonly kind: 'pull' | 'backfill' | 'reconcile';
  /** `incomplete`: what was read is applied, and the next run goes on. */
  readonly state: 'ok' | 'incomplete' | 'failed';
  /** Such as `read`, `inserted`, `updated`, `removed`. */
  readonly counts: Readonly<Record<string, number>>;
  /** `code` as in docs/errors.md. */
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  } | null;
}

/** Records, by what became of their changes. */
export interface PushNotice {
  readonly delivered: number;
  /** There was nothing left to change: their record is gone. */
  readonly gone: number;
  /** Parked. */
  readonly refused: number;
  /** Tried again. */
  readonly failed: number;
  /** Whether they arrived is found out. */
  readonly unclear: number;
}

/** A field that both sides changed to different values. */
export interface ConflictNotice {
  readonly id: bigint;
  readonly object: string;
  readonly recordId: string;
  readonly field: string;
  readonly policy: string;
  /** `open` waits for a person. */
  readonly resolution: 'local' | 'remote' | 'merged' | 'open';
}

/** A local change that cannot go on without a person. */
export interface ParkedNotice {
  readonly id: bigint;
  readonly object: string;
  readonly recordId: string;
  readonly op: 'insert' | 'update' | 'delete' | 'link' | 'unlink';
  /** As in docs/errors.md. */
  readonly code: string;
}

export interface SyncStatus {
  readonly objects: readonly {
    readonly object: string;
    readonly rows: bigint;
    readonly pending: number;
    readonly blocked: number;
    readonly parked: number;
    readonly openConflicts: number;
    /** Rows that a constraint or a trigger of others keeps from being as their record is. */
    readonly setAside: number;
    /** Since the last complete pull began; null before the first. */
    readonly lagSeconds: number | null;
    readonly lastPulledAt: string | null;
    readonly lastError: string | null;
  }[];
  /** Null where nobody leads. */
  readonly leader: { readonly holder: string; readonly epoch: bigint } | null;
}
