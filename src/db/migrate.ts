import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { SyncError, UsageError } from '../domain/errors.ts';
import type { Database, Sql } from './connection/database.ts';
import { fromTemplate } from './connection/template.ts';
import { type Schemas, TEMPLATE, verbatim } from './control/schemas.ts';
import { compareOwners, type Owner, refuseOthers } from './service/installation.ts';

/** The comment by which a schema is known as ours. */
const MARKER = 'clarify-sync';

const CREATE_SCHEMA = new RegExp(`^create schema "${TEMPLATE.control}";?$`, 'i');

/**
 * The advisory lock of a workspace's migrations. Versions that knew one schema took a number for it,
 * and one of them may be starting beside us.
 */
function lockOf({ control }: Schemas): string {
  return control === TEMPLATE.control ? '7235419022' : `hashtextextended('{sync}.migration', 0)`;
}

export interface MigrationOptions {
  readonly folder?: string;
  /** Whose schemas these are to be; default anybody's. */
  readonly owner?: Owner;
}

/** `applied` migrations of the `total` that this version knows. */
export interface MigrationResult {
  readonly applied: number;
  readonly total: number;
}

interface AppliedMigration {
  readonly hash: string;
}

/** The package's folder lies above both `src/db` and `dist/db`. */
export function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'migrations', 'meta', '_journal.json'))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new SyncError('the migrations folder is missing from this installation', {
        code: 'migrations-missing',
        disposition: 'halt',
        hint: 'install clarify-sync again',
      });
    }
    folder = parent;
  }
  return join(folder, 'migrations');
}

function refuse(code: string, message: string, hint: string): never {
  throw new SyncError(message, { code, disposition: 'halt', hint });
}

/** Versions are kept where the rest is taken away: a table of them, and what is on it, is ours. */
const IS_HISTORY = `(n.nspname = '{history}' and exists (
                select from pg_attribute a
                 where a.attname = '_valid_from'
                   and a.attrelid = coalesce((select indrelid from pg_index where indexrelid = c.oid), c.oid)))`;

/**
 * A schema of one of our names that somebody else made is left alone, and said so. Once our
 * ledger stands both are ours; an empty one may have been made for us by an administrator.
 */
async function inspectSchemas(sql: Sql): Promise<{ installed: boolean; existing: Set<string> }> {
  const schemas = await sql.query<{ name: string; marked: boolean | null; filled: boolean }>(
    `select n.nspname as name,
            obj_description(n.oid, 'pg_namespace') like $1 as marked,
            exists (select from pg_class c where c.relnamespace = n.oid and not ${IS_HISTORY})
              or exists (select from pg_proc p where p.pronamespace = n.oid) as filled
       from pg_namespace n
      where n.nspname in ('{mirror}', '{sync}', '{history}')
      order by n.nspname`,
    [`${MARKER}%`],
  );
  const columns = await sql.query(
    `select from pg_attribute
      where attrelid = to_regclass('{sync}.migration') and attname in ('hash', 'created_at')`,
  );
  const installed = columns.length === 2;
  const foreign = schemas.filter(
    ({ name, marked, filled }) => filled && (name === sql.schemas.control || marked !== true),
  );
  if (!installed && foreign.length > 0) {
    throw new UsageError(
      foreign.map(
        ({ name }) => `schema ${name} exists and was not made by clarify-sync; nothing was changed`,
      ),
      'set CLARIFY_SYNC_SCHEMA to a name that is free, or rename what has it',
      'schema-foreign',
    );
  }
  return { installed, existing: new Set(schemas.map(({ name }) => name)) };
}

/** Whether control tables stand under the workspace's names, of whatever version. */
export async function isInstalled(sql: Sql): Promise<boolean> {
  return (await inspectSchemas(sql)).installed;
}

async function readLedger(sql: Sql, installed: boolean): Promise<readonly AppliedMigration[]> {
  if (!installed) return [];
  return sql.query<AppliedMigration>('select hash from {sync}.migration order by id');
}

function pending(files: readonly MigrationMeta[], applied: readonly AppliedMigration[]) {
  if (applied.length > files.length) {
    refuse(
      'schema-newer',
      `the database has ${applied.length} migrations, this version knows ${files.length}`,
      'install the newer version of clarify-sync that this database was migrated with',
    );
  }
  for (const [index, { hash }] of applied.entries()) {
    if (files[index]?.hash !== hash) {
      refuse(
        'schema-edited',
        `migration ${index} differs from the one this database was migrated with`,
        'install the version of clarify-sync that this database was migrated with, or a newer one',
      );
    }
  }
  return files.slice(applied.length);
}

/**
 * Brings the control schema up to date, all or nothing, in one transaction under an advisory
 * lock: any number of processes may start at once. Drizzle's own migrator takes no lock, skips
 * what is older than the last migration and compares no hashes, hence this one. The result's
 * `applied` is 0 where the schema was up to date.
 *
 * @throws SyncError `schema-newer`, `schema-edited`, `migrations-missing`; UsageError `schema-foreign`,
 *   `installation-other-workspace`.
 */
export async function migrateControl(
  db: Database,
  { folder = migrationsFolder(), owner }: MigrationOptions = {},
): Promise<MigrationResult> {
  const files = readMigrationFiles({ migrationsFolder: folder });
  if (await isCurrent(db, files, owner)) return { applied: 0, total: files.length };
  return db.transaction(
    async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(${lockOf(tx.schemas)})`);
      const { installed, existing } = await inspectSchemas(tx);
      if (installed && owner !== undefined) await refuseOthers(tx, owner);
      const toApply = pending(files, await readLedger(tx, installed));
      const render = await renderer(tx);
      const statements = toApply
        .flatMap(({ sql }) => sql.map((text) => text.trim()))
        // An administrator's empty schema is used as it is: creating one takes rights on the
        // database, even where `if not exists` has nothing to do.
        .filter((one) => !(existing.has(tx.schemas.control) && CREATE_SCHEMA.test(one)))
        .filter((one) => one !== '');
      // Of a new installation all in one message, for a message costs as much as most of these hundreds; in one
      // that stands, where they may take their time, each has the limit for itself.
      const messages = installed ? statements : [statements.join('\n;\n')];
      for (const message of messages) await tx.query(verbatim(render(message)));
      if (!installed) await claimSchemas(tx, existing);
      await tx.query(
        `insert into {sync}.migration (hash, created_at)
         select * from unnest($1::text[], $2::bigint[])`,
        [toApply.map(({ hash }) => hash), toApply.map(({ folderMillis }) => folderMillis)],
      );
      return { applied: toApply.length, total: files.length };
    },
    { lockTimeoutMs: 60_000 },
  );
}

/**
 * Whether the ledger says what this version knows, to the last hash: one statement of most starts, without
 * a lock. What else there may be is judged in turn.
 */
async function isCurrent(
  db: Database,
  files: readonly MigrationMeta[],
  owner: Owner | undefined,
): Promise<boolean> {
  const standing = await db
    .query<{ hashes: string[] | null; crm: string | null; workspace: string | null }>(
      `SELECT (SELECT array_agg(hash ORDER BY id) FROM {sync}.migration) AS hashes, i.crm, i.workspace
         FROM (SELECT) AS one LEFT JOIN {sync}.installation AS i ON true`,
    )
    .catch((error: unknown) => {
      // Nothing is installed, or what an earlier version made.
      if (error instanceof SyncError && error.code === 'database-statement') return [];
      throw error;
    });
  const [{ hashes, crm, workspace } = EMPTY] = standing;
  const isSame =
    hashes?.length === files.length && files.every(({ hash }, at) => hashes[at] === hash);
  if (isSame && owner !== undefined && workspace !== null) {
    compareOwners(db, { crm, workspace }, owner);
  }
  return isSame;
}

const EMPTY = { hashes: null, crm: null, workspace: null };

/**
 * How far the control schema has been migrated, changing nothing. `applied` counts what this
 * database has, `total` what this version knows.
 *
 * @throws SyncError as {@link migrateControl} does.
 */
export async function controlVersion(
  db: Database,
  { folder = migrationsFolder(), owner }: MigrationOptions = {},
): Promise<MigrationResult> {
  const files = readMigrationFiles({ migrationsFolder: folder });
  const { installed } = await inspectSchemas(db);
  if (installed && owner !== undefined) await refuseOthers(db, owner);
  const applied = await readLedger(db, installed);
  pending(files, applied);
  return { applied: applied.length, total: files.length };
}

/** Gives statements of the files the names of the workspace at hand. */
async function renderer(sql: Sql): Promise<(statement: string) => string> {
  const { schemas } = sql;
  const [row] = await sql.query<{ quoted: string }>('select quote_ident($1) as quoted', [
    schemas.mirror,
  ]);
  const quoted = row?.quoted ?? schemas.mirror;
  return (statement) => fromTemplate(statement, schemas, quoted);
}

/** Runs after the first migrations, which create the control schema itself. */
async function claimSchemas(tx: Sql, existing: ReadonlySet<string>): Promise<void> {
  if (!existing.has(tx.schemas.mirror)) await tx.query('create schema "{mirror}"');
  const statements = [
    `create table {sync}.migration (
       id integer primary key generated always as identity,
       hash text not null,
       created_at bigint not null,
       applied_at timestamptz not null default clock_timestamp()
     )`,
    `comment on table {sync}.migration is 'Migrations of this schema that were applied.'`,
    `comment on column {sync}.migration.id is 'Order of application.'`,
    `comment on column {sync}.migration.hash is 'SHA-256 of the migration file.'`,
    `comment on column {sync}.migration.created_at is
       'When the migration was written, epoch milliseconds.'`,
    `comment on column {sync}.migration.applied_at is 'When it was applied here.'`,
  ];
  // Only the owner may comment on a schema; one that an administrator owns does without.
  const owned = await tx.query<{ name: string }>(
    `select nspname as name from pg_namespace
      where nspname in ('{mirror}', '{sync}') and pg_has_role(nspowner, 'USAGE')`,
  );
  for (const { name } of owned) {
    const what = name === tx.schemas.mirror ? 'mirror tables' : 'control tables';
    statements.push(`comment on schema "${name}" is '${MARKER}: ${what}'`);
  }
  await tx.query(statements.join(';\n'));
}
