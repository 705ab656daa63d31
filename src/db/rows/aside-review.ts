import type { Sql } from '../connection/database.ts';
import type { RowTrouble } from '../connection/row-trouble.ts';
import type { AsideKind } from './set-aside.ts';

type Cause = Pick<RowTrouble, 'code' | 'sqlState' | 'table' | 'constraint' | 'reason'>;

/** One row that cannot be written as its record is, for a person to look at. ISO-8601 UTC. */
export interface AsideRow extends Cause {
  readonly object: string;
  readonly id: string;
  /** What is to be done: apply the record, remove the row, bring references or links up to date. */
  readonly kind: AsideKind;
  readonly attempts: number;
  readonly noticedAt: string;
  readonly nextAttemptAt: string;
}

/** Rows that one cause keeps from being as their records are. */
export interface AsideCause extends Cause {
  readonly object: string;
  readonly kind: AsideKind;
  readonly rows: number;
}

/** What is the matter with rows of an object, as said after their number. */
export function whatWaits(kind: AsideKind, title: string): string {
  switch (kind) {
    case 'apply':
      return `cannot take what ${title} has`;
    case 'remove':
      return 'stand although their record is gone';
    case 'refer':
      return 'cannot refer by the id of today';
    case 'link':
      return `cannot take the links that ${title} has`;
  }
}

const CAUSE = `code, sqlstate AS "sqlState", table_name AS "table", constraint_name AS "constraint", reason`;

/** The longest waiting first. */
export async function listAside(
  sql: Sql,
  wanted: { readonly objects?: readonly string[] | undefined; readonly limit: number },
): Promise<AsideRow[]> {
  return await sql.query<AsideRow & Record<string, unknown>>(
    `SELECT object, id, kind, ${CAUSE}, attempts, noticed_at AS "noticedAt", next_attempt_at AS "nextAttemptAt"
       FROM {sync}.deferred
      WHERE code IS NOT NULL AND ($1::text[] IS NULL OR object = ANY($1))
      ORDER BY noticed_at, object, id LIMIT $2`,
    [wanted.objects ?? null, wanted.limit],
  );
}

/** Whatever keeps rows from being as their records are, the most frequent first. */
export async function readAsideCauses(sql: Sql): Promise<AsideCause[]> {
  return await sql.query<AsideCause & Record<string, unknown>>(
    `SELECT object, kind, ${CAUSE}, count(*)::int4 AS rows FROM {sync}.deferred
      WHERE code IS NOT NULL
      GROUP BY object, kind, code, sqlstate, table_name, constraint_name, reason
      ORDER BY rows DESC, object, kind`,
  );
}
