import type { Database } from '../db/connection/database.ts';
import type { Json } from '../domain/json.ts';
import type { EndpointStats, RequestDone } from '../domain/traffic.ts';
import type { HookReceiver } from './hook-route.ts';

/** When an object is read next, by its schedule. */
export interface NextRun {
  readonly at: Date;
  /** From then to the one after. */
  readonly intervalMs: number;
}

/** What a person may decide on the page. Each returns what came of it, in a few words. */
export interface Actions {
  retry(entry: bigint): Promise<string>;
  discard(entry: bigint): Promise<string>;
  approve(entry: bigint): Promise<string>;
  takeLocal(conflict: bigint): Promise<string>;
  takeRemote(conflict: bigint): Promise<string>;
}

/** What the status server shows, and does: the daemon it belongs to. */
export interface StatusSource {
  readonly db: Database;
  readonly log: { warn(fields: object, message: string): void };
  readonly workspace: string;
  readonly version: string;
  /** The title of its CRM. */
  readonly crm: string;
  /** By what it lets us in, for a reader: `API key`. */
  readonly access: string;
  /** Whether local changes are sent at all. */
  readonly push: boolean;
  /** Whether this process leads. */
  leads(): boolean;
  /** Whether this table of what stands beside the records is still asked for, of an object where that has several. */
  readsBeside(table: string, object: string | null): boolean;
  /** Null where it follows no schedule. */
  nextRun(object: string): NextRun | null;
  /** Somebody says that there is something to pull, and perhaps of which object. */
  nudge(object: string | null): void;
  /** Takes its CRM's calls; null where none is asked for. */
  readonly hooks: HookReceiver | null;
  /** Per endpoint of the CRM, since the daemon began. */
  endpoints(): readonly EndpointStats[];
  /** Tells of every request to the CRM that ended. @returns how to stop that. */
  watchRequests(listener: (done: RequestDone) => void): () => void;
  /** The fields of a record as the CRM has them now; null where it has no such record. */
  readRemote(object: string, recordId: string): Promise<Readonly<Record<string, Json>> | null>;
  readonly actions: Actions;
}

/** How far a workspace of a fleet is, as this process knows it. */
export type WorkspaceState =
  /** This process pulls and pushes. */
  | { readonly kind: 'leading' }
  /** Not its turn: another process leads, or is about to. */
  | { readonly kind: 'standing-by' }
  | { readonly kind: 'starting' }
  /** Stopped alone, for a reason that a person has to mend or that passes. */
  | {
      readonly kind: 'broken';
      /** As in docs/errors.md. */
      readonly code: string;
      readonly message: string;
      readonly hint: string | null;
      /** Null where nothing is tried before the file or the process changes. */
      readonly retryAt: Date | null;
    };

/**
 * One workspace of a fleet, whoever leads it. What needs its CRM (`readRemote`, most `actions`) may
 * be asked of any process.
 */
export interface WorkspaceSource extends StatusSource {
  /** The label in the file, and in its address. */
  readonly name: string;
  /** The same for all that live in one database: reads of it take turns, so that work goes first. */
  readonly database: unknown;
  state(): WorkspaceState;
}

/** What the status server of a fleet shows. */
export interface FleetSource {
  readonly log: StatusSource['log'];
  readonly version: string;
  /** How this process is called as the holder of a lease begins with this. */
  readonly holder: string;
  /** In any order; the same object for as long as a workspace stays the same. */
  workspaces(): readonly WorkspaceSource[];
}
