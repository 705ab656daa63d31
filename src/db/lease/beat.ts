import * as z from 'zod';
import { quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Database } from '../connection/database.ts';
import type { Schemas } from '../control/schemas.ts';

/** What a process says of one workspace. */
export interface Beat {
  readonly schemas: Schemas;
  /** False where it cannot lead it, or not any more once it has drained. */
  readonly able: boolean;
  /** The epoch under which it leads; null where it does not. */
  readonly held: bigint | null;
}

/** What it says of itself to all of them. */
export interface BeatFacts {
  readonly process: string;
  /** How long it counts as alive. */
  readonly ttlMs: number;
  readonly leads: number;
  readonly opening: number;
  /** Whoever waits longer for an answer gets none. */
  readonly waitMs: number;
  /** Likewise, for a lock. */
  readonly lockMs: number;
}

/** When something ends that has to be renewed, by the database's clock. */
export interface Expiry {
  readonly expiresAt: string;
  /** Negative where it is over. */
  readonly leftMs: number;
}

/** How one workspace stands. */
export interface Pulse {
  /** Whether the lease was prolonged; false as well where somebody's lock was in the way. */
  readonly renewed: boolean;
  /** Null where nobody ever led. */
  readonly lease: (Expiry & { readonly holder: string | null; readonly epoch: bigint }) | null;
  readonly members: readonly MemberRow[];
}

export interface MemberRow extends Expiry {
  readonly process: string;
  readonly leads: number;
  readonly opening: number;
}

interface PulseRow extends Record<string, unknown> {
  readonly renewed: boolean;
  readonly holder: string | null;
  readonly epoch: bigint | null;
  readonly expiresAt: string | null;
  readonly leftMs: number | null;
  readonly members: unknown;
}

const memberRows = z.array(
  z.object({
    process: z.string(),
    leads: z.number(),
    opening: z.number(),
    expiresAt: z.string(),
    leftMs: z.number(),
  }),
);

/**
 * Tells many workspaces of one database that this process is alive, prolongs the leases it holds, and
 * asks how each stands: one statement, on the reserved connection. It locks rows that are this
 * process's own, and waits for none: a lease that somebody is just taking is left out. Where one
 * workspace has lost its tables, or somebody locks them, the whole statement fails: then the caller
 * asks for them one by one.
 *
 * @returns in the order of `beats`.
 */
export async function beatAll(
  db: Database,
  facts: BeatFacts,
  beats: readonly Beat[],
): Promise<readonly Pulse[]> {
  const { process, ttlMs, leads, opening, waitMs, lockMs } = facts;
  const parts = beats.map(
    ({ schemas, able, held }, n) =>
      `SELECT ${n} AS n, b.* FROM ${quoteIdent(schemas.control)}.beat(
         ${quoteLiteral(process)}, ${ttlMs}, ${able}, ${leads}, ${opening}, ${held === null ? 'NULL' : held}) b`,
  );
  const text = `
    SELECT renewed, holder, epoch, expires_at AS "expiresAt", left_ms AS "leftMs", members
      FROM (${parts.join(' UNION ALL ')}) AS answers ORDER BY n`;
  const limits = { reserved: true, lockTimeoutMs: lockMs, statementTimeoutMs: waitMs };
  const rows = await db.single<PulseRow>(text, limits);
  return rows.map(toPulse);
}

function toPulse({ renewed, holder, epoch, expiresAt, leftMs, members }: PulseRow): Pulse {
  return {
    renewed,
    lease:
      epoch === null || expiresAt === null || leftMs === null
        ? null
        : { holder, epoch, expiresAt, leftMs },
    members: memberRows.parse(members ?? []),
  };
}

/** Says that this process will not lead any more; does nothing where it never could. */
export async function leave(db: Database, process: string): Promise<void> {
  await db.query('DELETE FROM {sync}.member WHERE process = $1', [process]);
}

/** Rows of processes that died long ago; their names never come back. */
export async function forgetDead(db: Database): Promise<void> {
  await db.query(
    `DELETE FROM {sync}.member WHERE expires_at < clock_timestamp() - interval '1 hour'`,
  );
}
