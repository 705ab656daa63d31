import type { Echoes } from '../conflicts/read-object.ts';
import type { Database } from '../db/connection/database.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { Looked } from '../db/outbox/claimable.ts';
import type { MassDeleteLimits } from '../db/outbox/delete-guard.ts';
import type { Creating, Removal } from '../domain/capabilities.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import type { Remote } from '../domain/remote.ts';

/** What was taken in before a claim. How the next look goes on from there is its own affair. */
export interface Refreshed {
  /** Whose changes may go now; null: everything that changed was taken in. */
  readonly looked: Looked | null;
  readonly reached: string | null;
  readonly alone: number;
  readonly isUnproven: boolean;
}

/** Attempts that a change of what is not there waits for word of what became of it: some two minutes. */
export const MOST_WAITS_FOR_WORD = 8;

export interface PushDeps {
  readonly db: Database;
  readonly remote: Remote;
  /** In the order in which records have to be created. */
  readonly tables: readonly MirrorTable[];
  readonly links: readonly LinkTable[];
  readonly policyOf: (object: string, field: string) => ConflictPolicy;
  /** The unique field that tells whether a record is there already; null where there is none. */
  readonly identityOf: (table: MirrorTable) => string | null;
  readonly creatingOf: (object: string) => Creating;
  readonly removalOf: (object: string) => Removal;
  /** Records claimed at once. */
  readonly claimSizeOf: (object: string) => number;
  readonly massDelete: MassDeleteLimits;
  readonly lease: PushLease;
  /**
   * Takes in what is about to be overwritten, right before a claim: the claim takes what was looked at
   * and nothing else (invariant 5). `before`: what the last call within the same push came to; `echoes`:
   * what was answered since, and need not be compared.
   */
  readonly refresh: (
    table: MirrorTable,
    since: {
      readonly before: Refreshed | null;
      readonly echoes: Echoes;
    },
    signal: AbortSignal,
  ) => Promise<Refreshed>;
  /** Takes in everything that changed of the object, merges above all. */
  readonly takeInChanges: (table: MirrorTable, signal: AbortSignal) => Promise<void>;
  /**
   * Those of these records of which the CRM may still say what became of them: an edit of one that is
   * not there, or a link with it, waits for that. None where left out.
   */
  readonly untold?: (object: string, ids: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly random: () => number;
  /** Epoch milliseconds by a clock that is never set. */
  readonly nowMs: () => number;
  readonly trouble: PushTrouble;
}

/** What keeps objects from being sent, and when each is tried again. */
export interface PushTrouble {
  /** Until it may be tried; 0 where it may now. */
  waitMs(object: string): number;
  stands(object: string): boolean;
  /**
   * @returns why its changes wait, as `last_error` tells it, and for how long; null where it is not
   *   this object's trouble, but everybody's. @throws what ends the service.
   */
  failed(
    object: string,
    error: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly reason: string; readonly retryInMs: number } | null>;
  /** It could be sent: what had been put off is due again. @returns whether anything had been. */
  worked(object: string): Promise<boolean>;
}

/** The right to send, as the leader holds it. */
export interface PushLease {
  readonly epoch: bigint | null;
  /** How long the lease lasts for certain. */
  remainingMs(): number;
}

export interface PushCounts {
  readonly delivered: number;
  readonly refused: number;
  readonly gone: number;
  readonly failed: number;
  readonly unclear: number;
}
