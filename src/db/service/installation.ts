import { UsageError } from '../../domain/errors.ts';
import type { Database, Sql } from '../connection/database.ts';

export interface Installation {
  readonly id: string;
  readonly workspace: string;
  /** False where the database is a copy: nothing may be sent until {@link adoptDatabase}. */
  readonly adopted: boolean;
}

/**
 * What names a database. Ids of the database and of one table in it survive restarts, failover to
 * a replica, poolers and a move of the daemon, and differ once a dump is restored or a database
 * is cloned; the cluster's identifier tells apart two clusters whose ids happen to be the same.
 * See docs/decisions/003-capture.md for the copy that none of them can tell.
 */
interface Fingerprint {
  readonly database: string;
  readonly table: string;
  /** `-` where we may not ask for it. */
  readonly cluster: string;
}

/** Whom the schemas of an installation belong to. */
export interface Owner {
  /** As `CLARIFY_SYNC_CRM` names it. */
  readonly crm: string;
  /** Null where it is not known. */
  readonly workspace: string | null;
}

interface InstallationRow extends Record<string, unknown> {
  readonly id: string;
  readonly workspace: string;
  readonly crm: string | null;
  readonly fingerprint: string;
  readonly push: boolean;
}

const READ = 'SELECT id, workspace, crm, fingerprint, push FROM {sync}.installation';

/** Why entries are parked that a copy of the database brought along. */
const COPIED = 'copied-database';

async function readFingerprint(sql: Sql): Promise<Fingerprint> {
  const [ids] = await sql.query<{ database: string; table: string; askable: boolean }>(
    `SELECT (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
            '{sync}.installation'::regclass::oid::text AS table,
            has_function_privilege('pg_catalog.pg_control_system()', 'execute') AS askable`,
  );
  // A separate statement: rights to a function are checked even where it is not reached.
  const [control] = ids?.askable
    ? await sql.query<{ cluster: string }>(
        'SELECT system_identifier::text AS cluster FROM pg_control_system()',
      )
    : [];
  return {
    database: ids?.database ?? '-',
    table: ids?.table ?? '-',
    cluster: control?.cluster ?? '-',
  };
}

function write({ database, table, cluster }: Fingerprint): string {
  return [database, table, cluster].join('/');
}

function names(stored: string, { database, table, cluster }: Fingerprint): boolean {
  const [storedDatabase, storedTable, storedCluster] = stored.split('/');
  const sameCluster = storedCluster === cluster || storedCluster === '-' || cluster === '-';
  return storedDatabase === database && storedTable === table && sameCluster;
}

/**
 * Of schemas that are installed, whatever their version: for before anything is changed.
 *
 * @throws UsageError `installation-other-workspace`, naming both.
 */
export async function refuseOthers(sql: Sql, wanted: Owner): Promise<void> {
  const [standing] = await sql.query<{ crm: string | null; workspace: string }>(
    `SELECT to_jsonb(i) ->> 'crm' AS crm, i.workspace FROM {sync}.installation AS i`,
  );
  if (standing !== undefined) compareOwners(sql, standing, wanted);
}

/** @throws UsageError `installation-other-workspace`, naming both. */
export function compareOwners(
  { schemas }: Sql,
  standing: { readonly crm: string | null; readonly workspace: string },
  wanted: Owner,
): void {
  const { crm, workspace } = standing;
  const isOfAnother = crm !== null && crm !== wanted.crm;
  if (!isOfAnother && (wanted.workspace === null || wanted.workspace === workspace)) return;
  const named = (one: string | null) => (one === null ? 'a workspace' : `the workspace ${one}`);
  const [here, there] = isOfAnother ? [` of ${crm}`, ` of ${wanted.crm}`] : ['', ''];
  throw new UsageError(
    [
      `schema ${schemas.mirror} mirrors ${named(workspace)}${here}, and not ${named(wanted.workspace)}${there}`,
    ],
    'set CLARIFY_SYNC_SCHEMA to another name, under which it is mirrored beside that one; or correct which workspace it is',
    'installation-other-workspace',
  );
}

interface WantedInstallation {
  readonly crm?: string;
  readonly workspace: string;
  readonly push: boolean;
}

/**
 * Writes down which workspace these schemas mirror and whether local writes are taken, where that is
 * not what they say. Repeatable, and safe beside another process; one row lock.
 *
 * @throws UsageError `installation-other-workspace` where they mirror another.
 */
export async function ensureInstallation(
  db: Database,
  wanted: WantedInstallation,
): Promise<Installation> {
  const here = await readFingerprint(db);
  const [standing] = await db.query<InstallationRow>(READ);
  const found = standing && judge(db, standing, { here, wanted });
  if (found?.isDue === false) return found.installation;
  return await db.transaction(async (tx) => {
    await tx.query(
      `INSERT INTO {sync}.installation (workspace, crm, fingerprint) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING`,
      [wanted.workspace, wanted.crm ?? null, write(here)],
    );
    const [row] = await tx.query<InstallationRow>(`${READ} FOR UPDATE`);
    if (row === undefined) throw new Error('an installation has no row');
    const { installation, crm, fingerprint } = judge(tx, row, { here, wanted });
    await tx.query('UPDATE {sync}.installation SET push = $1, fingerprint = $2, crm = $3', [
      wanted.push,
      fingerprint,
      crm,
    ]);
    return installation;
  });
}

/** What its row should say, and whether that is yet to be written. @throws as its caller does. */
function judge(
  sql: Sql,
  row: InstallationRow,
  { here, wanted }: { readonly here: Fingerprint; readonly wanted: WantedInstallation },
) {
  const { id, workspace } = row;
  const crm = wanted.crm ?? row.crm;
  compareOwners(sql, row, { crm: crm ?? '', workspace: wanted.workspace });
  const adopted = names(row.fingerprint, here);
  // A cluster that would not tell its identifier before may tell it now.
  const fingerprint = adopted && here.cluster !== '-' ? write(here) : row.fingerprint;
  const isDue = row.push !== wanted.push || row.fingerprint !== fingerprint || row.crm !== crm;
  return { installation: { id, workspace, adopted }, crm, fingerprint, isDue };
}

/**
 * Makes a copied database an installation of its own. What was unfinished when the copy was made
 * is parked, for the original will have sent it. Does nothing where the database is no copy.
 *
 * @returns how many entries were parked.
 */
export async function adoptDatabase(db: Database): Promise<number> {
  return await db.transaction(async (tx) => {
    const here = await readFingerprint(tx);
    const [row] = await tx.query<InstallationRow>(`${READ} FOR UPDATE`);
    if (!row || names(row.fingerprint, here)) return 0;
    const parked = await tx.query(
      `UPDATE {sync}.outbox
          SET state = 'parked', epoch = NULL, ticket = NULL, blocked_by = NULL, last_error = $1
        WHERE state IN ('pending', 'sending') RETURNING 1`,
      [COPIED],
    );
    const comments = await tx.query(
      `UPDATE {sync}.comment_outbox SET state = 'parked', epoch = NULL, last_error = $1
        WHERE state IN ('pending', 'sending') RETURNING 1`,
      [COPIED],
    );
    await tx.query(
      `WITH theirs AS (DELETE FROM {sync}.hook)
       UPDATE {sync}.installation
          SET id = gen_random_uuid(), writer_secret = gen_random_uuid()::text,
              fingerprint = $1, adopted_at = clock_timestamp()`,
      [write(here)],
    );
    return parked.length + comments.length;
  });
}
