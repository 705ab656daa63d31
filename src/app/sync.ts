import type { Logger } from 'pino';
import type { ConfigOptions } from './config/options.ts';
import type { FleetConfigOptions } from './fleet/options.ts';

// What a program that embeds the service sees of it. Imports nothing whose declarations it would
// need for that: of the database, say.

export interface SyncOptions extends ConfigOptions {
  /** A pino logger; default: nothing is logged. */
  readonly log?: Logger | undefined;
}

export interface FleetOptions extends FleetConfigOptions {
  /** A pino logger; default: nothing is logged. */
  readonly log?: Logger | undefined;
}

/** The service that `clarify-sync run` is for one workspace, inside another program. */
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

/** What happens in a workspace: names and counts, no values. */
export interface WorkspaceEvents {
  /** A pull, first read or comparison of one object ended, well or not. */
  readonly pulled: RunNotice;
  /** Local changes were sent. */
  readonly pushed: PushNotice;
  readonly conflict: ConflictNotice;
  readonly parked: ParkedNotice;
}

/** What a sync of one workspace tells of. */
export interface SyncEvents extends WorkspaceEvents {
  /** Whether this process leads: of several on one workspace one works. */
  readonly leading: boolean;
  /** It has stopped by itself, for a reason that no repetition mends. */
  readonly error: unknown;
}

/**
 * The service that `clarify-sync run` is for a fleet, inside another program: it shares the
 * workspaces with every other process that serves them.
 */
export interface FleetSync {
  /**
   * Resolves once the workspaces are served: each begins, and fails, by itself, and says so. Calls
   * while it starts or runs share that one start.
   *
   * @throws UsageError for options that cannot be, SyncError where the status server cannot listen,
   * an AbortError where `stop` came first. Nothing is left running then.
   */
  start(): Promise<void>;
  /** Drains, hands every workspace over, and resolves once nothing runs any more. */
  stop(): Promise<void>;
  /**
   * Goes on with other workspaces: they come, go and change, the others are left alone. Where it
   * does not run, they are those of the next start.
   *
   * @throws UsageError for options that cannot be; nothing has changed then.
   */
  change(options: Pick<FleetOptions, 'database' | 'workspaces'>): Promise<void>;
  /** @returns how to stop listening. */
  on<E extends keyof FleetEvents>(event: E, listener: (detail: FleetEvents[E]) => void): () => void;
  /** How every workspace stands, whoever leads it. @throws Error where it does not run. */
  status(): Promise<FleetSyncStatus>;
  /** Such as `http://127.0.0.1:8460`; null where there is no status server, or nothing runs. */
  readonly statusUrl: string | null;
}

/** What a fleet tells of: of the workspaces that this process leads. */
export interface FleetEvents extends WorkspaceEvents {
  /** This process begins to lead a workspace, or ceases to. */
  readonly leading: Notice & { readonly leads: boolean };
  /** A workspace has stopped alone, and is tried again. Told once for each reason. */
  readonly error: Notice & { readonly error: unknown };
}

export interface FleetSyncStatus {
  readonly workspaces: readonly (SyncStatus & {
    readonly name: string;
    /** `leading` here, `broken` here, or neither. */
    readonly state: 'leading' | 'standing-by' | 'starting' | 'broken';
    /** Why it is broken, or cannot be read; null where it is neither. */
    readonly error: { readonly code: string; readonly message: string } | null;
  })[];
}

export type SyncEvent = keyof SyncEvents;
export type SyncListener<E extends SyncEvent> = (detail: SyncEvents[E]) => void;

/** Where it happened. */
export interface Notice {
  /** What the workspace is called: in a fleet its name, else its schema. */
  readonly workspace: string;
}

export interface RunNotice extends Notice {
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
export interface PushNotice extends Notice {
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
export interface ConflictNotice extends Notice {
  readonly id: bigint;
  readonly object: string;
  readonly recordId: string;
  readonly field: string;
  readonly policy: string;
  /** `open` waits for a person. */
  readonly resolution: 'local' | 'remote' | 'merged' | 'open';
}

/** A local change that cannot go on without a person. */
export interface ParkedNotice extends Notice {
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
