import type { Json } from '../../domain/json.ts';
import type { Sql } from '../connection/database.ts';
import { decodeExtra } from '../mirror/extra.ts';

/** One field that both sides changed, for a person to look at. Instants are ISO-8601 UTC. */
export interface ConflictEntry {
  readonly id: bigint;
  readonly object: string;
  readonly recordId: string;
  readonly field: string;
  readonly base: Json;
  readonly local: Json;
  readonly remote: Json;
  readonly remoteBy: string | null;
  readonly policy: string;
  readonly resolution: 'local' | 'remote' | 'merged' | 'open';
  /** Whether the times compared were the field's own. */
  readonly certain: boolean;
  readonly detectedAt: string;
  readonly resolvedAt: string | null;
  readonly resolvedBy: string | null;
}

const COLUMNS = `id, object, record_id AS "recordId", field, base, local, remote,
  remote_by AS "remoteBy", policy, resolution, certain, detected_at AS "detectedAt",
  resolved_at AS "resolvedAt", resolved_by AS "resolvedBy"`;

/** The conflict log, newest first, and how many match in all. No lock. */
export async function listConflicts(
  sql: Sql,
  filter: {
    readonly openOnly: boolean;
    readonly objects?: readonly string[] | undefined;
    readonly limit: number;
  },
): Promise<{ readonly conflicts: readonly ConflictEntry[]; readonly total: number }> {
  const parameters = [filter.openOnly, filter.objects ?? null];
  const matches = `(NOT $1 OR resolution = 'open') AND ($2::text[] IS NULL OR object = ANY($2))`;
  const conflicts = await sql.query<ConflictEntry & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.conflict WHERE ${matches} ORDER BY id DESC LIMIT $3`,
    [...parameters, filter.limit],
  );
  const [counted] = await sql.query<{ total: number }>(
    `SELECT count(*)::int4 AS total FROM {sync}.conflict WHERE ${matches}`,
    parameters,
  );
  return { conflicts: conflicts.map(readable), total: counted?.total ?? conflicts.length };
}

/** One conflict by its id; `lock` keeps everyone else from settling it meanwhile. */
export async function readConflict(
  sql: Sql,
  id: bigint,
  lock = false,
): Promise<ConflictEntry | null> {
  const [conflict] = await sql.query<ConflictEntry & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.conflict WHERE id = $1 ${lock ? 'FOR UPDATE' : ''}`,
    [id],
  );
  return conflict ? readable(conflict) : null;
}

/** With values as they are, not as jsonb had to hold them. */
function readable(conflict: ConflictEntry): ConflictEntry {
  const [base, local, remote] = [conflict.base, conflict.local, conflict.remote].map(decodeExtra);
  return { ...conflict, base: base ?? null, local: local ?? null, remote: remote ?? null };
}

/** Closes what is open of a record's fields in the CRM's favour. Index `conflict_open`. */
export async function settleForRemote(
  tx: Sql,
  settled: {
    readonly object: string;
    readonly recordId: string;
    readonly fields: readonly string[];
    readonly by: string;
  },
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.conflict
        SET resolution = 'remote', resolved_at = clock_timestamp(), resolved_by = $4
      WHERE object = $1 AND record_id = $2 AND field = ANY($3::text[]) AND resolution = 'open'`,
    [settled.object, settled.recordId, settled.fields, settled.by],
  );
}
