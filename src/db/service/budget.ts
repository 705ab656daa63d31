import type { Budget } from '../../domain/traffic.ts';
import type { Sql } from '../connection/database.ts';

/** A budget as it was written down last. Instants are ISO-8601 UTC. */
export interface BudgetStanding {
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetsAt: string;
  readonly toldAt: string;
  /** It is full again by now, as far as is known. */
  readonly isOver: boolean;
}

const LARGEST = 2_147_483_647;

/** Writes down what is left of the CRM's budgets. Safe to repeat. */
export async function noteBudgets(sql: Sql, budgets: readonly Budget[]): Promise<void> {
  if (budgets.length === 0) return;
  await sql.query(
    `INSERT INTO {sync}.budget AS b (name, most_requests, remaining, resets_at, told_at)
     SELECT u.name, u.most, u.remaining, u.resets_at, clock_timestamp()
       FROM unnest($1::text[], $2::int4[], $3::int4[], $4::timestamptz[])
            AS u(name, most, remaining, resets_at)
         ON CONFLICT (name) DO UPDATE
        SET most_requests = EXCLUDED.most_requests, remaining = EXCLUDED.remaining,
            resets_at = EXCLUDED.resets_at, told_at = EXCLUDED.told_at
      WHERE (b.most_requests, b.remaining, b.resets_at)
            IS DISTINCT FROM (EXCLUDED.most_requests, EXCLUDED.remaining, EXCLUDED.resets_at)`,
    [
      budgets.map(({ name }) => name),
      budgets.map(({ limit }) => Math.min(LARGEST, Math.floor(limit))),
      budgets.map(({ remaining }) => Math.min(LARGEST, Math.floor(remaining))),
      budgets.map(({ resetsAtMs }) => new Date(resetsAtMs).toISOString()),
    ],
  );
}

export async function readBudgets(sql: Sql): Promise<readonly BudgetStanding[]> {
  return await sql.query<BudgetStanding & Record<string, unknown>>(
    `SELECT name, most_requests AS "limit", remaining, resets_at AS "resetsAt", told_at AS "toldAt",
            resets_at <= clock_timestamp() AS "isOver"
       FROM {sync}.budget ORDER BY name`,
  );
}
