import { type ActivityStanding, readActivityStandings } from '../db/activities/feeds.ts';
import type { Sql } from '../db/connection/database.ts';
import { type Lease, readLease } from '../db/lease/lease.ts';
import { readSweeps, type Sweep } from '../db/position/sweep-state.ts';
import { type BudgetStanding, readBudgets } from '../db/service/budget.ts';
import {
  type HeldChanges,
  type ObjectStanding,
  readHeldChanges,
  readStanding,
} from '../db/service/status.ts';
import { type CommentStanding, readCommentStandings } from '../db/side/comments.ts';
import { readSideStanding, type SideStanding } from '../db/side/standing.ts';

export type {
  ActivityStanding,
  BudgetStanding,
  CommentStanding,
  HeldChanges,
  ObjectStanding,
  SideStanding,
  Sweep,
};

/** How every object stands, and who leads. */
export interface Status {
  readonly objects: readonly ObjectStanding[];
  /** Null where no daemon and no push runs. */
  readonly leader: Lease | null;
  /** How far the rolling sweep of each object has come; of those whose first read is done. */
  readonly sweeps: readonly Sweep[];
  /** Changes that wait because the CRM lets no request through, by object. */
  readonly held: readonly HeldChanges[];
  /** How far what the CRM tells of the past of records was read, by object. */
  readonly activities: readonly ActivityStanding[];
  /** How far what the workspace has beside its records is read. */
  readonly sides: readonly SideStanding[];
  /** Comments that were written here and are not in the CRM, by object. */
  readonly comments: readonly CommentStanding[];
  /** What is left of the CRM's budgets of requests, where it tells. */
  readonly budgets: readonly BudgetStanding[];
}

export async function readStatus(sql: Sql): Promise<Status> {
  return {
    objects: await readStanding(sql),
    leader: await readLease(sql),
    sweeps: await readSweeps(sql),
    held: await readHeldChanges(sql),
    activities: await readActivityStandings(sql),
    sides: await readSideStanding(sql),
    comments: await readCommentStandings(sql),
    budgets: await readBudgets(sql),
  };
}

export interface StandingTotals {
  readonly pending: number;
  readonly blocked: number;
  readonly parked: number;
  readonly openConflicts: number;
  readonly setAside: number;
}

/** What waits, over all objects. */
export function totalStanding(objects: readonly ObjectStanding[]): StandingTotals {
  const total = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };
  for (const { pending, blocked, parked, openConflicts, setAside } of objects) {
    total.pending += pending;
    total.blocked += blocked;
    total.parked += parked;
    total.openConflicts += openConflicts;
    total.setAside += setAside;
  }
  return total;
}
