import type pg from 'pg';
import { type ClockBounds, narrowClock } from '../../domain/clock-bounds.ts';
import { SyncError } from '../../domain/errors.ts';
import { openPool } from './pool.ts';
import type { SessionState } from './session-settings.ts';

export interface ServerOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most, beside those that are reserved; default 8. */
  readonly max?: number;
  /** Connections for what must not wait until others let go of theirs, such as a lease; default 1. */
  readonly reserved?: number;
  /** Told about connections that broke while nobody used them. */
  readonly log?: { warn(fields: object, message: string): void };
  /** Epoch milliseconds by a clock that is never set; default this machine's. */
  readonly nowMs?: () => number;
  /** A pooler stands between: what a session keeps would be left to others. Default false. */
  readonly isPooled?: boolean;
  /** A schema whose `now()` and `clock_timestamp()` come before Postgres' own; default none. */
  readonly clockSchema?: string;
}

/**
 * The one statement whose plan a connection keeps while its texts change: of each the server holds some
 * 100 kB, and a process may serve many workspaces.
 */
export interface KeptPlan {
  /** Null where there is none. */
  statement: string | null;
  /** So often by this plan. */
  runs: number;
}

/** A connection while it is somebody's. */
export interface Connection {
  readonly client: pg.PoolClient;
  readonly state: SessionState;
  readonly plan: KeptPlan;
  /** Once. A `broken` one is closed. */
  release(broken?: boolean): void;
}

/** The connections to one database, whichever workspaces of it they serve. */
export interface Server {
  /** The database's clock against ours, from every transaction so far; null before the first. */
  readonly clock: ClockBounds | null;
  /** Takes in what one answer told of its clock. */
  seeClock(seen: ClockBounds): void;
  readonly nowMs: () => number;
  /** A pooler stands between, which gives each transaction another connection. */
  readonly isPooled: boolean;
  /** @throws SyncError that says why there is none; `database-closed` (halt) once it is closed. */
  connect(options?: { readonly reserved?: boolean | undefined }): Promise<Connection>;
  /** Waits for what is running, then closes every connection. Safe to call twice. */
  close(): Promise<void>;
}

const steadyMs = () => performance.timeOrigin + performance.now();

/** Opens no connection by itself. */
export function openServer(options: ServerOptions): Server {
  const { nowMs = steadyMs } = options;
  const pool = openPool(options, options.max ?? 8);
  const reserve = openPool(options, options.reserved ?? 1);
  const plans = new WeakMap<pg.PoolClient, KeptPlan>();
  let clock: ClockBounds | null = null;
  let closing: Promise<void> | null = null;
  return {
    isPooled: options.isPooled ?? false,
    get clock() {
      return clock;
    },
    seeClock(seen) {
      clock = narrowClock(clock, seen);
    },
    nowMs,
    async connect({ reserved = false } = {}) {
      if (closing !== null) throw closed();
      const from = reserved ? reserve : pool;
      const client = await from.connect();
      const plan = plans.get(client) ?? { statement: null, runs: 0 };
      plans.set(client, plan);
      const state = from.stateOf(client);
      return { client, state, plan, release: (broken) => client.release(broken) };
    },
    close() {
      closing ??= Promise.all([pool.end(), reserve.end()]).then(() => undefined);
      return closing;
    },
  };
}

export function closed(): SyncError {
  return new SyncError('the connection pool is closed', {
    code: 'database-closed',
    disposition: 'halt',
  });
}
