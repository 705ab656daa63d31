import type { EndpointStats } from '../clarify/endpoint-queue.ts';
import type { RequestDone } from '../clarify/request-done.ts';
import type { Database } from '../db/database.ts';
import type { Json } from '../domain/json.ts';

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
  /** By what Clarify lets us in, for a reader: `API key`. */
  readonly access: string;
  /** Whether local changes are sent at all. */
  readonly push: boolean;
  /** Whether this process leads. */
  leads(): boolean;
  /** Null where it follows no schedule. */
  nextRun(object: string): NextRun | null;
  /** Somebody says that there is something to pull, and perhaps of which object. */
  nudge(object: string | null): void;
  /** Per endpoint of Clarify, since the daemon began. */
  endpoints(): readonly EndpointStats[];
  /** Tells of every request to Clarify that ended. @returns how to stop that. */
  watchRequests(listener: (done: RequestDone) => void): () => void;
  /** The fields of a record as Clarify has them now; null where it has no such record. */
  readRemote(object: string, recordId: string): Promise<Readonly<Record<string, Json>> | null>;
  readonly actions: Actions;
}
