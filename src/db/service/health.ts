import { quoteIdent } from '../../domain/names.ts';
import type { Sql } from '../connection/database.ts';
import { REPLACED } from '../connection/session-settings.ts';
import { linkTriggers, mirrorTriggers } from '../mirror/attachments.ts';
import { loadMirror } from '../mirror/load.ts';
import { readStopped } from '../mirror/problem-record.ts';

export interface ServerFacts {
  /** Such as 17. */
  readonly majorVersion: number;
  /** As the server calls itself. */
  readonly version: string;
  readonly database: string;
  readonly user: string;
  /** Epoch milliseconds by the server's clock. */
  readonly nowMs: number;
}

export async function readServerFacts(sql: Sql): Promise<ServerFacts> {
  const [facts] = await sql.query<ServerFacts & Record<string, unknown>>(
    `SELECT current_setting('server_version_num')::int4 / 10000 AS "majorVersion",
            current_setting('server_version') AS version,
            current_database() AS database, current_user AS user,
            (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"`,
  );
  return facts ?? { majorVersion: 0, version: 'unknown', database: '', user: '', nowMs: 0 };
}

export interface SettingFacts {
  /** Settings of the server, role or database that we replace by our own wherever it matters. */
  readonly replaced: readonly string[];
  /** Statements that take back a setting by which writes go past our triggers. */
  readonly unseen: readonly string[];
  /** The time zone that sessions begin in, where that is not UTC: some tools misread instants there. */
  readonly zone: string | null;
}

/** What the settings of server, role and database come to, whatever we set ourselves. */
export async function readSettingFacts(sql: Sql): Promise<SettingFacts> {
  const [facts] = await sql.query<Omit<SettingFacts, 'unseen'> & Record<string, unknown>>(
    `SELECT ARRAY(SELECT s.name FROM pg_settings AS s
                    JOIN unnest($1::text[], $2::text[]) AS p(name, fine) ON p.name = lower(s.name)
                   WHERE s.reset_val !~ p.fine ORDER BY s.name) AS replaced,
            (SELECT s.reset_val FROM pg_settings AS s
              WHERE lower(s.name) = 'timezone'
                AND s.reset_val !~* '^(Etc/)?(UTC|GMT|UCT|Zulu|Universal|Greenwich)$') AS zone`,
    [REPLACED.map(({ name }) => name), REPLACED.map(({ fine }) => fine)],
  );
  return { replaced: [], zone: null, ...facts, unseen: await readUnseen(sql) };
}

/** {@link SettingFacts.unseen} */
export async function readUnseen(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ statement: string }>(
    `SELECT CASE WHEN s.setrole = 0 THEN format('ALTER DATABASE %I', d.datname)
                 WHEN d.oid IS NULL THEN format('ALTER ROLE %I', r.rolname)
                 ELSE format('ALTER ROLE %I IN DATABASE %I', r.rolname, d.datname) END
            || ' RESET session_replication_role' AS statement
       FROM pg_db_role_setting AS s
       LEFT JOIN pg_roles AS r ON r.oid = s.setrole
       LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
      WHERE (s.setdatabase = 0 OR d.datname = current_database())
        AND s.setconfig && ARRAY['session_replication_role=replica']
      ORDER BY statement`,
  );
  return rows.map(({ statement }) => statement);
}

/** Rights we need and lack, as the statements that would grant them; from the catalog alone. */
export async function readMissingRights(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ statement: string }>(
    `SELECT CASE WHEN n.oid IS NULL
              THEN format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
              ELSE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', w.name, current_user)
            END AS statement
       FROM unnest(ARRAY['{mirror}', '{sync}']) AS w(name)
       LEFT JOIN pg_namespace AS n ON n.nspname = w.name
      WHERE CASE WHEN n.oid IS NULL
              THEN NOT has_database_privilege(current_database(), 'CREATE')
              ELSE NOT has_schema_privilege(n.oid, 'CREATE') OR NOT has_schema_privilege(n.oid, 'USAGE')
            END
      UNION
     -- Everybody has it unless it was taken: what is read into a table that is not empty is staged.
     SELECT format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), current_user)
      WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
      UNION
     SELECT format('ALTER TABLE %I.%I OWNER TO %I', n.nspname, c.relname, current_user)
       FROM pg_class AS c
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = '{sync}' AND c.relkind = 'r'
        AND to_regclass('{sync}.migration') IS NOT NULL AND NOT pg_has_role(c.relowner, 'USAGE')
      ORDER BY statement`,
  );
  return rows.map(({ statement }) => statement);
}

/** What stands in for `{sync}.installation` where nothing was installed yet. */
export interface InstallationFacts {
  readonly workspace: string;
  readonly push: boolean;
}

/** Which workspace this database mirrors; null before the first sync. */
export async function readInstallationFacts(sql: Sql): Promise<InstallationFacts | null> {
  const [facts] = await sql.query<InstallationFacts & Record<string, unknown>>(
    'SELECT workspace, push FROM {sync}.installation',
  );
  return facts ?? null;
}

export interface TriggerFacts {
  readonly tables: number;
  /** `table: trigger` for each one that is gone: local writes would go unnoticed. */
  readonly missing: readonly string[];
  /** Those of ours that somebody switched off, on whichever table, as the statements that switch them on again. */
  readonly disabled: readonly string[];
  /** Tables on record that somebody dropped. */
  readonly dropped: readonly string[];
}

/** Whether every mirror and link table still has its triggers, switched on. Catalog only. */
export async function readTriggerFacts(sql: Sql): Promise<TriggerFacts> {
  const mirrors = await sql.query<{ name: string; object: string }>(
    'SELECT table_name AS name, object FROM {sync}.mirror WHERE removed_at IS NULL',
  );
  const { links } = await loadMirror(sql);
  // A table in the place of ours is said by another check, and gets none.
  const stopped = await readStopped(sql);
  const ours = mirrors.filter(({ object }) => !stopped.has(object));
  const wanted = new Map([
    ...ours.map(({ name, object }) => [name, mirrorTriggers(sql.schemas, name, object)] as const),
    ...links.map((link) => [link.name, linkTriggers(sql.schemas, link)] as const),
  ]);
  const tables = await sql.query<{
    name: string;
    exists: boolean;
    triggers: readonly string[];
  }>(
    `SELECT m.name, c.oid IS NOT NULL AS exists,
            coalesce(array_agg(t.tgname::text) FILTER (WHERE t.oid IS NOT NULL), '{}') AS triggers
       FROM unnest($2::text[]) AS m(name)
       LEFT JOIN pg_class AS c
              ON c.relname = m.name AND c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
       LEFT JOIN pg_trigger AS t ON t.tgrelid = c.oid AND NOT t.tgisinternal
      GROUP BY m.name, c.oid
      ORDER BY m.name`,
    [quoteIdent(sql.schemas.mirror), [...wanted.keys()]],
  );
  const disabled = await sql.query<{ statement: string }>(
    `SELECT format('ALTER TABLE %s ENABLE TRIGGER %I', t.tgrelid::regclass, t.tgname) AS statement
       FROM pg_trigger AS t
       JOIN pg_proc AS p ON p.oid = t.tgfoid
      WHERE t.tgenabled IN ('D', 'R') AND p.pronamespace = '{sync}'::regnamespace
      ORDER BY statement`,
  );
  return {
    tables: mirrors.length,
    missing: tables
      .filter(({ exists }) => exists)
      .flatMap(({ name, triggers }) =>
        (wanted.get(name) ?? [])
          .filter((trigger) => !triggers.includes(trigger.name))
          .map((trigger) => `${name}: ${trigger.name}`),
      ),
    disabled: disabled.map(({ statement }) => statement),
    dropped: tables.filter(({ exists }) => !exists).map(({ name }) => name),
  };
}
