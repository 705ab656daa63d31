import { SyncError } from '../domain/errors.ts';
import type { Database, Sql } from './database.ts';

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

interface InstallationRow extends Record<string, unknown> {
  readonly id: string;
  readonly workspace: string;
  readonly fingerprint: string;
}

/** Why entries are parked that a copy of the database brought along. */
const COPIED = 'copied-database';

async function readFingerprint(sql: Sql): Promise<Fingerprint> {
  const [ids] = await sql.query<{ database: string; table: string; askable: boolean }>(
    `SELECT (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
            'clarify_sync.installation'::regclass::oid::text AS table,
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
 * Writes down which workspace this database mirrors and whether local writes are taken. Repeatable,
 * and safe beside another process; one row lock.
 *
 * @throws SyncError `installation-other-workspace` where it mirrors another workspace.
 */
export async function ensureInstallation(
  db: Database,
  wanted: { readonly workspace: string; readonly push: boolean },
): Promise<Installation> {
  return await db.transaction(async (tx) => {
    const here = await readFingerprint(tx);
    await tx.query(
      `INSERT INTO clarify_sync.installation (workspace, fingerprint) VALUES ($1, $2)
           ON CONFLICT DO NOTHING`,
      [wanted.workspace, write(here)],
    );
    const [row] = await tx.query<InstallationRow>(
      'SELECT id, workspace, fingerprint FROM clarify_sync.installation FOR UPDATE',
    );
    if (row?.workspace !== wanted.workspace) {
      throw new SyncError(`this database mirrors the workspace ${row?.workspace}`, {
        code: 'installation-other-workspace',
        disposition: 'halt',
        hint: `set CLARIFY_WORKSPACE=${row?.workspace}, or give this workspace a database of its own`,
      });
    }
    const adopted = names(row.fingerprint, here);
    // A cluster that would not tell its identifier before may tell it now.
    const known = adopted && here.cluster !== '-' ? write(here) : row.fingerprint;
    await tx.query(
      `UPDATE clarify_sync.installation SET push = $1, fingerprint = $2
        WHERE push <> $1 OR fingerprint <> $2`,
      [wanted.push, known],
    );
    return { id: row.id, workspace: row.workspace, adopted };
  });
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
    const [row] = await tx.query<InstallationRow>(
      'SELECT id, workspace, fingerprint FROM clarify_sync.installation FOR UPDATE',
    );
    if (!row || names(row.fingerprint, here)) return 0;
    const parked = await tx.query(
      `UPDATE clarify_sync.outbox
          SET state = 'parked', epoch = NULL, blocked_by = NULL, last_error = $1
        WHERE state IN ('pending', 'sending') RETURNING 1`,
      [COPIED],
    );
    await tx.query(
      `UPDATE clarify_sync.installation
          SET id = gen_random_uuid(), writer_secret = gen_random_uuid()::text,
              fingerprint = $1, adopted_at = clock_timestamp()`,
      [write(here)],
    );
    return parked.length;
  });
}
