import type { Database, Sql } from '../connection/database.ts';
import { verbatim } from '../control/schemas.ts';
import { triggerName } from '../mirror/attachments.ts';

/** Roles by what they may do: read everything that is mirrored, or write it as well. */
export interface Grants {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

export interface GrantState {
  /** Named in the configuration, and not there. */
  readonly unknownRoles: readonly string[];
  /** Statements that would bring rights to what the configuration says. */
  readonly due: readonly string[];
}

/** Control tables that tell how the synchronisation stands, and hold no value of any record. */
const PROGRESS = [
  'backfill_range',
  'budget',
  'cursor',
  'id_map',
  'lease',
  'mirror',
  'mirror_column',
  'mirror_problem',
  'run',
  'schema_version',
  'side_reading',
  'sweep',
  'trouble',
];
/** And what was said in meetings: who may read the meeting may read that. */
const READABLE = [...PROGRESS, 'meeting_recording'];
/** What became of one's own edits. */
const OUTCOME = ['comment_outbox', 'conflict', 'outbox'];

/**
 * How the rights of these roles differ from what they should be; from the catalog alone, no lock.
 * A right that a role has by way of another counts. Taken back are rights of a role whose level the
 * configuration lowered, or which it no longer names; what somebody else granted on top stays.
 */
export async function readGrantState(sql: Sql, grants: Grants): Promise<GrantState> {
  const levels = wantedLevels(grants);
  const parameters = [[...levels.keys()], [...levels.values()]];
  const unknown = await sql.query<{ role: string }>(
    `SELECT w.role FROM unnest($1::text[]) AS w(role)
      WHERE NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = w.role) ORDER BY 1`,
    parameters.slice(0, 1),
  );
  const { schemas } = sql;
  const due = await sql.query<{ statement: string }>(
    `WITH wanted AS (
       SELECT r.oid, r.rolname AS role, coalesce(w.level, 'none') AS level,
              (g.level = 'write' AND w.level = 'read') OR (g.level IS NOT NULL AND w.level IS NULL) AS lowered
         FROM (SELECT role, level FROM unnest($1::text[], $2::text[]) AS w(role, level)) AS w
         FULL JOIN {sync}.grantee AS g USING (role)
         JOIN pg_roles AS r ON r.rolname = role AND r.rolname <> current_user
     ), relation AS (
       SELECT c.oid, n.nspname AS schema, c.relname AS name,
              n.nspname = $3 AND EXISTS (
                SELECT FROM pg_trigger AS t
                 WHERE t.tgrelid = c.oid AND t.tgname IN ('{mirror}_capture_insert', '{mirror}_link_insert', '{mirror}_comment_insert')) AS writable
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND CASE n.nspname
                WHEN $4 THEN true
                WHEN '{sync}' THEN c.relname = ANY($5::text[] || $6::text[])
                WHEN $3 THEN EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgname = $7)
                ELSE false END
     ), "right" AS (
       SELECT 'SCHEMA' AS kind, n.oid, quote_ident(n.nspname) AS name, w.oid AS role_oid, w.role, 'USAGE' AS privilege,
              w.lowered, w.level <> 'none' AS due, has_schema_privilege(w.oid, n.oid, 'USAGE') AS has, n.nspacl AS acl
         FROM pg_namespace AS n CROSS JOIN wanted AS w WHERE n.nspname IN ($3, $4)
        UNION ALL
       SELECT 'TABLE', t.oid, format('%I.%I', t.schema, t.name), w.oid, w.role, p.privilege, w.lowered,
              CASE WHEN w.level = 'none' THEN false
                   WHEN p.privilege = 'SELECT' THEN w.level = 'write' OR t.schema <> '{sync}' OR t.name = ANY($5)
                   ELSE w.level = 'write' AND t.writable END,
              has_table_privilege(w.oid, t.oid, p.privilege), (SELECT relacl FROM pg_class AS c WHERE c.oid = t.oid)
         FROM relation AS t CROSS JOIN wanted AS w
        CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p(privilege)
     ), differing AS (
       SELECT *, CASE WHEN due THEN NOT has
                 ELSE lowered AND EXISTS (SELECT FROM aclexplode(acl) AS a
                               WHERE a.grantee = role_oid AND a.privilege_type = privilege) END AS differs
         FROM "right"
     )
     SELECT format(CASE WHEN due THEN 'GRANT %s ON %s %s TO %I' ELSE 'REVOKE %s ON %s %s FROM %I' END,
                   string_agg(privilege, ', ' ORDER BY privilege), kind, name, role) AS statement
       FROM differing WHERE differs
      GROUP BY kind, name, role, due ORDER BY kind, name, role, due`,
    [
      ...parameters,
      schemas.mirror,
      schemas.history,
      READABLE,
      OUTCOME,
      triggerName(schemas, 'refuse_truncate'),
    ],
  );
  return {
    unknownRoles: unknown.map(({ role }) => role),
    due: due.map(({ statement }) => statement),
  };
}

/** Who may write may read. */
function wantedLevels({ read, write }: Grants): ReadonlyMap<string, 'read' | 'write'> {
  return new Map([
    ...read.map((role) => [role, 'read'] as const),
    ...write.map((role) => [role, 'write'] as const),
  ]);
}

/**
 * Brings the rights of the roles to what the configuration says, and takes back those of roles that
 * it named once. Roles it never named are nobody's business. Repeatable; who comes second waits.
 *
 * @returns roles that do not exist: they get their rights once they do.
 */
export async function applyGrants(db: Database, grants: Grants): Promise<readonly string[]> {
  const levels = wantedLevels(grants);
  const known = await db.query<{ role: string; level: string }>(
    'SELECT role, level FROM {sync}.grantee',
  );
  if (levels.size === 0 && known.length === 0) return [];
  const glance = await readGrantState(db, grants);
  const isNoted =
    known.length === levels.size && known.every(({ role, level }) => levels.get(role) === level);
  if (glance.due.length === 0 && isNoted) return glance.unknownRoles;
  return await db.transaction(async (tx) => {
    // Two that change one table's rights at once would fail.
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('{sync}.mirror', 0))`);
    const { due, unknownRoles } = await readGrantState(tx, grants);
    if (due.length > 0) await tx.query(verbatim(due.join(';\n')));
    const [roles, wanted] = [[...levels.keys()], [...levels.values()]];
    await tx.query('DELETE FROM {sync}.grantee WHERE role <> ALL($1::text[])', [roles]);
    await tx.query(
      `INSERT INTO {sync}.grantee (role, level)
       SELECT role, level FROM unnest($1::text[], $2::text[]) AS w(role, level)
           ON CONFLICT (role) DO UPDATE SET level = excluded.level WHERE grantee.level <> excluded.level`,
      [roles, wanted],
    );
    return unknownRoles;
  });
}
